"""The demo shop: 72 classic books, their covers and the people who buy and sell them.

`books.csv` has the columns of `import_data`. The descriptions are this project's own. The publishers are
invented, and so are the ISBNs: they are valid, but begin with 979-7, which is assigned to no country, so that
none of them is a real book's.
"""

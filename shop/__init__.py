"""The bookshop: all trade data, and the pages of shoppers.

Chats belong to `support`, the offices, papers and the dispatch API to `staff`.
"""

"""How words find books: folding texts, and each database's index.

What a page does with a query belongs to `views` and `browsing`. Knows no model.
"""

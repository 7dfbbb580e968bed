"""Reading the catalogue fast: lists, cards, and what is kept of them until it changes.

What a list is of, and its order, are querysets of `models`; which page shows it, `views`.
"""

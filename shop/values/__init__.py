"""Values from outside, checked and in one spelling: ISBN, address, language, picture; and money. Knows no model.

A rule over several fields belongs to its model.
"""

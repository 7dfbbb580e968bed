"""What our models ask of the database beyond Django's own. Knows no model.

Full text search is `search`; a query of one model is a method of its queryset.
"""

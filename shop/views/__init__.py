"""The shoppers' pages, a noun a module.

Rules belong to `models`, what several pages share to `web` and `browsing`.
"""

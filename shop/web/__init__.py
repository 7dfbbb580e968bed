"""What pages have in common between a request and its answer.

What one page alone does belongs to its module in `views`.
"""

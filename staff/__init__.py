"""Those who work here: back offices, papers, reports, the dispatch API.

What shoppers see, and the rules of trade, belong to `shop`.
"""

"""Paying by card: what a provider does, the two that there are, and what becomes of an order by what they say.

Pages stand in `shop/views/payments.py`; what an order does with money is its own: `shop/models/order_money.py`.
"""

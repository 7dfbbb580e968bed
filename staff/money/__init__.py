"""The money page of the two offices that show money: what needs a person, what is awaited, what came in and goes back.

What an order does with money is its own (`shop/models/order_money.py`); card payments are `shop/payments/`.
"""

"""What happened to an order, for the layers above the shop, which it cannot call.

Each is sent with `order` inside the transaction of the change, so that a receiver's row stands or falls with it.
"""

from django.dispatch import Signal

order_paid = Signal()
# Only for an order that had been paid: nobody above ever heard of another.
order_cancelled = Signal()

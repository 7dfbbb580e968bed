"""What happened to an order, for the rooms above the models, which these cannot call.

Each is sent with `order` inside the transaction of the change, so that a receiver's row stands or falls with it.
"""

from django.dispatch import Signal

# With `lines`, those of the basket that it was made from.
order_placed = Signal()
order_paid = Signal()
# Only for an order that had been paid: nobody above ever heard of another.
order_cancelled = Signal()

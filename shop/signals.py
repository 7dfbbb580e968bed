"""What happened to an order, for the rooms above the models, which these cannot call.

Each is sent with `order` (or `refund`) inside the transaction of the change, so that a receiver's row stands or falls
with it.
"""

from django.dispatch import Signal

order_placed = Signal()
order_paid = Signal()
# With `moved`, a `Return` that was asked for, received or decided.
return_moved = Signal()
# With `parcels`.
parcels_sent = Signal()
# Every line of the order is cancelled, be it one after another.
nothing_left = Signal()
# With `was_paid`.
order_cancelled = Signal()
# With `orders`, a queryset: those of them that are paid have another address, or other lines, or lines that went on.
orders_changed = Signal()
refund_begun = Signal()
refund_done = Signal()

"""How orders are paid, and what of them may come back."""

from booktime import environment

# Stripe's hosted page, where both are set; else a server takes transfers alone.
STRIPE_SECRET_KEY = environment.text("STRIPE_SECRET_KEY")
STRIPE_WEBHOOK_SECRET = environment.text("STRIPE_WEBHOOK_SECRET")
# Another address of its API; its own where it is empty.
STRIPE_API_BASE = environment.site_address("STRIPE_API_BASE")
# An order whose card payment was begun and not finished is cancelled after so many hours.
PAY_WITHIN_HOURS = environment.whole_number("PAY_WITHIN_HOURS", default=24)
# For so many days after they were sent, books may be sent back.
RETURN_DAYS = environment.whole_number("RETURN_DAYS", default=30)

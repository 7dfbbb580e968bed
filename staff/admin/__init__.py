"""What stands in each of the back offices; the offices themselves are in `staff.offices`."""

from staff.admin import orders, people, products

__all__ = ["orders", "people", "products"]

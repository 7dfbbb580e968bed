"""What stands in each of the back offices; the offices themselves are in `staff.offices`."""

from staff.admin import orders, people, products
from staff.api import admin as api

__all__ = ["api", "orders", "people", "products"]

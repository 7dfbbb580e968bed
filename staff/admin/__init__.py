"""What stands in each of the back offices; the offices themselves are in `staff.admin_sites`."""

from staff.admin import chats, company, delivery, orders, people, products, stock
from staff.api import admin as api

__all__ = ["api", "chats", "company", "delivery", "orders", "people", "products", "stock"]

"""The office's own machinery; what it works on stands in `shop.models`."""

from staff.models.idempotency import IdempotencyKey
from staff.models.sales import DaySales, ProductSales, SalesChange, SalesSummary
from staff.models.webhook import Webhook, WebhookDelivery

__all__ = ["DaySales", "IdempotencyKey", "ProductSales", "SalesChange", "SalesSummary", "Webhook", "WebhookDelivery"]

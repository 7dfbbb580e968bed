"""The office's own machinery; what it works on stands in `shop.models`."""

from staff.models.idempotency import IdempotencyKey
from staff.models.webhook import Webhook, WebhookDelivery

__all__ = ["IdempotencyKey", "Webhook", "WebhookDelivery"]

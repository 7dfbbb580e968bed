"""What owners alone do with orders and the chats about them."""

import pytest

from shop.models import Order
from staff.models import Webhook, WebhookDelivery
from support.models import ChatMessage


@pytest.fixture
def said(order, alice):
    return ChatMessage.objects.create(order=order, sender=alice, message="Is it on its way?")


def test_owner_reads_a_chat_and_deletes_nothing_of_it(olgas, said):
    path = "/admin/support/chatmessage/"
    assert "Is it on its way?" in olgas.get(f"{path}{said.pk}/change/").content.decode()
    assert olgas.post(f"{path}{said.pk}/delete/", {"post": "yes"}).status_code == 403
    olgas.post(path, {"action": "delete_selected", "_selected_action": [said.pk], "post": "yes"})
    assert ChatMessage.objects.count() == 1


def test_order_is_deleted_with_what_tells_of_it(olgas, order, said):
    webhook = Webhook.objects.create(url="https://dispatch.example/hook")
    WebhookDelivery.objects.create(webhook=webhook, kind=WebhookDelivery.Kind.ORDER_PAID, order=order)
    olgas.post(f"/admin/shop/order/{order.pk}/delete/", {"post": "yes"})
    assert not Order.objects.exists()
    assert not ChatMessage.objects.exists()

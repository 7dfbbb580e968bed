"""What owners alone do with orders and the chats about them."""

import pytest

from shop.models import Order
from staff.models import Webhook, WebhookDelivery
from support.models import ChatMessage
from tests.factories import ProductFactory
from tests.staff.forms import form_of


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


@pytest.mark.parametrize(("status", "lines", "becomes"), [("20", "30", 30), ("20", "10", 20), ("10", "30", 10)])
def test_order_that_an_owner_writes_down_completes_itself(olgas, alice, status, lines, becomes):
    path, book = "/admin/shop/order/add/", ProductFactory()
    fields = form_of(olgas.get(path), "order_form") | {"user": alice.email, "status": status, "lines-TOTAL_FORMS": "2"}
    for kind in ("billing", "shipping"):
        address = {"name": "Jane", "address1": "1 Road", "zip_code": "LS1", "city": "Leeds", "country": "uk"}
        fields |= {f"{kind}_{part}": text for part, text in address.items()}
    for n in range(2):
        fields |= {f"lines-{n}-product": book.pk, f"lines-{n}-status": lines, f"lines-{n}-price": "1.00"}
    olgas.post(path, fields)
    assert Order.objects.get().status == becomes

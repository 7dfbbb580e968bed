"""Owners register webhooks, read the answers, resend, and hand out tokens."""

import pytest
from django.contrib import admin
from django.urls import include, path
from rest_framework.authtoken.models import Token

from shop.models import Order
from staff.api.admin import WebhookDeliveryAdmin
from staff.models import Webhook, WebhookDelivery
from tests.factories import OrderFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]
urlpatterns = [path("admin/", admin.site.urls), path("", include("booktime.urls"))]


@pytest.fixture
def delivery(olga, settings) -> WebhookDelivery:
    """Given up long ago: nobody listens there."""
    settings.WEBHOOKS_ALLOW_PRIVATE = True
    Webhook.objects.create(url="http://127.0.0.1:9/")
    OrderFactory(user=olga, status=Order.PAID)
    delivery = WebhookDelivery.objects.get()
    delivery.give_up("Connection refused")
    return delivery


@pytest.fixture
def owner(client, olga):
    client.force_login(olga)
    return client


def test_private_address_is_refused_in_the_form(owner):
    form = {"url": "https://169.254.169.254/latest/", "secret": "s", "active": "on"}
    page = owner.post("/admin/staff/webhook/add/", form)
    assert page.status_code == 200
    assert "private network" in page.content.decode()
    assert not Webhook.objects.exists()


def test_public_address_is_registered_with_a_secret_of_its_own(owner):
    page = owner.get("/admin/staff/webhook/add/")
    secret = page.context["adminform"].form["secret"].value()
    assert len(secret) >= 32
    assert (
        owner.post(
            "/admin/staff/webhook/add/", {"url": "https://93.184.215.14/hook", "secret": secret, "active": "on"}
        ).status_code
        == 302
    )
    assert Webhook.objects.get().secret == secret


def test_answers_are_listed_and_cannot_be_edited(owner, delivery):
    for query in ("", "?state=given-up", f"?q={delivery.order_id}", f"?q={delivery.event_id}"):
        assert str(delivery.event_id) in owner.get(f"/admin/staff/webhookdelivery/{query}").content.decode()
    assert str(delivery.event_id) not in owner.get("/admin/staff/webhookdelivery/?state=waiting").content.decode()
    page = owner.get(f"/admin/staff/webhookdelivery/{delivery.pk}/change/").content.decode()
    assert "Connection refused" in page
    assert 'name="answer"' not in page


def test_resend_button_posts_again(owner, delivery):
    path = f"/admin/staff/webhookdelivery/{delivery.pk}/change/"
    assert 'name="_resend"' in owner.get(path).content.decode()
    assert owner.post(path, {"_resend": "Resend"}, follow=True).status_code == 200
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("waiting", 1)


def test_selected_deliveries_are_resent(owner, delivery):
    owner.post("/admin/staff/webhookdelivery/", {"action": "resend", "_selected_action": [delivery.pk]})
    delivery.refresh_from_db()
    assert delivery.attempts == 1


def test_tokens_are_made_shown_and_revoked(owner, carrier_company):
    owner.post("/admin/authtoken/tokenproxy/add/", {"user": carrier_company.pk})
    key = Token.objects.get(user=carrier_company).key
    assert key in owner.get("/admin/authtoken/tokenproxy/").content.decode()
    owner.post(f"/admin/authtoken/tokenproxy/{carrier_company.pk}/delete/", {"post": "yes"})
    assert not Token.objects.exists()


def test_staff_who_are_no_owners_see_none_of_it(client, dan, delivery):
    client.force_login(dan)
    for name in ("webhook", "webhookdelivery"):
        assert client.get(f"/admin/staff/{name}/").status_code in (302, 403)
    assert client.post(f"/admin/staff/webhookdelivery/{delivery.pk}/change/", {"_resend": "x"}).status_code in (
        302,
        403,
    )
    delivery.refresh_from_db()
    assert delivery.state == "given up"


def test_deliveries_are_registered():
    assert isinstance(admin.site._registry[WebhookDelivery], WebhookDeliveryAdmin)

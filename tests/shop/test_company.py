"""Who sells stands at the foot of every page and mail."""

import pytest

from shop.mail.outgoing import queue_mail
from shop.models import Company, OutgoingMail
from tests.factories import OrderFactory, OrderLineFactory, ProductFactory

pytestmark = pytest.mark.django_db
LINE = "Foyle &amp; Söhne, 1 High Street, Bristol, VAT number GB 1, us@foyle.example"


@pytest.fixture
def company():
    company = Company(
        name="Foyle & Söhne", address="1 High Street\nBristol", vat_number="GB 1", email="us@foyle.example"
    )
    company.save()
    return company


PAGES = ["/", "/about-us/", "/contact-us/", "/products/all/", "/product/emma/", "/basket/", "/orders/", "/orders/{}/"]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_says_who_sells_as_it_is_now(alices, alice, company, path):
    ProductFactory(name="Emma", slug="emma")
    order = OrderLineFactory(order=OrderFactory(user=alice)).order
    for name in ("Foyle & Söhne", "Nobody’s Books"):
        Company.objects.update(name=name)
        page = alices.get(path.format(order.pk)).content.decode()
        assert LINE.replace("Foyle &amp; Söhne", name.replace("&", "&amp;")) in page


def test_company_of_which_nothing_is_known_is_not_named(client):
    assert "site-footer__company" not in client.get("/").content.decode()


def test_mails_say_who_sells(company):
    queue_mail("test-1", "alice@example.com", "contact", {"name": "Alice", "message": "Where is it?"})
    mail = OutgoingMail.objects.get(key="test-1")
    assert LINE in mail.html and LINE.replace("&amp;", "&") in mail.text


def test_there_is_one(company):
    Company.objects.create(name="Another")
    assert [each.name for each in Company.objects.all()] == ["Another"]

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from shop.models import Order, User
from tests.factories import OrderFactory, OrderLineFactory, ProductFactory, UserFactory


@pytest.fixture
def carrier_company(db: None) -> User:
    """The dispatch company's account: the two permissions and nothing else."""
    user = UserFactory(email="dispatch@parcels.example")
    user.user_permissions.set(Permission.objects.filter(codename__in=["change_order", "change_orderline"]))
    return user


@pytest.fixture
def dispatch(carrier_company: User) -> APIClient:
    """A client with the dispatch company's token, speaking JSON."""
    return api_client_of(carrier_company)


@pytest.fixture
def paid_order(alice: User) -> Order:
    """Alice's paid order of Emma and Persuasion."""
    order = OrderFactory(user=alice, status=Order.PAID)
    for name in ("Emma", "Persuasion"):
        OrderLineFactory(order=order, product=ProductFactory(name=name))
    return order


def api_client_of(user: User) -> APIClient:
    client = APIClient()
    client.default_format = "json"
    client.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.get_or_create(user=user)[0].key}")
    return client


@pytest.fixture
def order(alice: User) -> Order:
    """Alice's new order of three books, billed to another place than it is sent to."""
    order = OrderFactory(
        user=alice,
        billing_name="Secret Payer",
        billing_address1="9 Hidden Court",
        billing_zip_code="ZZ9 9ZZ",
        billing_city="Moneytown",
        shipping_name="Jane Eyre",
    )
    for _ in range(3):
        OrderLineFactory(order=order, price="12.34")
    return order


@pytest.fixture
def parcel(order: Order) -> Order:
    """The same, paid: what dispatch sends out."""
    order.mark_paid()
    return order


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is noon and stays so: no day ends between what a test does and what it looks at."""
    moment = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)
    monkeypatch.setattr(timezone, "now", lambda: moment)

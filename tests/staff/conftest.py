import pytest
from django.contrib.auth.models import Permission
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
    return client_of(carrier_company)


@pytest.fixture
def paid_order(alice: User) -> Order:
    """Alice's paid order of Emma and Persuasion."""
    order = OrderFactory(user=alice, status=Order.PAID)
    for name in ("Emma", "Persuasion"):
        OrderLineFactory(order=order, product=ProductFactory(name=name))
    return order


def client_of(user: User) -> APIClient:
    client = APIClient()
    client.default_format = "json"
    client.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.get_or_create(user=user)[0].key}")
    return client

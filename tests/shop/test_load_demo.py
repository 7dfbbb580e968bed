from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from PIL import Image

from shop.models import Order, OrderLine, Product, ProductImage, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def quick_covers(monkeypatch) -> None:
    """Drawing is tested on its own; here any picture of a different colour will do."""
    monkeypatch.setattr(
        "shop.demo.loading.draw_cover",
        lambda title, author, variant: Image.new("RGB", (60, 90), f"#{hash((title, author, variant)) % 0xFFFFFF:06x}"),
    )


def load(*options: str) -> str:
    output = StringIO()
    call_command("load_demo", *options, stdout=output)
    return output.getvalue()


@pytest.fixture
def demo(quick_covers, settings) -> str:
    settings.IS_DEMO = True
    return load()


def test_the_demo_is_a_shop_with_people_and_a_past(demo) -> None:
    assert Product.objects.active().count() >= 60
    assert not Product.objects.filter(images=None).exists()
    assert ProductImage.objects.filter(position=2).count() >= 20
    assert User.objects.filter(addresses__isnull=False).distinct().count() >= 10
    orders = Order.objects.order_by("pk")
    assert len(orders) >= 25
    assert {order.status for order in orders} == {Order.NEW, Order.PAID, Order.DONE}
    assert set(OrderLine.objects.values_list("status", flat=True)) == set(OrderLine.Status.values)
    dates = [order.date_added for order in orders]
    assert dates == sorted(dates)
    assert 90 < (dates[-1] - dates[0]).days <= 121
    assert all(order.date_updated >= order.date_added for order in orders)
    assert mail.outbox == []


def test_an_order_is_done_when_all_its_lines_are_closed_and_only_then(demo) -> None:
    for order in Order.objects.exclude(status=Order.NEW):
        closed = all(line.status in OrderLine.CLOSED for line in order.lines.all())
        assert closed == (order.status == Order.DONE)


def test_each_role_can_log_in_with_what_is_printed(demo, client) -> None:
    roles = {}
    for line in demo.splitlines():
        if "@" in line:
            role, email, password = line.split()
            user = roles[role] = User.objects.get(email=email)
            assert user.check_password(password)
    assert set(roles) == {"shopper", "employee", "dispatcher", "owner"}
    assert roles["employee"].is_employee and not roles["employee"].is_dispatcher
    assert roles["dispatcher"].is_dispatcher and not roles["dispatcher"].is_employee
    assert roles["owner"].is_superuser
    assert not roles["shopper"].is_staff
    assert roles["shopper"].orders.count() >= 3
    assert roles["shopper"].addresses.count() == 2


def test_it_is_loaded_once(demo) -> None:
    before = [model.objects.count() for model in (Product, ProductImage, User, Order)]
    assert "already" in load()
    assert [model.objects.count() for model in (Product, ProductImage, User, Order)] == before


def test_a_server_refuses_the_demos_passwords_unless_forced(quick_covers, settings) -> None:
    settings.IS_DEMO = False
    with pytest.raises(CommandError, match="--force"):
        load()
    assert not User.objects.exists()
    load("--force")
    assert User.objects.exists()


def test_who_wants_no_words_gets_none(quick_covers, settings) -> None:
    settings.IS_DEMO = True
    assert load("--verbosity", "0") == ""
    assert Product.objects.exists()

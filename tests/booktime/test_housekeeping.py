"""What nobody needs any more goes, what somebody still needs stays, and nobody waits for it."""

import threading
from datetime import timedelta
from io import StringIO

import pytest
from axes.models import AccessAttempt
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.management import call_command
from django.db import OperationalError, transaction
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from booktime import housekeeping
from booktime.housekeeping import SWEEPS, sweep, sweep_when_due
from booktime.worker import catch_up
from shop.mail.outgoing import queue_mail
from shop.models import Basket, BasketLine, Housekeeping, Order, OrderLine, OutgoingMail
from staff.models import IdempotencyKey, SalesChange, Webhook, WebhookDelivery
from support.models import DeviceToken, ShipmentNews
from tests.factories import BasketFactory, BasketLineFactory, OrderFactory, OrderLineFactory, ProductFactory
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def ago(**period):
    return timezone.now() - timedelta(**period)


def age(rows, **dates):
    """Make rows as old as `dates` says of each of their columns."""
    rows.update(**{column: ago(days=days) for column, days in dates.items()})


def session(days_left):
    store = SessionStore()
    store["book"] = "Emma"
    store.save()
    Session.objects.filter(pk=store.session_key).update(expire_date=timezone.now() + timedelta(days=days_left))
    return store.session_key


def test_sessions_that_expired_go():
    alive = session(days_left=1)
    for _ in range(3):
        session(days_left=-1)
    assert sweep() == {"expired sessions": 3}
    assert [each.pk for each in Session.objects.all()] == [alive]


def test_session_that_expired_in_the_middle_of_a_request_can_still_be_stored():
    just_now = session(days_left=-0.001)
    sweep()
    assert Session.objects.filter(pk=just_now).exists()


def test_visitors_basket_goes_with_its_lines_a_month_after_its_last_change(client, alice):
    client.post("/add_to_basket/", {"product_id": ProductFactory().pk})
    BasketLineFactory(basket__user=alice)
    age(Basket.objects, date_added=400, date_updated=29)
    assert sweep() == {}
    age(Basket.objects, date_updated=31)
    assert sweep() == {"visitors' baskets": 1}
    assert [line.basket.user for line in BasketLine.objects.all()] == [alice]


def add_a_book(client):
    client.post("/add_to_basket/", {"product_id": ProductFactory().pk})


def choose_three(client):
    client.post(f"/basket/lines/{BasketLine.objects.first().pk}/", {"quantity": "3"})


def take_one_out(client):
    client.post(f"/basket/lines/{BasketLine.objects.first().pk}/remove/")


@pytest.mark.parametrize("change", [add_a_book, choose_three, take_one_out])
def test_visitor_who_changes_an_old_basket_keeps_it(client, change):
    add_a_book(client)
    add_a_book(client)
    age(Basket.objects, date_added=400, date_updated=31)
    change(client)
    assert sweep() == {}
    assert Basket.objects.exists()


def test_visitor_who_returns_after_the_sweep_begins_a_new_basket(client):
    add_a_book(client)
    age(Basket.objects, date_updated=31)
    sweep()
    assert client.get("/basket/").status_code == 200
    add_a_book(client)
    assert "1 book" in client.get("/basket/").content.decode()


@pytest.mark.postgres
def test_visitor_who_returns_at_that_very_moment_keeps_the_basket(monkeypatch):
    basket = BasketFactory(user=None)
    other = BasketFactory(user=None)
    age(Basket.objects, date_updated=31)
    held, swept = threading.Event(), threading.Event()

    def visitor():
        with transaction.atomic():
            Basket.objects.select_for_update().get(pk=basket.pk)
            held.set()
            assert swept.wait(60)
            Basket.objects.filter(pk=basket.pk).update(date_updated=timezone.now())

    def sweeper():
        assert held.wait(60)
        try:
            return sweep()
        finally:
            swept.set()

    assert at_once(visitor, sweeper) == [None, {"visitors' baskets": 1}]
    assert sweep() == {}
    assert Basket.objects.filter(pk=basket.pk).exists() and not Basket.objects.filter(pk=other.pk).exists()


def post_mail(key):
    queue_mail(key, "alice@example.com", "contact", {"name": "Alice", "message": "Hello"}, reply_to="bob@example.com")


def test_sent_mail_tells_nothing_of_the_person_and_is_never_sent_again():
    for key in ("order-7", "signup-again-alice@example.com-2026010112", "yesterdays"):
        post_mail(key)
    age(OutgoingMail.objects.exclude(key="yesterdays"), date_added=31)
    OutgoingMail.objects.filter(key="order-7").update(text="Dear Alice", html="Dear Alice")
    assert sweep() == {"mails": 2}
    kept = [list(each.values()) for each in OutgoingMail.objects.filter(date_added__lt=ago(days=30)).values()]
    assert len(kept) == 2
    assert not any("lice" in str(value) or "bob" in str(value) for row in kept for value in row)
    assert OutgoingMail.objects.get(key="yesterdays").to == "alice@example.com"
    sent = len(mail.outbox)
    post_mail("order-7")
    assert len(mail.outbox) == sent == 3


def test_mail_that_waits_is_left_alone():
    OutgoingMail.objects.create(key="waits", to="alice@example.com")
    OutgoingMail.objects.create(key="given-up", to="alice@example.com", date_given_up=ago(days=40))
    age(OutgoingMail.objects, date_added=41)
    assert sweep() == {"mails": 1}
    assert OutgoingMail.objects.get(key="waits").to == "alice@example.com"


def the_rest(alice, days):
    """One row of each table that has no test of its own, last used so many days ago."""
    order = OrderFactory(user=alice)
    AccessAttempt.objects.create(username="a@b.c", ip_address="192.0.2.1", failures_since_start=3)
    age(AccessAttempt.objects, attempt_time=days)
    IdempotencyKey.objects.create(user=alice, key="k", request="r")
    age(IdempotencyKey.objects, date_added=days)
    webhook = Webhook.objects.create(url="https://parcels.example/")
    WebhookDelivery.objects.create(webhook=webhook, order=order, kind="order.paid", next_attempt=None)
    WebhookDelivery.objects.create(webhook=webhook, order=order, kind="order.cancelled")
    age(WebhookDelivery.objects, date_added=days)
    ShipmentNews.note(order.pk, "In the van")
    age(ShipmentNews.objects, as_of=days)
    DeviceToken.objects.issue(alice, "Phone")
    age(DeviceToken.objects, last_used=days)
    LogEntry.objects.create(user=alice, action_flag=2, object_repr="Bob", action_time=ago(days=days))


def test_what_is_new_stays(alice):
    the_rest(alice, days=0)
    assert sweep() == {}


def test_what_is_old_goes_but_for_an_event_that_is_still_to_be_posted(alice):
    the_rest(alice, days=800)
    assert sweep() == {
        "wrong passwords": 1,
        "idempotency keys": 1,
        "webhook deliveries": 1,
        "carriers' answers": 1,
        "devices": 1,
        "office history": 1,
    }
    assert [delivery.kind for delivery in WebhookDelivery.objects.all()] == ["order.cancelled"]
    assert sweep() == {}


def test_orders_and_what_belongs_to_them_stay_for_good(alice):
    line = OrderLineFactory(order=OrderFactory(user=alice, basket=BasketFactory(user=alice, status=20)))
    BasketLineFactory(basket=line.order.basket)
    for model in (Order, Basket):
        age(model.objects, date_added=4000)
    sweep()
    assert Order.objects.count() == OrderLine.objects.count() == BasketLine.objects.count() == 1


def test_notes_of_changed_orders_are_counted_and_go():
    OrderLineFactory()
    age(Order.objects, date_added=2)
    assert SalesChange.objects.filter(moment__lt=ago(days=1)).exists()
    sweep()
    assert not SalesChange.objects.filter(moment__lt=ago(days=1)).exists()


# Tables that grow with the shop itself, and what each of their rows lives as long as.
STAY = {
    "auth": "groups and permissions",
    "contenttypes": "models",
    "authtoken": "one for an account",
    "axes.AccessFailureLog": "switched off",
    "axes.AccessAttemptExpiration": "goes with its attempt",
    "axes.AccessLog": "switched off (AXES_DISABLE_ACCESS_LOG)",
    "shop.ProductTag": "catalogue", "shop.Author": "catalogue", "shop.Series": "catalogue",
    "shop.Product_tags": "catalogue", "shop.Product": "catalogue", "shop.ProductAuthor": "catalogue",
    "shop.ProductImage": "catalogue", "shop.CatalogueChange": "one row", "shop.Housekeeping": "one row",
    "shop.User": "accounts", "shop.User_groups": "accounts", "shop.User_user_permissions": "accounts",
    "shop.Address": "accounts", "shop.BasketLine": "goes with its basket",
    "shop.Order": "orders", "shop.OrderLine": "orders", "shop.OrderEvent": "orders", "shop.Parcel": "orders",
    "shop.Payment": "orders", "shop.Refund": "orders", "shop.PaymentProblem": "orders",
    "shop.CardDeskSession": "goes with its payment", "shop.Counter": "one row", "shop.Company": "one row",
    "shop.VatRate": "written by people", "shop.StockMove": "orders", "shop.Return": "orders",
    "shop.DeliveryMethod": "written by people",
    "shop.DeliveryBand": "goes with its method",
    "support.Chat": "orders", "support.ChatMessage": "orders", "support.Note": "orders",
    "support.CannedReply": "written by people",
    "staff.DaySales": "one row a day", "staff.ProductSales": "catalogue", "staff.SalesChange": "goes when counted",
    "staff.SalesSummary": "one row", "staff.Webhook": "written by people",
}  # fmt: skip


def test_every_table_is_swept_or_known_to_stay():
    swept = {each.rows().model._meta.label for each in SWEEPS}
    labels = {model._meta.label for model in apps.get_models(include_auto_created=True) if not model._meta.proxy}
    unknown = {label for label in labels - swept if label not in STAY and label.split(".")[0] not in STAY}
    assert unknown == set(), "Say in booktime.housekeeping what becomes of them"


def test_large_heap_goes_piece_by_piece(monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(housekeeping, "PIECE", 10)
    monkeypatch.setattr(housekeeping, "PAUSE", 0)
    pieces = []
    real = housekeeping.Sweep.piece
    monkeypatch.setattr(housekeeping.Sweep, "piece", lambda self: pieces.append(real(self)) or pieces[-1])
    for _ in range(25):
        session(days_left=-1)
    assert sweep() == {"expired sessions": 25}
    assert max(pieces) == 10


def test_workers_turn_ends_and_the_rest_waits_for_the_next(monkeypatch):
    monkeypatch.setattr(housekeeping, "WORKERS_TURN", 0)
    session(days_left=-1)
    sweep_when_due()
    assert Session.objects.count() == 1


def test_table_that_fails_does_not_keep_the_others(monkeypatch, caplog):
    def gone():
        raise OperationalError("gone")

    monkeypatch.setattr(housekeeping, "SWEEPS", (housekeeping.Sweep("gone", gone), *SWEEPS))
    session(days_left=-1)
    assert sweep() == {"expired sessions": 1}
    assert "Not swept, gone: OperationalError" in caplog.text


def test_worker_sweeps_once_an_hour():
    session(days_left=-1)
    catch_up()
    assert not Session.objects.exists()
    session(days_left=-1)
    catch_up()
    assert Session.objects.exists()
    Housekeeping.objects.update(begun=ago(minutes=61))
    catch_up()
    assert not Session.objects.exists()


def test_of_several_workers_one_sweeps():
    Housekeeping.objects.create(pk=1, begun=ago(hours=2))
    assert sorted(at_once(*[Housekeeping.claim] * 4)) == [False, False, False, True]


def test_of_several_workers_one_sweeps_the_first_time_ever():
    assert sorted(at_once(*[Housekeeping.claim] * 4)) == [False, False, False, True]


def test_command_says_what_it_swept():
    session(days_left=-1)
    output = StringIO()
    call_command("sweep", stdout=output)
    call_command("sweep", stdout=output)
    assert output.getvalue() == "Swept: 1 expired sessions.\nSwept: nothing.\n"


def test_visitors_who_keep_no_cookies_fill_the_database_only_so_far(settings):
    settings.NEW_BASKETS_AN_HOUR = 5
    book = ProductFactory(name="Emma")
    answers = [Client().post("/add_to_basket/", {"product_id": book.pk}) for _ in range(8)]
    assert [answer.status_code for answer in answers] == [302] * 5 + [429] * 3
    assert Basket.objects.count() == Session.objects.count() == 5
    assert int(answers[-1]["Retry-After"]) > 0
    assert "Log in to go on, or try again in" in answers[-1].content.decode()
    restored = Client().post(f"/basket/products/{book.pk}/restore/", {"quantity": "2"})
    assert restored.status_code == 422 and Basket.objects.count() == 5


def test_who_keeps_a_basket_is_never_refused(client, alice, settings):
    settings.NEW_BASKETS_AN_HOUR = 1
    books = [ProductFactory().pk for _ in range(4)]
    shopper = Client()
    shopper.force_login(alice)
    for browser in (client, shopper):
        for book in books:
            assert browser.post("/add_to_basket/", {"product_id": book}).status_code == 302
    assert Client().post("/add_to_basket/", {"product_id": books[0]}).status_code == 429
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert elsewhere.post("/add_to_basket/", {"product_id": books[0]}).status_code == 302
    # Where the server knows no address, all visitors would share one.
    for _ in range(3):
        assert Client(REMOTE_ADDR="").post("/add_to_basket/", {"product_id": books[0]}).status_code == 302


def test_refusal_reaches_a_page_that_updates_itself(settings):
    settings.NEW_BASKETS_AN_HOUR = 0
    answer = Client().post("/add_to_basket/", {"product_id": ProductFactory().pk}, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert "Too many baskets were begun" in answer.content.decode()


def test_worker_still_forgets_tasks():
    DBTaskResult.objects.create(
        task_path="x", backend_name="default", queue_name="default", priority=0, status="SUCCESSFUL",
        args_kwargs={"args": [], "kwargs": {}}, finished_at=ago(days=15),
    )  # fmt: skip
    assert sweep() == {"tasks": 1}

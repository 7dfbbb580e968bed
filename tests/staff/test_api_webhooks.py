import hashlib
import hmac
import json
import socket
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from shop.models import Order, OrderLine
from staff import outbound_http
from staff.api import webhooks
from staff.models import Webhook, WebhookDelivery
from tests.factories import OrderFactory, OrderLineFactory

pytestmark = pytest.mark.django_db(transaction=True)


class Listener(HTTPServer):
    """The dispatch company's end: keeps what is posted, and answers with `answers` in turn, the last for ever."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.posts: list[tuple[dict, bytes]] = []
        self.answers: list[tuple[int, dict, bytes]] = [(200, {}, b"thanks")]
        self.url = f"http://127.0.0.1:{self.server_port}/hook?a=b"


class Handler(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append(
            ({name.lower(): text for name, text in self.headers.items()} | {"path": self.path}, body)
        )
        status, headers, text = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        self.send_response(status)
        for name, value in {"Content-Length": len(text), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST

    def log_message(self, *args):
        pass


@pytest.fixture
def listener():
    listener = Listener()
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield listener
    listener.shutdown()
    thread.join()
    listener.server_close()


@pytest.fixture
def webhook(listener, settings) -> Webhook:
    settings.WEBHOOKS_ALLOW_PRIVATE = True
    return Webhook.objects.create(url=listener.url)


@pytest.fixture
def order(alice) -> Order:
    return OrderLineFactory(order=OrderFactory(user=alice)).order


def test_payment_is_posted_signed_and_without_personal_data(webhook, listener, order):
    order.mark_paid()
    [(headers, body)] = listener.posts
    event = json.loads(body)
    assert event["type"] == "order.paid"
    assert event["order"] == {"id": order.pk, "path": f"/api/orders/{order.pk}/"}
    assert event["id"] == headers["booktime-event-id"]
    assert headers["path"] == "/hook?a=b"
    signed = headers["booktime-timestamp"].encode() + b"." + body
    signature = hmac.new(webhook.secret.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["booktime-signature"] == f"sha256={signature}"
    assert abs(int(headers["booktime-timestamp"]) - timezone.now().timestamp()) < 60
    assert b"Jane" not in body and b"alice" not in body
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.status_code, delivery.answer) == ("delivered", 200, "thanks")


def test_each_way_of_becoming_paid_is_announced_once(webhook, listener, order, dispatch):
    order.status = Order.PAID  # as a form does
    order.save()
    order.save()
    order.mark_paid()
    assert len(listener.posts) == 1
    OrderFactory(status=Order.PAID)
    assert len(listener.posts) == 2


def test_cancelling_a_paid_order_is_announced_once(webhook, listener, order):
    order.mark_paid()
    order.cancel()
    order.cancel()
    assert [json.loads(body)["type"] for _, body in listener.posts] == ["order.paid", "order.cancelled"]


def test_an_unpaid_order_is_none_of_dispatchs_business(webhook, listener, order):
    order.cancel()
    assert listener.posts == []


def test_what_is_rolled_back_is_not_announced(webhook, listener, order):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        order.mark_paid()
        raise ZeroDivisionError
    assert listener.posts == []
    assert not WebhookDelivery.objects.exists()


def test_webhook_that_is_off_hears_nothing(webhook, listener, order):
    Webhook.objects.update(active=False)
    order.mark_paid()
    assert listener.posts == []


def test_failure_is_retried_with_growing_pauses_for_a_day(webhook, listener, order):
    listener.answers = [(500, {}, b"try later")]
    order.mark_paid()
    delivery = WebhookDelivery.objects.get()
    waited = []
    for attempt in range(1, 8):
        delivery.refresh_from_db()
        assert (delivery.state, delivery.attempts, delivery.answer) == ("waiting", attempt, "try later")
        waited.append(delivery.next_attempt - timezone.now())
        webhooks.post_delivery.call(delivery.pk, attempt)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("given up", 8)
    assert waited == sorted(waited)
    assert timedelta(hours=23.9) < sum(waited, timedelta()) <= timedelta(days=1)
    assert len({headers["booktime-event-id"] for headers, _ in listener.posts}) == 1
    assert len({body for _, body in listener.posts}) == 1
    assert len(listener.posts) == 8


def test_success_ends_the_attempts(webhook, listener, order):
    listener.answers = [(503, {}, b""), (204, {}, b"")]
    order.mark_paid()
    delivery = WebhookDelivery.objects.get()
    for attempt in (1, 1, 2, 3):
        webhooks.post_delivery.call(delivery.pk, attempt)
    assert len(listener.posts) == 2
    delivery.refresh_from_db()
    assert (delivery.state, delivery.status_code) == ("delivered", 204)


def test_each_attempt_is_made_once(webhook, listener, order):
    listener.answers = [(500, {}, b"")]
    order.mark_paid()
    webhooks.post_delivery.call(WebhookDelivery.objects.get().pk, 0)
    assert len(listener.posts) == 1


def test_worker_is_told_in_the_same_transaction(webhook, listener, order, settings):
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    from django_tasks_db.models import DBTaskResult

    posts = DBTaskResult.objects.filter(task_path__endswith="post_delivery")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        order.mark_paid()
        assert posts.exists()
        raise ZeroDivisionError
    assert not posts.exists()
    Order.objects.get(pk=order.pk).mark_paid()
    delivery = WebhookDelivery.objects.get()
    assert posts.get().run_after == delivery.next_attempt
    listener.answers = [(500, {}, b"")]
    webhooks.post_delivery.call(delivery.pk, 0)
    delivery.refresh_from_db()
    assert posts.filter(run_after=delivery.next_attempt).count() == 1


def test_resending_posts_the_same_event_again(webhook, listener, order):
    order.mark_paid()
    webhooks.resend(WebhookDelivery.objects.get())
    first, second = (json.loads(body) for _, body in listener.posts)
    assert first == second


def test_redirects_are_not_followed(webhook, listener, order):
    listener.answers = [(302, {"Location": f"http://127.0.0.1:{listener.server_port}/secret"}, b"")]
    order.mark_paid()
    assert [headers["path"] for headers, _ in listener.posts] == ["/hook?a=b"]
    assert WebhookDelivery.objects.get().status_code == 302
    assert WebhookDelivery.objects.get().state == "waiting"


def test_of_a_long_answer_only_the_beginning_is_kept(webhook, listener, order):
    listener.answers = [(200, {}, b"\0x" * 1_000_000)]
    order.mark_paid()
    assert len(WebhookDelivery.objects.get().answer) <= WebhookDelivery.ANSWER_LENGTH


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_nonsense_is_a_failed_attempt_and_not_an_error(settings, order, answer):
    settings.WEBHOOKS_ALLOW_PRIVATE = True
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer_once():
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=answer_once)
        thread.start()
        Webhook.objects.create(url=f"http://127.0.0.1:{server.getsockname()[1]}/")
        order.mark_paid()
        thread.join()
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.status_code) == ("waiting", None)
    assert delivery.answer


def test_endless_answer_is_hung_up_on(settings, order, monkeypatch):
    settings.WEBHOOKS_ALLOW_PRIVATE = True
    monkeypatch.setattr(outbound_http, "DEADLINE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip():
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                try:
                    connection.sendall(b"HTTP/1.1 200 OK\r\n")
                    while True:
                        connection.sendall(b"X: y\r\n")
                        threading.Event().wait(0.05)
                except OSError:
                    pass

        thread = threading.Thread(target=drip)
        thread.start()
        Webhook.objects.create(url=f"http://127.0.0.1:{server.getsockname()[1]}/")
        order.mark_paid()
        thread.join(10)
    assert WebhookDelivery.objects.get().state == "waiting"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "2130706433", "0x7f.1", "[::1]", "[::]", "[fe80::1]", "[fec0::1]",
        "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[2002:7f00:1::]", "[64:ff9b::7f00:1]", "[ff02::1]",
        "[64:ff9b::a9fe:a9fe]", "[::127.0.0.1]", "[fc00::1]",
        # What some releases of Python hold for public.
        "192.0.0.192", "192.0.0.9", "192.88.99.1", "[3fff::1]", "[3fff:fff::1]", "[5f00::1]", "[64:ff9b:1::1]",
        "[100::1]", "[100:0:0:1::1]", "[2001::1]", "[2001:db8::1]", "[2002:c000:c0::]", "[4000::1]", "[::]",
    ],
)  # fmt: skip
def test_private_addresses_are_refused(listener, order, host):
    url = f"https://{host}:{listener.server_port}/"
    with pytest.raises(ValidationError) as error:
        Webhook(url=url).clean()
    assert "url" in error.value.message_dict
    Webhook.objects.create(url=url)
    order.mark_paid()
    assert listener.posts == []
    assert "private" in WebhookDelivery.objects.get().answer


@pytest.mark.parametrize(
    "url",
    [
        "http://93.184.215.14/",
        "ftp://93.184.215.14/",
        "https://user:pass@93.184.215.14/",
        "https://:443/",
        "https://a:b/",
    ],
)
def test_odd_urls_are_refused(url):
    with pytest.raises(ValidationError):
        Webhook(url=url).clean()


def test_public_address_is_accepted():
    Webhook(url="https://93.184.215.14/hook").clean()


def test_name_that_turns_private_is_not_posted_to(listener, order, monkeypatch):
    """The address that was checked is the one connected to: a name is asked for once."""
    asked = []

    def rebind(host, port, **kwargs):
        asked.append(host)
        ip = "93.184.215.14" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port))]

    connected = []

    def connect(address, *args, **kwargs):
        connected.append(address)
        raise OSError("nobody there")

    Webhook.objects.create(url=f"https://rebind.example:{listener.server_port}/")
    monkeypatch.setattr(socket, "getaddrinfo", rebind)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(OSError, match="nobody"):
        outbound_http.post(Webhook.objects.get().url, b"{}", {})
    assert connected == [("93.184.215.14", listener.server_port)]
    assert asked == ["rebind.example"]
    with pytest.raises(outbound_http.ForbiddenAddress):
        outbound_http.post(Webhook.objects.get().url, b"{}", {})


def test_certificate_is_checked_for_the_name(listener, settings):
    settings.WEBHOOKS_ALLOW_PRIVATE = True
    with pytest.raises(OSError, match=r"(?i)ssl|eof"):
        outbound_http.post(listener.url.replace("http:", "https:"), b"{}", {})


def kinds(listener):
    return [json.loads(body)["type"] for _, body in listener.posts]


def test_dispatcher_marking_lines_is_no_cancellation(webhook, listener, order):
    order.mark_paid()
    order.lines.get().mark(OrderLine.CANCELLED)
    assert kinds(listener) == ["order.paid", "order.updated"]


def first(order):
    return order.lines.open().first()


def send_one(order, client):
    client.post(
        f"/api/orders/{order.pk}/parcels/", {"carrier": "DHL", "tracking_number": "", "lines": [first(order).pk]}
    )


@pytest.mark.parametrize(
    "change",
    [
        send_one,
        lambda order, client: client.patch(f"/api/orders/{order.pk}/", {"shipping_city": "York"}),
        lambda order, client: first(order).mark(OrderLine.SENT),
        lambda order, client: order.mark_lines({first(order).pk: OrderLine.CANCELLED}),
        lambda order, client: first(order).delete(),
        lambda order, client: OrderLineFactory(order=order),
    ],
)
def test_change_of_a_paid_order_is_announced_each_time(webhook, listener, order, dispatch, change):
    OrderLineFactory.create_batch(3, order=order)
    change(order, dispatch)
    assert kinds(listener) == []
    order.mark_paid()
    change(order, dispatch)
    assert kinds(listener) == ["order.paid", "order.updated"]
    dispatch.patch(f"/api/orders/{order.pk}/", {"shipping_city": "Hull"})
    assert kinds(listener) == ["order.paid", "order.updated", "order.updated"]
    assert len({json.loads(body)["id"] for _, body in listener.posts}) == 3


def test_what_the_shopper_pays_with_or_the_same_address_is_no_change(webhook, listener, order, dispatch):
    order.mark_paid()
    dispatch.patch(f"/api/orders/{order.pk}/", {"shipping_city": order.shipping_city})
    order.billing_city = "Hull"
    order.save(update_fields=["billing_city"])
    order.lines.first().mark(OrderLine.PROCESSING)
    assert kinds(listener) == ["order.paid"]


def test_burst_of_changes_is_told_once_and_what_comes_later_again(webhook, listener, order, settings):
    order.mark_paid()
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    lines = OrderLineFactory.create_batch(3, order=order)
    for line in lines:
        line.mark(OrderLine.SENT)
    delivery = WebhookDelivery.objects.get(kind="order.updated")
    assert timedelta() < delivery.next_attempt - timezone.now() <= WebhookDelivery.BURST
    webhooks.post_delivery.call(delivery.pk, 0)
    order.lines.first().mark(OrderLine.CANCELLED)
    assert WebhookDelivery.objects.filter(kind="order.updated").count() == 2
    webhooks.resend(delivery)
    assert WebhookDelivery.objects.untried().count() == 2


def test_cancelled_order_has_no_other_news(webhook, listener, order):
    order.mark_paid()
    with transaction.atomic():
        order.shipping_city = "York"
        order.save(update_fields=["shipping_city"])
        order.cancel()
    assert kinds(listener) == ["order.paid", "order.cancelled"]

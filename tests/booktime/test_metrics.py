from datetime import timedelta
from ipaddress import ip_network

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult, get_date_max
from prometheus_client import REGISTRY

from booktime.observing import metrics
from shop.models import OutgoingMail


def scope_of(address, *headers):
    return {"client": [address, 5000] if address else None, "headers": [(name, b"127.0.0.1") for name in headers]}


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.1.2.3"])
def test_address_on_the_list_is_allowed(settings, address):
    settings.METRICS_ALLOWED = [ip_network(network) for network in ("127.0.0.1", "::1", "10.0.0.0/8")]
    assert metrics.is_allowed(scope_of(address, b"user-agent"))


@pytest.mark.parametrize("address", ["127.0.0.2", "192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", "nonsense", None])
def test_any_other_address_is_not(address):
    assert not metrics.is_allowed(scope_of(address))


@pytest.mark.parametrize("header", [b"x-forwarded-for", b"X-Forwarded-Proto", b"forwarded", b"x-real-ip", b"via"])
def test_whoever_comes_through_a_proxy_is_not_whatever_it_calls_itself(header):
    assert not metrics.is_allowed(scope_of("127.0.0.1", header))


def requests_counted(**labels):
    return REGISTRY.get_sample_value("booktime_request_seconds_count", labels) or 0


@pytest.mark.django_db
def test_requests_are_counted_by_route_and_not_by_path(client):
    before = requests_counted(view="product_list", method="GET", status="404")
    client.get("/products/one/"), client.get("/products/another/")
    assert requests_counted(view="product_list", method="GET", status="404") == before + 2


@pytest.mark.django_db
def test_what_visitors_make_up_is_counted_under_one_name(client):
    before = requests_counted(view="none", method="other", status="404")
    client.generic("BREW", "/coffee/1/"), client.generic("DRINK", "/coffee/2/")
    assert requests_counted(view="none", method="other", status="404") == before + 2


def task(status="READY", run_after=None):
    return DBTaskResult.objects.create(
        status=status,
        run_after=run_after or get_date_max(),
        task_path="shop.mail.outgoing.deliver",
        backend_name="default",
        args_kwargs={"args": [], "kwargs": {}},
    )


@pytest.mark.django_db
def test_tasks_and_mail_are_counted_in_the_database(monkeypatch):
    monkeypatch.setattr(metrics.connection, "close", lambda: None)
    now = timezone.now()
    old = task()
    DBTaskResult.objects.filter(pk=old.pk).update(enqueued_at=now - timedelta(seconds=300))
    task(run_after=now - timedelta(seconds=10)), task(run_after=now + timedelta(hours=1))
    task("RUNNING"), task("FAILED"), task("FAILED"), task("SUCCESSFUL")
    OutgoingMail.objects.create(key="a", to="a@example.com")
    OutgoingMail.objects.create(key="b", to="a@example.com", date_sent=now)
    found = metrics.ask_database().get_sample_value
    states = {state: found("booktime_tasks", {"state": state}) for state in ("queued", "planned", "running", "failed")}
    assert states == {"queued": 2, "planned": 1, "running": 1, "failed": 2}
    assert 300 <= found("booktime_oldest_task_seconds") < 330
    assert found("booktime_mails_pending") == 1
    assert found("booktime_webhooks_pending") == 0
    assert found("booktime_database_up") == 1

"""What nobody sends by accident, to every address of the site: an answer in words, never a server error."""

import re
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import get_resolver

from tests.addresses import PARAMETER, a_shop, every_address, patterns

pytestmark = pytest.mark.django_db

NUL, HUGE = "%00", "9" * 40
QUERIES = {
    "NUL": "&".join(f"{name}=a{NUL}b" for name in (
        "q", "page", "p", "o", "sort", "image", "next", "format", "since", "before", "order", "status", "token", "term",
        "reply", "user__email__icontains", "date_added__gt", "app_label", "model_name", "field_name", "all", "e",
        "shipping_country__exact", "active__exact", "tags__id__exact", "date_added__year", "_popup", "_to_field",
        "_changelist_filters",
    )),
    "huge": "&".join(f"{name}={HUGE}" for name in (
        "q", "page", "p", "o", "image", "since", "before", "order", "status", "reply", "date_added__year", "id__exact",
        "tags__id__exact", "pk", "date_added__month", "date_added__day",
    )),
    "no UTF-8": "q=%FF%FE&page=%C0%80&user__email__icontains=%ED%A0%80&next=%FF",
    "long": "q=" + "x" * 9000,
    "twice": "q=a&q=b&page=1&page=x&status=10&status=z&order=1&order=&o=1&o=2",
    "lookups": "user__password__startswith=p&billing_name__startswith=a&q__icontains=x&__=1&pk__in=1,x&id=abc",
    "line breaks": "next=/%0d%0aSet-Cookie:%20a=b&q=%0d%0aX-Evil:%201&page=1%0a",
}  # fmt: skip


@pytest.fixture
def shop(olga, blank_papers):
    return a_shop(olga)


class Probe:
    """Asks as a visitor and as an owner, and notes what failed, so that one run tells of everything."""

    def __init__(self, olga):
        self.visitor, self.owner = Client(headers={"Accept": "text/html"}), Client(headers={"Accept": "text/html"})
        self.owner.force_login(olga)
        self.failures = []

    def ask(self, method, path, *args):
        # A visitor is led away from all of the offices alike.
        for browser in (self.owner,) if "admin/" in path and "/login" not in path else (self.visitor, self.owner):
            try:
                response = getattr(browser, method)(path, *args)
            except Exception as error:
                self.failures.append(f"{method} {path}: {error!r}")
                continue
            # Without a carrier its page says 502.
            if response.status_code >= 500 and response.status_code != 502:
                self.failures.append(f"{method} {path}: {response.status_code}")
            if "X-Evil" in response.headers or "evil" in response.cookies:
                self.failures.append(f"{method} {path}: a header of the visitor's")


@pytest.fixture
def probe(olga):
    probe = Probe(olga)
    yield probe
    assert not probe.failures, "\n".join(failure[-400:] for failure in probe.failures)


@pytest.mark.parametrize("kind", QUERIES)
def test_strange_query_is_answered_everywhere(shop, probe, kind):
    for path in every_address(shop):
        if "/logout" not in path:
            probe.ask("get", f"{path}?{QUERIES[kind]}")


@pytest.mark.parametrize("value", [f"a{chr(0)}b", HUGE, "\udcff", "../../etc/passwd", "%2e%2e%2f", "a\r\nb", "-1"])
def test_strange_value_in_a_path_is_answered(probe, value):
    sent = quote(value, errors="surrogateescape")
    for pattern in set(patterns(get_resolver().url_patterns)):
        if "<" in pattern:
            probe.ask("get", "/" + re.sub(r"[\^$]", "", PARAMETER.sub(sent, pattern)))


FIELDS = ("message", "text", "client_id", "instead_of", "username", "device", "product_id", "quantity", "action")


@pytest.mark.parametrize("value", ["a\0b", HUGE, "\ufffd\ufffe", "x" * 5000], ids=lambda value: repr(value[:9]))
def test_strange_form_is_answered_everywhere(shop, probe, value):
    """Every field that a page lets one write in, and those that scripts and programs send."""
    for path in every_address(shop):
        if "/logout" in path or "/password" in path:
            continue
        page = probe.owner.get(path)
        html = "" if page.streaming else page.content.decode(errors="replace")
        names = set(re.findall(r'<(?:input(?! type="hidden")|textarea)[^>]* name="([\w-]+)"', html)).union(FIELDS)
        counts = dict(re.findall(r'name="([\w-]+_FORMS)" value="(\d+)"', html))
        probe.ask("post", path, {**dict.fromkeys(names - {"csrfmiddlewaretoken"}, value), **counts})


@pytest.mark.once
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"[" * 100_000),
        (
            "application/json",
            b'{"username": {"a": []}, "password": 1, "message": ["x"], "client_id": {}, "status": {}}',
        ),
        ("application/json", b"\xff\xfe\0"),
        ("application/x-www-form-urlencoded", b"a=1&" * 2000),
        ("multipart/form-data; boundary=x", b"--x\r\n"),
        ("multipart/form-data", b"x"),
    ],
    ids=lambda body: repr(body[:20]),
)
def test_strange_body_is_answered_everywhere(shop, probe, kind, body):
    for path in every_address(shop):
        for method in ("post", "put", "patch") if path.startswith("/api/") else ("post",):
            if "admin/" not in path or path.endswith(("/login/", "product/add/")):
                probe.ask(method, path, body, kind)

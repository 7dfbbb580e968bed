"""What daphne takes in before the site is asked: bodies up to a limit, and no header that is only a proxy's to send."""

import http.client
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.servers import Daphne, wait_until

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daphne]:
    """The demo, as behind a proxy."""
    server = Daphne(tmp_path_factory.mktemp("intake"), options=("--proxy-headers",))
    server.manage("migrate", "--verbosity", "0")
    with server:
        yield server


def ask(server, method, path, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    try:
        connection.request(method, path, body=body, headers=headers, encode_chunked=not isinstance(body, bytes))
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()
    finally:
        connection.close()


def bytes_held(server) -> int:
    """How much of what it was sent lies in temporary files, or else in memory, above what it needs itself."""
    held = 0
    for file in Path(f"/proc/{server.process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed while we look
            held += file.stat().st_size if "(deleted)" in os.readlink(file) else 0
    return held


def resident(server) -> int:
    return int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("chunked", [False, True])
def test_too_large_a_body_is_refused_with_a_page_and_not_kept(site, chunked):
    # What the first such request brings into memory for good is not meant.
    ask(site, "POST", "/login/", b"x" * 3 * MEGABYTE)
    before = resident(site)
    held = []

    def pieces():
        for _ in range(30):
            yield b"x" * MEGABYTE
            held.append(bytes_held(site))

    length = {} if chunked else {"Content-Length": str(30 * MEGABYTE)}
    status, headers, page = ask(site, "POST", "/login/", pieces(), **length)
    assert (status, headers["X-Content-Type-Options"]) == (413, "nosniff")
    assert "frame-ancestors" in headers["Content-Security-Policy"]
    assert "That is too large" in page
    assert max(held) <= 3 * MEGABYTE
    assert resident(site) - before < 15 * MEGABYTE


@pytest.mark.parametrize("path", ["/healthz", "/customer-service/notify/", "/mobile-api/my-orders/1/tracker/"])
def test_asynchronous_pages_keep_no_body_either(site, path):
    assert ask(site, "POST", path, iter([b"x" * MEGABYTE] * 4))[0] == 413


def test_form_is_read_by_the_page_and_not_by_who_takes_it_in(site):
    """There it would be read while everybody waits; it would be refused there, too, where it is broken."""
    _, headers, _ = ask(site, "POST", "/login/", b"x", **{"Content-Type": "multipart/form-data"})
    # Who takes it in gives none.
    assert headers["X-Request-ID"]


def test_program_is_told_in_json(site):
    status, headers, text = ask(site, "POST", "/mobile-api/auth/", b"x" * 3 * MEGABYTE)
    assert (status, headers["Content-Type"]) == (413, "application/json")
    assert text == '{"detail": "That is more than is taken here."}'


def test_endless_body_is_cut_off(site):
    with (
        pytest.raises(OSError),
        socket.create_connection(("127.0.0.1", site.port), timeout=120) as client,
    ):
        client.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(200):
            client.sendall(b"F4240\r\n" + b"x" * MEGABYTE + b"\r\n")
    assert ask(site, "GET", "/about-us/")[0] == 200


MAKE_PEOPLE = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from shop.models import User
for name, staff in (("olga", True), ("alice", False)):
    user = User.objects.create_user(f"{name}@example.com", "x", is_staff=staff, is_superuser=staff)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session.save()
    print("session of", name, session.session_key)
"""


@pytest.fixture(scope="module")
def sessions(site):
    """Who is logged in by which key."""
    return dict(
        line.split()[2:] for line in site.manage("shell", "--command", MAKE_PEOPLE).splitlines() if "of" in line
    )


FORMS = ["/admin/shop/product/add/", "/office-admin/shop/product/7/change/", "/admin/shop/productimage/add/?_popup=1"]


def pictures(megabytes):
    form = b'--x\r\nContent-Disposition: form-data; name="new_pictures"; filename="a.jpg"\r\n\r\n'
    return form + b"x" * megabytes * MEGABYTE + b"\r\n--x--\r\n"


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", FORMS)
def test_several_pictures_at_once_are_taken_from_staff(site, sessions, path, chunked):
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Cookie": f"sessionid={sessions['olga']}"}
    body = pictures(30)
    sent = iter([body[:20_000_000], body[20_000_000:]]) if chunked else body
    status, *_ = ask(site, "POST", path, sent, **headers)
    assert status == 403  # for want of a token: it was read


@pytest.mark.parametrize("who", ["nobody", "alice", "a stranger"])
@pytest.mark.parametrize("path", FORMS)
def test_others_send_no_more_there_than_elsewhere(site, sessions, path, who):
    held = []

    def pieces():
        for _ in range(30):
            yield b"x" * MEGABYTE
            held.append(bytes_held(site))

    cookie = {} if who == "nobody" else {"Cookie": f"sessionid={sessions.get(who, 'made-up')}"}
    status, _, page = ask(site, "POST", path, pieces(), **{"Content-Length": str(30 * MEGABYTE)}, **cookie)
    assert status == 413
    assert f'href="{path.partition("?")[0]}"' in page
    assert max(held) <= 3 * MEGABYTE


@pytest.mark.parametrize(
    "path", ["/admin/login/", "/office-admin/shop/order/7/change/", "/admin/", "/admin/shop/product/"]
)
def test_staff_send_no_more_where_there_are_no_pictures(site, sessions, path):
    assert ask(site, "POST", path, pictures(3), Cookie=f"sessionid={sessions['olga']}")[0] == 413


def test_unfinished_bodies_of_one_address_are_bounded(site):
    """And take nobody else's room."""
    head = f"POST /contact-us/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {25 * MEGABYTE // 10}\r\n"
    body = b"x" * (24 * MEGABYTE // 10)
    with ExitStack() as stack:

        def send_unfinished():
            client = stack.enter_context(socket.create_connection(("127.0.0.1", site.port), timeout=120))
            client.sendall(f"{head}X-Forwarded-For: 192.0.2.66\r\n\r\n".encode() + body)

        # Of 50 MB, so that no other such body finds room.
        for _ in range(20):
            send_unfinished()
        wait_until(lambda: bytes_held(site) >= 47.5 * MEGABYTE, "the arrival of what there is room for")
        for _ in range(20):
            send_unfinished()
        assert ask(site, "GET", "/about-us/")[0] == 200
        assert ask(site, "POST", "/contact-us/", body, **{"X-Forwarded-For": "192.0.2.66"})[0] == 413
        assert ask(site, "POST", "/contact-us/", b"x" * MEGABYTE, **{"X-Forwarded-For": "192.0.2.67"})[0] == 403
        assert bytes_held(site) <= 52 * MEGABYTE
    # Once they have left there is room again.
    wait_until(lambda: bytes_held(site) < MEGABYTE, "the end of their files")
    assert ask(site, "POST", "/contact-us/", b"x" * MEGABYTE, **{"X-Forwarded-For": "192.0.2.66"})[0] == 403


@pytest.mark.parametrize("root", ["@evil.example", "//evil.example", "/elsewhere"])
def test_no_header_moves_the_site(site, root):
    _, _, page = ask(site, "GET", "/login/", **{"Daphne-Root-Path": root})
    assert 'href="/signup/' in page
    assert root not in page


def test_visitor_does_not_choose_the_address_that_guesses_count_for(site):
    def guess(number):
        login = f'{{"username": "victim@example.com", "password": "guess-{number}"}}'.encode()
        address = {"X-Forwarded-For": f"198.51.100.{number}, 192.0.2.7"}
        return ask(site, "POST", "/mobile-api/auth/", login, **{"Content-Type": "application/json", **address})[0]

    assert [guess(number) for number in range(11)][-1] == 429


def test_daphnes_own_refusals_are_no_pages(site):
    status, headers, text = ask(site, "GET", "/", **{"X-Odd": "a\x0bb"})
    assert (status, headers["Content-Type"], text) == (400, "text/plain; charset=utf-8", "Invalid header value\n")

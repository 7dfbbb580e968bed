"""Through our bridge pages behave as through Django's own ASGI handler: the same requests to both, over sockets."""

import http.client
import json
import select
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from booktime.serving import fair_queue, streaming
from tests.servers import Daphne, wait_until
from tests.services import wsgi_bridge_site

SITE = "tests.services.wsgi_bridge_site"


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daphne]:
    with Daphne(tmp_path_factory.mktemp("ours"), application=f"{SITE}:our_way") as server:
        yield server


@pytest.fixture(scope="module")
def django(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daphne]:
    with Daphne(tmp_path_factory.mktemp("django"), application=f"{SITE}:django_way") as server:
        yield server


def ask(server: Daphne, method: str, path: str, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request(method, path, body=body, headers=headers or {}, encode_chunked=not isinstance(body, bytes))
        response = connection.getresponse()
        told = [(name, value) for name, value in response.getheaders() if name not in {"Date", "Server"}]
        return response.status, sorted(told), response.read().replace(str(server.port).encode(), b"PORT")
    finally:
        connection.close()


def form(**files: bytes) -> tuple[bytes, dict[str, str]]:
    parts = [
        b'--cut\r\nContent-Disposition: form-data; name="%s"; filename="b\xc3\xbccher.bin"\r\n\r\n%s\r\n'
        % (n.encode(), c)
        for n, c in files.items()
    ]
    title = '--cut\r\nContent-Disposition: form-data; name="title"\r\n\r\nCien años\r\n--cut--\r\n'.encode()
    return b"".join(parts) + title, {"Content-Type": "multipart/form-data; boundary=cut"}


UPLOAD = form(small=b"abc\r\n\n", large=bytes(range(256)) * 20_000)

SAME = {
    "page": ("GET", "/echo/"),
    "query": ("GET", "/echo/?q=garc%C3%ADa&q=2&empty=&plus=a+b"),
    "unicode path": ("GET", "/echo/a%20b/%C3%BC/%2F%3F"),
    "broken unicode path": ("GET", "/echo/%FF"),
    "header twice": ("GET", "/echo/", None, {"X-Twice": "ä, b", "Cookie": "a=1; b=2"}),
    "behind TLS": ("GET", "/echo/", None, {"X-Forwarded-Proto": "https"}),
    "wrong host": ("GET", "/echo/", None, {"Host": "elsewhere.example"}),
    "slash appended": ("GET", "/echo?x=1"),
    "head": ("HEAD", "/echo/"),
    "head of a stream": ("HEAD", "/stream/"),
    "options": ("OPTIONS", "/echo/"),
    "cookies and redirect": ("GET", "/cookies/"),
    "stream": ("GET", "/stream/"),
    "download": ("GET", "/download/"),
    "large file": ("GET", "/large/"),
    "head of a large file": ("HEAD", "/large/"),
    "export": ("GET", "/large-export/"),
    "no content": ("GET", "/empty/"),
    "not modified": ("GET", "/not-modified/"),
    "missing page": ("GET", "/missing/"),
    "failing page": ("GET", "/failing/"),
    "upload": ("POST", "/receive/", *UPLOAD),
    "form": ("POST", "/receive/", b"a=1&a=2&b=%C3%A9", {"Content-Type": "application/x-www-form-urlencoded"}),
    "too large a form": (
        "POST",
        "/receive/",
        b"a=" + b"x" * 200_000,
        {"Content-Type": "application/x-www-form-urlencoded"},
    ),
    "raw body": ("PUT", "/raw/", b"0123456789" * 9_000, {"Content-Type": "text/plain"}),
    "empty body": ("POST", "/raw/", b""),
}


@pytest.mark.parametrize("request_line", SAME.values(), ids=SAME.keys())
def test_answers_as_djangos_handler_does(ours, django, request_line):
    assert ask(ours, *request_line) == ask(django, *request_line)


def test_body_sent_in_chunks_arrives_whole(ours, django):
    answers = [ask(server, "POST", "/raw/", iter([b"abc", b"def"])) for server in (ours, django)]
    assert answers[0] == answers[1]
    assert answers[0][2] == b"fedcba"


def test_connection_is_kept_for_the_next_request(ours):
    connection = http.client.HTTPConnection("127.0.0.1", ours.port, timeout=60)
    connection.request("GET", "/stream/")
    connection.getresponse().read()
    own_address = connection.sock.getsockname()
    connection.request("GET", "/echo/")
    assert connection.getresponse().read()
    assert connection.sock.getsockname() == own_address
    connection.close()


def state(server: Daphne) -> dict:
    return json.loads(ask(server, "GET", "/state/")[2])


def leave_in_the_middle(server: Daphne, path: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        assert client.recv(1000)


def test_clients_who_leave_give_their_threads_back(ours):
    """More of them than there are threads: the next page is served only if each was given back."""
    before = len(state(ours)["closed"])
    for n in range(1, 3 * wsgi_bridge_site.THREADS + 1):
        leave_in_the_middle(ours, "/endless/")
        wait_until(lambda n=n: len(state(ours)["closed"]) == before + n, "the stream's end")


def test_redirect_leaves_before_its_work_is_done(ours):
    """The time of an answer tells nothing of work that differs, such as a mail to whoever has an account."""
    before = state(ours)["worked"]
    for number in range(1, 4):
        status, _, _ = ask(ours, "GET", "/work-later/")
        assert (status, state(ours)["worked"]) == (302, before + number - 1)
        ask(ours, "GET", "/let-work/")
        wait_until(lambda number=number: state(ours)["worked"] == before + number, "the work")


def test_every_request_is_finished(ours):
    """Django gives up stale database connections then; also after a stream that nobody read to its end."""
    before = state(ours)["started"]
    ask(ours, "GET", "/echo/")
    leave_in_the_middle(ours, "/endless/")
    wait_until(lambda: state(ours)["under_way"] == 1, "the end of both requests")
    assert state(ours)["started"] > before + 2


def begin(server: Daphne, path: str) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    return client


def test_who_asks_for_much_leaves_a_thread_to_others(ours):
    clients = [begin(ours, "/hold/") for _ in range(wsgi_bridge_site.THREADS)]
    assert ask(ours, "GET", "/echo/")[0] == 200
    for client in clients:
        ask(ours, "GET", "/let-go/")
        assert b"held" in client.recv(1000)
        client.close()


def test_more_than_may_wait_is_told_to_come_back(ours):
    clients = [begin(ours, "/hold/") for _ in range(fair_queue.MOST_WAITING + 2)]
    try:
        # All are in, and one of them is one too many.
        refused = select.select(clients, [], [], 60)[0][0].recv(1000)
        assert b" 503 " in refused and b"Retry-After: 2" in refused
        assert ask(ours, "GET", "/echo/")[0] == 200
    finally:
        for client in clients:
            client.close()
    # Those who left before their turn came are not waited for.
    wait_until(lambda: state(ours)["under_way"] == 1 or not ask(ours, "GET", "/let-go/"), "the end of those in hand")


@pytest.mark.parametrize("threads", [wsgi_bridge_site.THREADS])
def test_more_requests_than_threads_wait_for_their_turn(ours, threads):
    with ThreadPoolExecutor(4 * threads) as clients:
        answers = list(clients.map(lambda _: ask(ours, "GET", "/wait/")[2], range(4 * threads)))
    assert answers == [b"waited"] * 4 * threads


def test_threads_keep_their_connection_to_the_cache(ours):
    for _ in range(10):
        _, _, answer = ask(ours, "GET", "/cache/")
    assert json.loads(answer)["clients"] <= wsgi_bridge_site.THREADS


def test_failure_in_the_middle_is_seen_by_the_client_and_harms_no_other(ours):
    for _ in range(2 * wsgi_bridge_site.THREADS):
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            ask(ours, "GET", "/failing-stream/")
    assert ask(ours, "GET", "/wait/")[2] == b"waited"


def test_half_sent_upload_holds_no_thread(ours):
    with socket.create_connection(("127.0.0.1", ours.port)) as half:
        half.sendall(b"POST /receive/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nabc")
        others = [socket.create_connection(("127.0.0.1", ours.port)) for _ in range(4)]
        for other in others:
            other.sendall(b"POST /receive/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nabc")
        assert ask(ours, "GET", "/echo/")[0] == 200
        for other in others:
            other.close()


def test_download_is_whole(ours):
    assert ask(ours, "GET", "/download/")[2] == Path(wsgi_bridge_site.__file__).read_bytes()


def begin_to_read(server: Daphne, path: str, stack: ExitStack) -> socket.socket:
    """A client who has the beginning of an answer and takes no more."""
    client = stack.enter_context(socket.socket())
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(60)
    client.connect(("127.0.0.1", server.port))
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    assert client.recv(100).startswith(b"HTTP/1.1 200")
    return client


def test_slow_readers_cost_little_memory_and_hold_up_nobody(ours):
    """More of them than there are threads of any kind, each of a file of 7.7 MB or an export as large."""
    readers = 12
    with ExitStack() as stack:
        before = len(state(ours)["closed"])
        clients = [
            begin_to_read(ours, path, stack)
            for path, number in (("/large/", readers), ("/large-export/", streaming.EXPORTS))
            for _ in range(number)
        ]
        assert state(ours)["streams"] == len(clients)
        # A piece, and daphne's buffer, for each.
        assert state(ours)["unsent"] < len(clients) * 3 * streaming.PIECE
        assert ask(ours, "GET", "/wait/")[2] == b"waited"
        # Who reads on gets all of it.
        rest = b"".join(iter(lambda: clients[0].recv(1_000_000), b""))
        assert rest.endswith(bytes(range(256)) * 29_000)
    wait_until(lambda: state(ours)["streams"] == 0, "the end of all")
    assert len(state(ours)["closed"]) == before + len(clients)


def test_more_exports_than_are_made_at_once_wait_and_hold_up_nobody(ours):
    with ExitStack() as stack:
        for _ in range(streaming.EXPORTS):
            begin_to_read(ours, "/large-export/", stack)
        waiting = stack.enter_context(socket.create_connection(("127.0.0.1", ours.port), timeout=60))
        waiting.sendall(b"GET /large-export/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        wait_until(lambda: state(ours)["streams"] == streaming.EXPORTS + 1, "the arrival of one more")
        assert ask(ours, "GET", "/wait/")[2] == b"waited"
    wait_until(lambda: state(ours)["streams"] == 0, "the end of all")
    assert len(ask(ours, "GET", "/large-export/")[2]) == 8_000 * 960


@pytest.mark.parametrize("path", ["/large/", "/large-export/"])
def test_reader_who_takes_nothing_is_cut_off(tmp_path, path):
    with Daphne(tmp_path, application=f"{SITE}:impatient_way") as server, ExitStack() as stack:
        client = begin_to_read(server, path, stack)
        wait_until(lambda: state(server)["streams"] == 0 and len(state(server)["closed"]) == 1, "the end")
        got = 0
        with suppress(ConnectionError):
            while piece := client.recv(1_000_000):
                got += len(piece)
        assert got < 7_000_000


def test_beyond_all_room_one_is_asked_to_come_back(tmp_path):
    with Daphne(tmp_path, application=f"{SITE}:crowded_way") as server, ExitStack() as stack:
        for _ in range(2):
            begin_to_read(server, "/large/", stack)
        status, headers, _ = ask(server, "GET", "/large/")
        assert (status, dict(headers)["Retry-After"]) == (503, "10")
        assert state(server)["closed"] == ["large"]
        # Small files, and pages, are whole at once.
        assert ask(server, "GET", "/download/")[0] == 200

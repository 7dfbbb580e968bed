"""A carrier as the network gives it: a socket that answers with the bytes it is told."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socket import create_server


class Carrier:
    def __init__(self) -> None:
        self.listener = create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/parcels/{{order_id}}"
        self.answer = self.begins = b""
        self.slow = threading.Event()
        self.asked: list[str] = []
        self.over = threading.Event()

    def says(self, body: bytes, status: str = "200 OK", *headers: str) -> None:
        given = headers or ("Content-Type: text/plain; charset=utf-8",)
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *given]
        self.answer = "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.reply, args=(client,), daemon=True).start()

    def reply(self, client) -> None:
        with client:
            self.asked.append(client.recv(65536).decode().split("\r\n")[0])
            if self.slow.is_set():
                client.sendall(self.begins)
                self.over.wait(30)
            with suppress(OSError):
                client.sendall(self.answer)


@contextmanager
def carrier() -> Iterator[Carrier]:
    made = Carrier()
    threading.Thread(target=made.serve, daemon=True).start()
    try:
        yield made
    finally:
        made.over.set()
        made.listener.close()

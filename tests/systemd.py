"""What systemd does for a service with a socket of `deploy/systemd`: it holds the socket, and hands it on."""

import re
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.servers import ROOT, Daphne, free_port

UNITS = ROOT / "deploy" / "systemd"
# Hands a program the socket that is ours as file descriptor 3. Whether accept() waits, holds for all who have it.
ACTIVATE = """
import os, sys
given, non_blocking = int(sys.argv[1]), sys.argv[2] == "yes"
if given != 3:
    os.dup2(given, 3)
    os.close(given)
os.set_blocking(3, not non_blocking)
os.environ.update(LISTEN_FDS="1", LISTEN_FDNAMES="a.socket", LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, *sys.argv[3:]])
"""


def listen() -> socket.socket:
    """A socket as booktime-web.socket describes it, but on a free port."""
    return socket.create_server(("127.0.0.1", free_port()), backlog=4096)


def port_of(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def command_of(unit: str, listener: socket.socket, known: Mapping[str, str] | None = None) -> list[str]:
    """How systemd starts the unit with this socket, by this Python; `known` are values of what the unit leaves open."""
    text = (UNITS / unit).read_text()
    program = setting(text, "ExecStart").removeprefix("/usr/bin/env .venv/bin/python ")
    for name, value in (known or {}).items():
        program = program.replace(name, value)
    non_blocking = setting(text, "NonBlocking", "no")
    return [sys.executable, "-c", ACTIVATE, str(listener.fileno()), non_blocking, *program.split()]


def setting(unit: str, name: str, default: str = "") -> str:
    found = re.search(rf"^{name}=(.*)$", unit, re.MULTILINE)
    return found[1] if found else default


class ActivatedDaphne(Daphne):
    """A process of `booktime-web@.service`: on its own port, at `url`, and at the socket that it shares with others."""

    def __init__(
        self,
        directory: Path,
        listener: socket.socket,
        variables: Mapping[str, str] | None = None,
        application: str = "booktime.asgi:application",
    ) -> None:
        super().__init__(directory, variables, application)
        self.listener = listener
        self.pass_fds = (listener.fileno(),)

    def command(self) -> list[str]:
        known = {
            "${BOOKTIME_ADDRESS}": "127.0.0.1",
            "%i": str(self.port),
            "booktime.asgi:application": self.application,
        }
        return command_of("booktime-web@.service", self.listener, known)

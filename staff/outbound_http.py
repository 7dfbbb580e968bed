"""Posting to an address that somebody typed in, without lending them this machine's network."""

import contextlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from django.conf import settings

TIMEOUT = 5.0
DEADLINE = 15.0
MOST_BYTES = 10_000


# The part of IPv6 of which addresses are given out at all, and the networks that IANA's registries of special-purpose
# addresses list, for both versions, whether or not a packet may leave a site for them. Python has a list as well, but
# which networks are on it depends on its release.
GIVEN_OUT = ipaddress.ip_network("2000::/3")
SPECIAL = [
    ipaddress.ip_network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20"),
    )
]


class ForbiddenAddress(Exception):
    """An address that must not be posted to; the text says why."""


@dataclass(frozen=True)
class Destination:
    """Where a URL leads: the resolved `ip` is what is connected to, so that a name cannot change its mind."""

    https: bool
    host: str
    ip: str
    port: int
    target: str

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.https else 80) else f"{host}:{self.port}"


def is_public(ip: str) -> bool:
    """Whether an IP address is on the open internet, looking into IPv6 addresses that carry an IPv4 one."""
    address = ipaddress.ip_address(ip.partition("%")[0])
    carried = carried_address(address) if isinstance(address, ipaddress.IPv6Address) else None
    if carried is not None:
        return is_public(str(carried))
    if isinstance(address, ipaddress.IPv6Address) and address not in GIVEN_OUT:
        return False
    return not any(address in network for network in SPECIAL if network.version == address.version)


def carried_address(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that one of IPv6 leads to: mapped, by 6to4, or translated (RFC 6052)."""
    if address in ipaddress.ip_network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def destination(url: str) -> Destination:
    """Resolve a URL. Raises ForbiddenAddress for one that is private, odd or not encrypted, OSError without DNS."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ForbiddenAddress("This is not a URL.") from error
    https = parts.scheme == "https"
    if not host or parts.scheme not in ("https", "http") or parts.username is not None or parts.password is not None:
        raise ForbiddenAddress("Write a URL like https://dispatch.example/booktime, without a user name.")
    if not https and not settings.WEBHOOKS_ALLOW_PRIVATE:
        raise ForbiddenAddress("Only https:// keeps what is posted from others' eyes.")
    port = port or (443 if https else 80)
    try:
        found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (socket.gaierror, UnicodeError) as error:
        raise OSError(f"{host} cannot be found.") from error
    if not settings.WEBHOOKS_ALLOW_PRIVATE and not all(is_public(ip) for ip in found):
        raise ForbiddenAddress(f"{host} is an address of a private network.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Destination(https, host, found[0], port, target)


class PinnedConnection(HTTPConnection):
    """HTTP(S) to a destination's address, with the certificate checked for its name."""

    def __init__(self, to: Destination) -> None:
        super().__init__(to.host, to.port, timeout=TIMEOUT)
        self.to = to
        self.hung_up = False

    def connect(self) -> None:
        self.sock: socket.socket = socket.create_connection((self.to.ip, self.to.port), self.timeout)
        if self.to.https:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.to.host)

    def hang_up(self) -> None:
        """End it from another thread; what was read until then looks like a whole answer, and is none."""
        self.hung_up = True
        if self.sock:
            with contextlib.suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)


def post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    """Post `body`; the status and the beginning of the answer. Redirects are answers like any other.

    Raises ForbiddenAddress, or OSError where nobody answers as HTTP within the time.
    """
    to = destination(url)
    connection = PinnedConnection(to)
    # Each read has a timeout; this ends an answer that drips for ever.
    alarm = threading.Timer(DEADLINE, connection.hang_up)
    alarm.start()
    try:
        connection.request("POST", to.target, body, {**headers, "Host": to.host_header, "Connection": "close"})
        response = connection.getresponse()
        answer = response.read(MOST_BYTES).decode(errors="replace")
        if connection.hung_up:
            raise TimeoutError(f"The answer took longer than {DEADLINE} seconds.")
        return response.status, answer
    except (HTTPException, ValueError) as error:
        raise OSError(f"No HTTP answer: {error!r}") from error
    finally:
        alarm.cancel()
        connection.close()

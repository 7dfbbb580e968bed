"""Asking the carrier where a parcel is. Many may wait for a slow one at once: nothing here holds a thread."""

import asyncio
import logging
from weakref import WeakKeyDictionary

import httpx
from django.conf import settings

PATIENCE = 5.0  # seconds, for everything from the name lookup to the last byte
MOST_BYTES = 64 * 1024
TEXT_TYPES = ("text/", "application/json")

# It would log each address, and the carrier's may hold a key.
logging.getLogger("httpx").setLevel(logging.WARNING)

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = WeakKeyDictionary()


class CarrierFailed(Exception):
    """The carrier gave no answer that could be shown; says why."""


class CarrierSlow(CarrierFailed):
    """It did not answer in time."""


async def ask_carrier(order_id: int) -> str:
    """What the carrier says about an order's parcel. Raises CarrierSlow and CarrierFailed."""
    if not settings.TRACKER_URL:
        raise CarrierFailed("No carrier can be asked where a parcel is.")
    try:
        async with asyncio.timeout(PATIENCE):
            return await fetch(settings.TRACKER_URL.format(order_id=order_id))
    except (TimeoutError, httpx.TimeoutException):
        raise CarrierSlow("The carrier takes too long to answer.") from None
    except (httpx.HTTPError, httpx.InvalidURL):
        raise CarrierFailed("The carrier cannot be reached.") from None


async def fetch(url: str) -> str:
    # Not decompressed: 64 kB of a compressed answer may be hundreds of megabytes.
    headers = {"Accept": "text/plain, text/*;q=0.8", "Accept-Encoding": "identity"}
    async with client().stream("GET", url, headers=headers) as answer:
        if answer.status_code != 200:
            raise CarrierFailed(f"The carrier answered with an error ({answer.status_code}).")
        kind = answer.headers.get("Content-Type", "text/plain").lower().strip()
        encoding = answer.headers.get("Content-Encoding", "identity").lower().strip()
        if not kind.startswith(TEXT_TYPES) or encoding not in ("identity", ""):
            raise CarrierFailed("The carrier's answer is no text.")
        body = bytearray()
        async for piece in answer.aiter_raw():
            body += piece
            if len(body) > MOST_BYTES:
                raise CarrierFailed("The carrier's answer is too long.")
        return text_of(bytes(body), answer.charset_encoding or "utf-8")


def text_of(body: bytes, charset: str) -> str:
    try:
        text = body.decode(charset).strip()
        # Some charsets decode to halves of a surrogate pair, which can be neither stored nor sent.
        text.encode()
    except (UnicodeError, LookupError):
        raise CarrierFailed("The carrier's answer is no text.") from None
    if not text or any(character < " " and character not in "\t\r\n" for character in text):
        raise CarrierFailed("The carrier's answer is no text.")
    return text


def client() -> httpx.AsyncClient:
    """One for each event loop: making one reads the certificates, which takes longer than asking."""
    loop = asyncio.get_running_loop()
    if loop not in _clients:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        # The environment's proxies are not asked: the settings name the carrier's host, and nothing else does.
        _clients[loop] = httpx.AsyncClient(timeout=PATIENCE, limits=limits, trust_env=False, follow_redirects=False)
    return _clients[loop]

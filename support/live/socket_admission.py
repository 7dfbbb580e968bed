"""Who may open a socket or a stream, and whether they still may."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.contrib import auth
from django.contrib.sessions.models import Session
from django.db.models import Max
from django.http import HttpRequest
from django.http.request import split_domain_port, validate_host
from django.utils import timezone
from rest_framework.authtoken.models import Token

from shop.models import Order, User
from support.mobile.authentication import find_token
from support.models import DeviceToken
from support.models.device import hash_of

PORTS = {"http": "80", "https": "443"}


@dataclass(frozen=True, slots=True)
class Credential:
    """By what right somebody is connected, to be looked at again while they are."""

    user_id: int
    as_employee: bool
    session_key: str = ""
    session_hash: str = ""
    token: str = ""

    @classmethod
    def of_session(cls, user: User, session_key: str | None, *, as_employee: bool) -> "Credential":
        return cls(user.pk, as_employee, session_key or "", user.get_session_auth_hash())


@dataclass(frozen=True, slots=True)
class Admission:
    user: User
    order: Order
    credential: Credential
    # What the client said it has already; None where it did not say.
    since: int | None
    # The newest message when it came.
    newest: int
    # How links to this site begin: https://shop.example
    site: str
    # Whether it is an employee's, whom the order does not know yet as the one who speaks for the shop.
    is_new_agent: bool


def admit(scope: dict[str, Any]) -> Admission | None:
    """Let a socket in to a chat, or not: None for strangers, and for another site's page with a shopper's cookie."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    if not is_own_host(headers):
        return None
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    token, session_key, user = query.get("token", [""])[0], "", None
    if token:
        user = user_of_token(token)
    elif is_same_origin(scope, headers):
        session_key = session_key_of(headers.get(b"cookie", ""))
        user = user_of_session(session_key)
    order_id = int(scope["url_route"]["kwargs"]["order_id"])
    order = Order.objects.visible_to(user).filter(pk=order_id).first() if user and order_id < 2**63 else None
    if user is None or order is None:
        return None
    as_employee = order.user_id != user.pk
    credential = (
        Credential(user.pk, as_employee, token=token)
        if token
        else Credential.of_session(user, session_key, as_employee=as_employee)
    )
    newest = order.chat_messages.aggregate(newest=Max("pk"))["newest"] or 0
    since = message_id(query.get("since", [""])[0])
    site = f"{scheme_of(scope, headers)}://{headers.get(b'host', 'localhost')}"
    is_new_agent = user.is_employee and order.last_spoken_to_id != user.pk
    return Admission(user, order, credential, None if since is None else min(since, newest), newest, site, is_new_agent)


def note_agent(admission: Admission) -> None:
    """An employee who joins is the one whom the shopper speaks to."""
    Order.objects.filter(pk=admission.order.pk).update(last_spoken_to=admission.user)


def message_id(text: str) -> int | None:
    """A `since` as clients write it; None where it is none."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def user_of_token(key: str) -> User | None:
    token = find_token(key)
    return token.user if token else None


def session_key_of(cookies: str) -> str:
    try:
        morsel = SimpleCookie(cookies).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def user_of_session(key: str) -> User | None:
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key or None)
    user = auth.get_user(request)
    return user if isinstance(user, User) else None


def scheme_of(scope: dict[str, Any], headers: dict[bytes, str]) -> str:
    """http or https, as the visitor's browser sees it."""
    header, secure = getattr(settings, "SECURE_PROXY_SSL_HEADER", None) or ("", "")
    forwarded = headers.get(header.removeprefix("HTTP_").replace("_", "-").lower().encode(), "")
    return "https" if scope.get("scheme") in ("wss", "https") or (forwarded and forwarded == secure) else "http"


def is_own_host(headers: dict[bytes, str]) -> bool:
    """Whether the client asks for one of this site's hosts: links in mails begin with what it says."""
    host, _ = split_domain_port(headers.get(b"host", "localhost"))
    return b"host" not in headers or validate_host(host, settings.ALLOWED_HOSTS)


def is_same_origin(scope: dict[str, Any], headers: dict[bytes, str]) -> bool:
    """Whether a page of this site opens the socket: scheme, host and port. Only browsers send an origin, and all do."""
    if b"origin" not in headers:
        return True
    try:
        origin = urlsplit(headers[b"origin"])
        theirs = (origin.scheme, origin.hostname, str(origin.port or PORTS.get(origin.scheme)))
    except ValueError:
        return False
    scheme = scheme_of(scope, headers)
    host, port = split_domain_port(headers.get(b"host", origin.netloc))
    ours = (scheme, host.strip("[]"), port or PORTS[scheme])
    return theirs == ours


def revoked(credentials: Iterable[Credential]) -> set[Credential]:
    """Those that no longer hold: logged out, another password, token gone, user disabled, no longer an employee."""
    credentials = set(credentials)
    users = User.objects.filter(is_active=True).prefetch_related("groups").in_bulk({c.user_id for c in credentials})
    keys = [c.session_key for c in credentials if c.session_key]
    live = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    sessions = set(live.values_list("session_key", flat=True))
    keys = [c.token for c in credentials if c.token]
    tokens = dict(Token.objects.filter(key__in=keys).values_list("key", "user_id"))
    devices = DeviceToken.objects.filter(key_hash__in=map(hash_of, keys)).in_bulk(field_name="key_hash")

    def holds(credential: Credential) -> bool:
        user = users.get(credential.user_id)
        if user is None or (credential.as_employee and not user.is_employee):
            return False
        if credential.token:
            device = devices.get(hash_of(credential.token))
            if device is not None:
                return device.user_id == user.pk and device.holds(user)
            return tokens.get(credential.token) == user.pk
        return credential.session_key in sessions and credential.session_hash == user.get_session_auth_hash()

    return {credential for credential in credentials if not holds(credential)}

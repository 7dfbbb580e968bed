"""The environment's variables, read so that a wrong one stops the start with a sentence that quotes it.

Where a value may hold a password, the sentence quotes it without.
"""

import ipaddress
import re
from email.utils import getaddresses
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured

from shop.values import money

env = environ.Env()


def refuse(name: str, value: str, advice: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} is {without_password(value)!r}: {advice}")


def without_password(value: str) -> str:
    """A URL without the password in it: what stands between the scheme (or user) and the last @."""
    return re.sub(r"(^|//)([^/:@]*):[^/].*@", r"\1\2:***@", value)


def text(name: str) -> str:
    """The variable, or "" where it is not set."""
    return env.str(name, default="").strip()


def boolean(name: str, default: bool) -> bool:
    value = text(name)
    if value.lower() in {"1", "true", "yes", "on"}:
        return True
    if value.lower() in {"0", "false", "no", "off"}:
        return False
    if value:
        raise refuse(name, value, "write true or false.")
    return default


def whole_number(name: str, default: int) -> int:
    value = text(name) or str(default)
    if not value.isascii() or not value.isdigit() or int(value) < 1:
        raise refuse(name, value, "write a whole number of at least 1.")
    return int(value)


def time_zone(name: str, default: str) -> str:
    """A place of the time zone database, whose days the shop has: "Europe/London"."""
    value = text(name) or default
    advice = "write a time zone by its name, as it is written there: Europe/London, America/New_York or UTC."
    # Files beside the zones: what the machine is set to, and copies of them all.
    if re.match(r"localtime$|Factory$|posixrules$|posix/|right/", value):
        raise refuse(name, value, advice)
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise refuse(name, value, advice) from None
    return value


def currency(name: str, default: str) -> str:
    """An ISO 4217 code of a currency with two decimals: "GBP"."""
    value = text(name) or default
    if not money.is_known(value):
        raise refuse(name, value, "write the ISO 4217 code of a currency with two decimals: GBP, EUR or USD.")
    return value


def days(name: str, default: dict[str, int]) -> dict[str, int]:
    """For how many days each of several things: "sent_mails=60, tasks=7", the others as by default."""
    chosen = dict(default)
    for part in filter(None, map(str.strip, text(name).split(","))):
        what, _, number = map(str.strip, part.partition("="))
        if what not in default or not number.isascii() or not number.isdigit() or not 0 < int(number[:6]) < 100_000:
            raise refuse(name, part, f"write days like {', '.join(f'{key}={days}' for key, days in default.items())}")
        chosen[what] = int(number)
    return chosen


def hosts(name: str, default: list[str]) -> list[str]:
    values = [host.strip() for host in text(name).split(",") if host.strip()]
    for host in values:
        if not re.fullmatch(r"\*|\.?[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:]+\]", host):
            raise refuse(name, host, "write hosts alone, separated by commas: shop.example,www.shop.example")
    return values or default


def site_address(name: str) -> str:
    """The address that the site is known by: "https://shop.example", or "" where it is not said."""
    value = text(name).rstrip("/")
    if value and not re.fullmatch(r"https?://([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?", value):
        raise refuse(name, value, "write the site's address without a page: https://shop.example")
    return value


def networks(name: str, default: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Addresses and networks: "127.0.0.1, 10.20.0.0/16, ::1"."""
    value = text(name) or default
    try:
        return [ipaddress.ip_network(part.strip()) for part in value.split(",")]
    except ValueError as error:
        raise refuse(name, value, f"{error}; write addresses or networks: 127.0.0.1, 10.20.0.0/16") from error


def people(name: str) -> list[tuple[str, str]]:
    """Names and e-mail addresses: "olga@shop.example, Erin <erin@shop.example>"."""
    value = text(name)
    found = getaddresses([value]) if value else []
    for _, address in found:
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
            raise refuse(name, value, "write e-mail addresses separated by commas: olga@shop.example, Erin <erin@…>")
    return found


def database(name: str, default: str) -> dict[str, Any]:
    value = text(name) or default
    advice = "write it like postgres://user:password@host:5432/name or sqlite:////var/lib/booktime.sqlite3"
    if value.split(":", 1)[0] not in {"postgres", "postgresql", "psql", "pgsql", "sqlite"}:
        raise refuse(name, value, advice)
    try:
        config = env.db_url_config(value)
    except (environ.ImproperlyConfigured, ValueError, KeyError):
        # Not "from error": its text may hold the password.
        raise refuse(name, value, advice) from None
    if not config["NAME"]:
        raise refuse(name, value, f"the database's name is missing; {advice}")
    return config


def redis(name: str) -> str:
    value = text(name)
    advice = "write it like redis://:password@host:6379/0, or rediss:// for TLS."
    try:
        parts = urlsplit(value)
        usable = parts.path if parts.scheme == "unix" else parts.hostname and (parts.port or 1)
    except ValueError:
        raise refuse(name, value, advice) from None
    if value and (parts.scheme not in {"redis", "rediss", "unix"} or not usable):
        raise refuse(name, value, advice)
    return value


def mail(name: str, default: str) -> dict[str, Any]:
    value = text(name) or default
    advice = "write it like smtp+tls://user:password@host:587, or consolemail:// to print mail."
    if value.split(":", 1)[0] not in environ.Env.EMAIL_SCHEMES:
        raise refuse(name, value, advice)
    try:
        config = env.email_url_config(value)
    except (environ.ImproperlyConfigured, ValueError, KeyError):
        raise refuse(name, value, advice) from None
    if value.startswith("smtp") and not config.get("EMAIL_HOST"):
        raise refuse(name, value, advice)
    return config


def carrier(name: str) -> str:
    """The carrier's URL with `{order_id}` in it, and nothing else to fill in."""
    value = text(name)
    advice = "write the carrier's http(s) address with {order_id} in it: https://carrier.example/parcels/{order_id}"
    if not value:
        return ""
    try:
        filled = urlsplit(value.format(order_id=1))
    except (KeyError, IndexError, ValueError, AttributeError):
        raise refuse(name, value, advice) from None
    if filled.scheme not in {"http", "https"} or not filled.hostname or "{order_id}" not in value:
        raise refuse(name, value, advice)
    return value


def bucket() -> dict[str, str]:
    """The S3 bucket for pictures, by its variables; empty where none is set."""
    required = ("AWS_STORAGE_BUCKET_NAME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    values = {name: text(name) for name in (*required, "AWS_S3_ENDPOINT_URL")}
    if not values["AWS_STORAGE_BUCKET_NAME"]:
        # Keys alone may be there for other programs.
        if values["AWS_S3_ENDPOINT_URL"]:
            endpoint = values["AWS_S3_ENDPOINT_URL"]
            raise refuse("AWS_S3_ENDPOINT_URL", endpoint, "AWS_STORAGE_BUCKET_NAME is not set: name the bucket.")
        return {}
    missing = [name for name in required if not values[name]]
    if missing:
        name = values["AWS_STORAGE_BUCKET_NAME"]
        raise refuse("AWS_STORAGE_BUCKET_NAME", name, f"{' and '.join(missing)} must be set with it.")
    endpoint = values["AWS_S3_ENDPOINT_URL"]
    if endpoint and not re.match(r"https?://[^/]", endpoint):
        raise refuse("AWS_S3_ENDPOINT_URL", endpoint, "write the storage server's http(s) address.")
    # With a slash at the end, the addresses of pictures would have two in the middle.
    return {**values, "AWS_S3_ENDPOINT_URL": endpoint.rstrip("/")}

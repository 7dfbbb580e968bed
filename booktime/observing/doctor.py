"""Whether all that this site stands on works as the site uses it: `manage.py doctor` asks.

A check gives a sentence of what is well, or raises: `Skipped` where this site does not have the part, `Ill` with what
is wrong and how to mend it, or whatever the part itself raises, to which the check's own advice is added.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import httpx
from channels.layers import get_channel_layer
from django.conf import settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.mail import get_connection
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django_tasks import task
from django_tasks_db.models import DBTaskResult

from booktime.observing.clocks import MOST_APART, other_clocks
from booktime.observing.collected_files import is_collected, static_files
from booktime.observing.health import check_redis
from booktime.observing.logs import scrub
from shop.models import ProductImage
from staff import roles
from staff.integrity import database_schema

WITHIN = 5  # seconds
# How many things of one kind a sentence names.
MOST_NAMED = 10
PRINTED = "django.core.mail.backends.console.EmailBackend"
SMTP = "django.core.mail.backends.smtp.EmailBackend"


class Skipped(Exception):
    """This site does not have it, for the reason that the message gives."""


class Differs(Exception):
    """It works, otherwise than the code makes it: somebody may have meant it so."""


class Ill(Exception):
    """It does not work; the message is a sentence that says how to mend it."""


def examine_database() -> str:
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if missing:
        raise Ill(f"{missing} migrations are not applied: run python manage.py migrate.")
    return f"{connection.display_name} answers, every migration is applied"


def examine_schema() -> str:
    require_migrations()
    found = [each.what for each in database_schema.missing()]
    if found:
        more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        raise Ill(
            f"The database lacks {', '.join(found[:MOST_NAMED])}{more}: python manage.py doctor --mend puts back what "
            "needs no backup, while nobody else changes much; then run python manage.py integrity."
        )
    return "every table, index, constraint and trigger is there"


def require_migrations() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise Skipped("the migrations come first")


def examine_roles() -> str:
    require_migrations()
    if gone := roles.missing_groups():
        raise Ill(
            f"There is no group {' and no group '.join(gone)}, so that nobody has that role: if it was renamed, name "
            "it back at /admin/auth/group/; python manage.py migrate makes it anew, with nobody in it."
        )
    differences = [
        f"{group} {' and '.join(filter(None, [beside(more), lacking(less)]))}"
        for group, more, less in roles.other_permissions()
    ]
    if differences:
        raise Differs(f"{'; '.join(differences)}. Unless that is meant, change it at /admin/auth/group/.")
    return "every group may do what its role is"


def beside(permissions: list[str]) -> str:
    return f"may also {', '.join(permissions)}" if permissions else ""


def lacking(permissions: list[str]) -> str:
    return f"may not {', '.join(permissions)}" if permissions else ""


def examine_redis() -> str:
    require_redis()
    check_redis()
    key, word = f"doctor-{secrets.token_hex(8)}", secrets.token_hex(8)
    cache.set(key, word, WITHIN)
    if cache.get(key) != word:
        raise Ill("Redis answers, but does not keep what is cached: look at its maxmemory and its log.")
    cache.delete(key)
    return "it answers and keeps what is cached"


def examine_channel_layer() -> str:
    require_redis()
    asyncio.run(send_round())
    return "a message came round by Redis' pub/sub"


async def send_round() -> None:
    layer, word = get_channel_layer(), secrets.token_hex(8)
    async with asyncio.timeout(WITHIN):
        channel = await layer.new_channel()
        await layer.group_add(f"doctor.{word}", channel)
        await layer.group_send(f"doctor.{word}", {"type": "doctor", "word": word})
        if (await layer.receive(channel))["word"] != word:
            raise Ill("Another message came than was sent: see that no other site uses this Redis' channels.")
        await layer.group_discard(f"doctor.{word}", channel)


def require_redis() -> None:
    if not settings.REDIS_URL:
        raise Skipped("the demo has none" if settings.IS_DEMO else "REDIS_URL is not set, for a site of one process")


def examine_mail() -> str:
    if settings.EMAIL_BACKEND == PRINTED and not settings.IS_DEMO:
        raise Ill("Mail is printed and reaches nobody: set EMAIL_URL=smtp+tls://user:password@host:587.")
    if settings.EMAIL_BACKEND != SMTP:
        raise Skipped("the demo prints its mail" if settings.IS_DEMO else "EMAIL_URL names no mail server")
    server = get_connection()
    server.open()
    server.close()
    as_whom = "took the log-in" if settings.EMAIL_HOST_USER else "answers; no log-in is set"
    return f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT} {as_whom}"


def examine_storage() -> str:
    word = secrets.token_hex(16).encode()
    name = default_storage.save(f"{ProductImage.IMAGES}/doctor-{word[:8].decode()}.txt", ContentFile(word))
    try:
        with default_storage.open(name) as file:
            if file.read() != word:
                raise Ill("What is read is not what was written: look for another site that uses the same storage.")
        look_as_a_browser(default_storage.url(name), word)
    finally:
        default_storage.delete(name)
    if default_storage.exists(name):
        raise Ill(f"{name} was deleted and is still there: allow deleting (s3:DeleteObject).")
    return "a file was written, read and deleted"


def look_as_a_browser(address: str, word: bytes) -> None:
    """Pictures in a bucket are fetched there; those on the disk are handed out by the site."""
    if not urlsplit(address).netloc:
        return
    answer = httpx.get(address, timeout=WITHIN)
    if answer.status_code != 200 or answer.content != word:
        raise Ill(
            f"Pictures are stored, but a browser gets {answer.status_code} for them: allow everybody s3:GetObject on "
            "products/* and thumbnails/* of the bucket (docs/deploying.md)."
        )


@task(priority=100)
def ping() -> None:
    """The worker's sign of life."""


def examine_worker(patience: float) -> str:
    if not ping.get_backend().supports_defer:
        raise Skipped("the demo does its tasks at once")
    row = DBTaskResult.objects.filter(pk=ping.enqueue().id)
    began = time.monotonic()
    try:
        while time.monotonic() - began < patience:
            if row.finished().exists():
                return f"it did a task within {time.monotonic() - began:.1f} s"
            time.sleep(0.1)
    finally:
        row.delete()
    busy = DBTaskResult.objects.running().count()
    raise Ill(
        f"No worker did a task within {patience:g} s: start one, python manage.py db_worker. "
        f"Tasks that are being done, or were when their worker died: {busy}."
    )


def examine_static_files() -> str:
    if settings.WHITENOISE_USE_FINDERS:
        raise Skipped("the demo serves them from where they stand")
    files = dict(static_files())
    wrong = [path for path, source in files.items() if not is_collected(path, source)]
    if wrong:
        raise Ill(
            f"{len(wrong)} of {len(files)} static files are missing or old, such as {wrong[0]}: "
            "run python manage.py collectstatic --noinput, then restart the site."
        )
    return f"all {len(files)} are collected, and in the manifest"


def examine_invoices() -> str:
    from staff.papers.typesetting import typeset  # it needs the very libraries that may be missing

    if not typeset("<p>Jane Eyre</p>", []).startswith(b"%PDF"):
        raise Ill("What was made is no PDF: reinstall requirements.txt.")
    return "a PDF was made"


def examine_fonts() -> str:
    from staff.papers.fonts import FONTS, scripts_without_font

    if lacking := scripts_without_font():
        named = ", ".join(script for scripts in lacking.values() for script in scripts)
        raise Differs(
            f"Invoices show boxes in the place of {named}: apt-get install {' '.join(lacking)}, "
            "unless no title, name or address is written so."
        )
    return f"invoices can be written in {sum(map(len, FONTS.values()))} scripts"


def examine_clock() -> str:
    clocks = dict(other_clocks())
    if not clocks:
        raise Skipped("database and site have the same one")
    for whose, apart in clocks.items():
        if apart > MOST_APART:
            raise Ill(
                f"This machine's clock and {whose} are {apart.total_seconds():.1f} s apart: "
                "keep both by NTP (timedatectl set-ntp true)."
            )
    return f"it agrees with {' and '.join(clocks)}"


@dataclass(frozen=True)
class Check:
    name: str
    examine: Callable[[], str]
    advice: str


def checks(patience: float) -> list[Check]:
    """In the sequence in which one mends them; the worker is given `patience` seconds."""
    libraries = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
    return [
        Check("database", examine_database, "See that it runs and that DATABASE_URL is right."),
        Check("schema", examine_schema, "Mend the database first."),
        Check("roles", examine_roles, "Mend the database first."),
        Check("Redis", examine_redis, "See that it runs and that REDIS_URL is right."),
        Check("channel layer", examine_channel_layer, "See that Redis runs and lets this user use pub/sub."),
        Check("mail", examine_mail, "See that the mail server runs and that EMAIL_URL is right."),
        Check("storage", examine_storage, f"Let the site write there: {where_pictures_are()}."),
        Check("worker", lambda: examine_worker(patience), "Mend the database first."),
        Check("static files", examine_static_files, "Run python manage.py collectstatic --noinput."),
        Check("invoices", examine_invoices, f"Install the libraries: apt-get install {libraries}."),
        Check("fonts", examine_fonts, f"Install the libraries: apt-get install {libraries}."),
        Check("clock", examine_clock, "Mend the database and Redis first."),
    ]


def where_pictures_are() -> str:
    bucket = getattr(default_storage, "bucket_name", None)
    return f"the bucket {bucket}, by the AWS_ variables" if bucket else str(settings.MEDIA_ROOT)


def result_of(check: Check) -> tuple[str, str]:
    """ "ok", "skipped", "differs" or "FAILED", and the sentence to it, without the site's secrets."""
    try:
        return "ok", check.examine()
    except Skipped as reason:
        return "skipped", str(reason)
    except Differs as difference:
        return "differs", str(difference)
    except Ill as illness:
        return "FAILED", without_secrets(str(illness))
    except Exception as error:
        lines = str(error).strip().splitlines() or [""]
        return "FAILED", without_secrets(f"{type(error).__name__}: {lines[0]}".rstrip(": .")) + f". {check.advice}"


def without_secrets(text: str) -> str:
    password = urlsplit(settings.REDIS_URL).password or ""
    options = settings.STORAGES["default"].get("OPTIONS", {})
    known = [settings.SECRET_KEY, settings.EMAIL_HOST_PASSWORD, password, unquote(password), options.get("secret_key")]
    for secret in [*known, settings.DATABASES["default"].get("PASSWORD")]:
        text = text.replace(secret, "***") if secret else text
    return scrub(text)

"""A filled shop is copied and restored into a new database, by the scripts in `deploy/`."""

import os
import re
import subprocess
import urllib.request
from contextlib import closing

import psycopg2
import pytest

from tests.servers import ROOT


def run(script, directory, argument, variables):
    """A script of `deploy/` with an environment file as docs/deploying.md shows it; gives what was done."""
    settings = directory / f"{script}.env"
    settings.write_text("".join(f"{name}='{value}'\n" for name, value in variables.items()))
    command = [ROOT / "deploy" / script, argument]
    return subprocess.run(command, env={**os.environ, "BOOKTIME_ENV": str(settings)}, capture_output=True, text=True)


def rows(url):
    """How many rows each table has."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        tables = [name for (name,) in cursor.fetchall()]
        counts = {}
        for table in tables:
            cursor.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608
            counts[table] = cursor.fetchone()[0]
        return counts


def page(site, path):
    request = urllib.request.Request(f"{site.url}{path}", headers={"X-Forwarded-Proto": "https", "Host": "localhost"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return response.read()


@pytest.fixture
def filled(daphne, server_variables):
    site = daphne(**server_variables)
    site.manage("load_demo", "--force", "--verbosity", "0")
    return site


def test_shop_comes_back_from_its_backup(filled, daphne, directory, server_variables, postgres_server):
    old = {**server_variables, "VAR_DIR": str(directory)}
    done = run("backup", directory, directory / "backups", old)
    assert done.returncode == 0, done.stderr
    copy = done.stdout.strip()
    with closing(psycopg2.connect(postgres_server.url)) as connection:
        connection.autocommit = True
        connection.cursor().execute("CREATE DATABASE restored")
    place = directory / "restored"
    place.mkdir()
    (place / "static").symlink_to(directory / "static")
    new = {**old, "DATABASE_URL": f"{postgres_server.url.rpartition('/')[0]}/restored", "VAR_DIR": str(place)}
    assert run("restore", directory, copy, new).returncode == 0

    counts = rows(new["DATABASE_URL"])
    assert counts == rows(old["DATABASE_URL"])
    assert counts["shop_order"] and counts["shop_product"]
    restored = daphne(**new)
    # Prices, totals, baskets, the files of pictures: it exits 1 where something does not hold.
    restored.manage("integrity")
    assert page(restored, "/healthz") == b"ok"
    books = page(restored, "/products/all/").decode()
    assert books.count("/product/") == page(filled, "/products/all/").decode().count("/product/") > 0
    picture = re.search(r'src="(/media/[^"]+)"', books)[1]
    assert page(restored, picture) == page(filled, picture)

    # Once more, over what is there: refused, and nothing changed.
    again = run("restore", directory, copy, new)
    assert again.returncode != 0
    assert "already exists" in again.stderr
    assert rows(new["DATABASE_URL"]) == counts


SPY = """#!/bin/sh
{ tr '\\0' ' ' < /proc/$$/cmdline; echo; echo "$PGPASSWORD"; } > "$SEEN"
"""


@pytest.mark.parametrize(
    ("url", "left", "password"),
    [
        ("postgres://shop:s3cr%2Fet@db/shop", "--dbname=postgres://shop@db/shop", "s3cr/et"),
        (
            "postgres://shop:s3cret@10.0.0.7,10.0.0.8:5432/shop?target_session_attrs=read-write",
            "--dbname=postgres://shop@10.0.0.7,10.0.0.8:5432/shop?target_session_attrs=read-write",
            "s3cret",
        ),
        ("postgres://shop@/shop?host=/run/pg&password=s3cret", "--dbname=postgres://shop@/shop?host=/run/pg", "s3cret"),
        ("postgres://shop@db/shop", "--dbname=postgres://shop@db/shop", ""),
    ],
)
@pytest.mark.parametrize(("script", "program"), [("backup", "pg_dump"), ("restore", "pg_restore")])
def test_password_is_not_among_the_arguments(directory, monkeypatch, script, program, url, left, password):
    """Everybody on the machine may read those."""
    (directory / "bin").mkdir()
    (directory / "bin" / program).write_text(SPY)
    (directory / "bin" / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("SEEN", str(directory / "seen"))
    done = run(script, directory, directory / "copies", {"DATABASE_URL": url, "VAR_DIR": str(directory / "var")})
    assert done.returncode == 0, done.stderr
    arguments, given = (directory / "seen").read_text().splitlines()
    assert left in arguments.split()
    assert given == password
    assert "s3cr" not in arguments

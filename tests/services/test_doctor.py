"""What `manage.py doctor` says of parts that really fail."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.servers import ROOT, Bucket, Daphne, Worker, free_port

PASSWORD = "open-sesame-0123"


def examine(services, *options: str, **variables: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """The command's exit status, and of each check its state and sentence."""
    site = Daphne(services.directory, {**services.variables, **variables})
    command = [sys.executable, "manage.py", "doctor", *options]
    done = subprocess.run(command, env=site.environment(), cwd=ROOT, capture_output=True, text=True)
    for secret in (PASSWORD, "wrong-password", services.variables["SECRET_KEY"], "the-secret-of-the-bucket"):
        assert secret not in done.stdout + done.stderr
    lines = re.findall(r"^(ok|skipped|differs|FAILED) +([\w ]+): (.*)$", done.stdout, re.MULTILINE)
    assert len(lines) == 12, done.stdout + done.stderr
    return done.returncode, {name: (state, sentence) for state, name, sentence in lines}


def failures(services, *options: str, **variables: str) -> dict[str, str]:
    status, found = examine(services, *options, **variables)
    failed = {name: sentence for name, (state, sentence) in found.items() if state == "FAILED"}
    assert status == (1 if failed else 0)
    return failed


@pytest.fixture(scope="module")
def mail_server() -> Iterator[str]:
    """A mail server that asks for a password, as EMAIL_URL names it."""

    def check(server, session, envelope, mechanism, data):
        return AuthResult(success=data.password == PASSWORD.encode())

    port = free_port()
    options = {"auth_required": True, "auth_require_tls": False, "authenticator": check}
    controller = Controller(object(), hostname="127.0.0.1", port=port, ready_timeout=60, **options)
    controller.start()
    yield f"smtp://shop:{PASSWORD}@127.0.0.1:{port}"
    controller.stop()


@pytest.fixture(scope="module")
def bucket(services) -> Iterator[Bucket]:
    with Bucket(services.directory) as bucket:
        yield bucket


def test_bucket_that_browsers_may_not_read(services, bucket):
    site = Daphne(services.directory, {**services.variables, **bucket.variables})
    # Another test may have let them.
    bucket.client.delete_bucket_policy(Bucket=bucket.name)
    look = "from booktime.observing.doctor import examine_storage; examine_storage()"
    with pytest.raises(subprocess.CalledProcessError) as failure:
        site.manage("shell", "--verbosity", "0", "--command", look)
    assert "a browser gets 403 for them: allow everybody s3:GetObject" in failure.value.stderr
    assert not bucket.stored()


def test_site_on_which_all_works(services, mail_server, bucket):
    bucket.let_browsers_read()
    with Worker(services.directory, services.variables):
        status, found = examine(services, "--wait", "120", EMAIL_URL=mail_server, **bucket.variables)
    # Which fonts a machine has is its own affair.
    del found["fonts"]
    assert {name: sentence for name, (state, sentence) in found.items() if state != "ok"} == {}
    assert status == 0
    assert not bucket.stored()


def test_demo_skips_what_it_does_not_have(services, tmp_path):
    site = Daphne(tmp_path, {})
    site.manage("migrate", "--verbosity", "0")
    report = site.manage("doctor")
    assert "skipped  Redis: the demo has none" in report
    assert "skipped  mail: the demo prints its mail" in report
    assert "FAILED" not in report


def test_redis_mail_worker_and_folder_that_fail(services, mail_server, tmp_path):
    (tmp_path / "media").touch()
    found = failures(
        services,
        *("--wait", "1"),
        VAR_DIR=str(tmp_path),
        REDIS_URL=f"redis://:{PASSWORD}@127.0.0.1:{free_port()}/0",
        EMAIL_URL=mail_server.replace(PASSWORD, "wrong-password"),
    )
    assert found.keys() == {"Redis", "channel layer", "mail", "storage", "worker", "static files", "clock"}
    assert "REDIS_URL" in found["Redis"]
    assert found["mail"].startswith("SMTP")  # a busy machine may need longer to refuse it than the site waits
    assert "EMAIL_URL" in found["mail"]
    assert f"Let the site write there: {tmp_path}/media." in found["storage"]
    assert "manage.py db_worker" in found["worker"]
    assert "collectstatic" in found["static files"]


def test_password_that_the_database_refuses_and_libraries_that_are_missing(services, tmp_path):
    with psycopg2.connect(services.postgres.url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE ROLE shop LOGIN PASSWORD %s", [PASSWORD])
    rules = services.postgres.data / "pg_hba.conf"
    rules.write_text(f"host all shop 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
    services.postgres.restart()
    (tmp_path / "libpango-1.0.so.0").touch()
    found = failures(
        services,
        DATABASE_URL=services.postgres.url.replace("postgres@", "shop:wrong-password@"),
        EMAIL_URL=f"smtp://127.0.0.1:{free_port()}",
        LD_LIBRARY_PATH=os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("LD_LIBRARY_PATH")])),
    )
    assert found.keys() == {"database", "schema", "roles", "mail", "worker", "invoices", "fonts", "clock"}
    assert "password authentication failed" in found["database"]
    assert "DATABASE_URL" in found["database"]
    assert "ConnectionRefusedError" in found["mail"]
    assert "apt-get install libpango-1.0-0" in found["invoices"]


DEJAVU = Path("/usr/share/fonts/truetype/dejavu")
LOOK = "from booktime.observing.doctor import *; print(*result_of(Check('fonts', examine_fonts, '')))"


@pytest.mark.skipif(not DEJAVU.exists(), reason="needs Debian's fonts-dejavu-core")
def test_fonts_that_a_bare_debian_lacks_are_named_with_their_packages(tmp_path):
    fonts = tmp_path / "fonts.conf"
    fonts.write_text(f"<fontconfig><dir>{DEJAVU}</dir><cachedir>{tmp_path}</cachedir></fontconfig>")
    site = Daphne(tmp_path, {"FONTCONFIG_FILE": str(fonts)})
    said = site.manage("shell", "--verbosity", "0", "--command", LOOK)
    state, sentence = said.strip().splitlines()[-1].split(" ", 1)
    assert state == "differs"
    boxes = "Devanagari, Bengali, Tamil, Thai, Chinese, Japanese, Korean"
    assert sentence.startswith(
        f"Invoices show boxes in the place of {boxes}: apt-get install fonts-noto-core fonts-noto-cjk"
    )


def test_fonts_of_this_machine_are_enough_or_their_packages_are_named(tmp_path):
    said = Daphne(tmp_path, {}).manage("shell", "--verbosity", "0", "--command", LOOK)
    assert "ok invoices can be written in 14 scripts" in said or "apt-get install fonts-noto-" in said


def test_database_that_is_empty_file_that_is_old_and_bucket_that_is_not_there(services, bucket, tmp_path):
    connection = psycopg2.connect(services.postgres.url)
    connection.autocommit = True
    connection.cursor().execute("CREATE DATABASE fresh")
    connection.close()
    shutil.copytree(services.directory / "static", tmp_path / "static", copy_function=os.link)
    stale = tmp_path / "static" / "css" / "booktime.css"
    stale.unlink()
    stale.write_text("/* of the last release */")
    found = failures(
        services,
        VAR_DIR=str(tmp_path),
        DATABASE_URL=services.postgres.url.removesuffix("postgres") + "fresh",
        **{**bucket.variables, "AWS_STORAGE_BUCKET_NAME": "no-such-bucket"},
    )
    assert found.keys() == {"database", "storage", "worker", "static files"}
    assert "run python manage.py migrate" in found["database"]
    assert "NoSuchBucket" in found["storage"]
    assert "the bucket no-such-bucket" in found["storage"]
    assert re.match(r"1 of \d+ static files are missing or old, such as css/booktime.css", found["static files"])

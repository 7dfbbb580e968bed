import os
import subprocess
import sys

import pytest

from tests.servers import ROOT, SERVER_VARIABLES

pytestmark = pytest.mark.once

SERVER = {"SECRET_KEY": "x" * 25 + "0123456789abcdefghijklmnopqrstuvwxyz"}
ALL_WELL = {
    **SERVER,
    "ALLOWED_HOSTS": "shop.example,.booktime.example",
    "DATABASE_URL": "postgres://shop:hush@db.example/shop",
    "REDIS_URL": "redis://:hush@redis.example:6379/0",
    "EMAIL_URL": "smtp+tls://shop:hush@mail.example:587",
    "ADMINS": "olga@shop.example, Erin <erin@shop.example>",
    "TIME_ZONE": "America/New_York",
    "CURRENCY": "USD",
    "STRIPE_SECRET_KEY": "sk_live_hush",
    "STRIPE_WEBHOOK_SECRET": "whsec_hush",
    "TRACKER_URL": "https://carrier.example/parcels/{order_id}",
}
# Set by the browser tests' driver, and refused by the deployment check.
ASYNC = "DJANGO_ALLOW_ASYNC_UNSAFE"


def check(tmp_path, variables, *options):
    clean = {name: value for name, value in os.environ.items() if name not in {*SERVER_VARIABLES, *ALL_WELL, ASYNC}}
    environment = {**clean, "VAR_DIR": str(tmp_path), **variables}
    command = [sys.executable, "manage.py", "check", *options]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


REFUSED = [
    ({"DEBUG": "maybe"}, "DEBUG is 'maybe'"),
    ({"DATABASE_URL": "postgres://db/shop"}, "DATABASE_URL is set but SECRET_KEY is not"),
    ({"REDIS_URL": "redis://r"}, "REDIS_URL is set but SECRET_KEY is not"),
    ({**SERVER, "DATABASE_URL": "oracle://u:hush@db/shop"}, "DATABASE_URL is 'oracle://u:***@db/shop'"),
    ({**SERVER, "DATABASE_URL": "postgres://u:hush@db:port/shop"}, "DATABASE_URL is 'postgres://u:***@db:port/shop'"),
    ({**SERVER, "DATABASE_URL": "postgres://u:hush@db/"}, "the database's name is missing"),
    ({**SERVER, "REDIS_URL": "http://:hush@r"}, "REDIS_URL is 'http://:***@r'"),
    ({**SERVER, "REDIS_URL": "redis://"}, "REDIS_URL is 'redis://'"),
    ({"EMAIL_URL": "pigeon://u:hush@loft"}, "EMAIL_URL is 'pigeon://u:***@loft'"),
    ({"EMAIL_URL": "smtp://"}, "EMAIL_URL is 'smtp://'"),
    ({"ADMINS": "olga"}, "ADMINS is 'olga'"),
    ({"ALLOWED_HOSTS": "https://shop.example"}, "ALLOWED_HOSTS is 'https://shop.example'"),
    ({"TIME_ZONE": "London"}, "TIME_ZONE is 'London'"),
    ({"TIME_ZONE": "europe/london"}, "TIME_ZONE is 'europe/london'"),
    ({"TIME_ZONE": "Europe"}, "TIME_ZONE is 'Europe'"),
    ({"TIME_ZONE": "UTC+1"}, "TIME_ZONE is 'UTC+1'"),
    ({"TIME_ZONE": "../London"}, "TIME_ZONE is '../London'"),
    ({"TIME_ZONE": "localtime"}, "TIME_ZONE is 'localtime'"),
    ({"CURRENCY": "gbp"}, "CURRENCY is 'gbp'"),
    ({"CURRENCY": "JPY"}, "CURRENCY is 'JPY': write the ISO 4217 code of a currency with two decimals"),
    ({"CURRENCY": "KWD"}, "CURRENCY is 'KWD'"),
    ({"CURRENCY": "XYZ"}, "CURRENCY is 'XYZ'"),
    ({"STRIPE_API_BASE": "https://api.example/v1/"}, "STRIPE_API_BASE is 'https://api.example/v1"),
    ({"PAY_WITHIN_HOURS": "a day"}, "PAY_WITHIN_HOURS is 'a day'"),
    ({"RETURN_DAYS": "a month"}, "RETURN_DAYS is 'a month'"),
    ({"TRACKER_URL": "https://carrier.example/"}, "TRACKER_URL is 'https://carrier.example/'"),
    ({"TRACKER_URL": "ftp://carrier.example/{order_id}"}, "TRACKER_URL is 'ftp://"),
    ({"TRACKER_URL": "https://carrier.example/{order_id}/{secret}"}, "TRACKER_URL is"),
    ({"AWS_STORAGE_BUCKET_NAME": "covers"}, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set"),
    ({"AWS_S3_ENDPOINT_URL": "https://s3.example"}, "AWS_STORAGE_BUCKET_NAME is not set"),
    ({"PAGE_THREADS": "0"}, "PAGE_THREADS is '0'"),
    ({"METRICS_ALLOWED": "10.0.0.1/8"}, "METRICS_ALLOWED is '10.0.0.1/8': 10.0.0.1/8 has host bits set"),
    ({"METRICS_ALLOWED": "127.0.0.1,"}, "METRICS_ALLOWED is '127.0.0.1,'"),
    ({"METRICS_ALLOWED": "monitor.example"}, "METRICS_ALLOWED is 'monitor.example'"),
]


@pytest.mark.parametrize(("variables", "sentence"), REFUSED, ids=[sentence for _, sentence in REFUSED])
def test_wrong_value_stops_the_start_and_is_quoted_without_its_password(tmp_path, variables, sentence):
    done = check(tmp_path, variables)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "hush" not in done.stderr


def test_well_set_server_starts_without_a_warning(tmp_path):
    done = check(tmp_path, ALL_WELL, "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr


def test_demo_starts_without_a_warning_and_with_a_key_of_its_own(tmp_path):
    assert check(tmp_path, {}, "--deploy", "--fail-level", "WARNING").returncode == 0
    key = tmp_path / "secret-key"
    assert len(key.read_text()) > 50
    assert key.stat().st_mode & 0o077 == 0


def test_server_of_one_process_is_warned(tmp_path):
    variables = {name: value for name, value in ALL_WELL.items() if name != "REDIS_URL"}
    done = check(tmp_path, variables, "--deploy")
    assert done.returncode == 0
    assert "booktime.W001" in done.stderr


def test_any_host_is_warned_about(tmp_path):
    assert "booktime.W002" in check(tmp_path, {**ALL_WELL, "ALLOWED_HOSTS": "*"}, "--deploy").stderr


def test_one_key_of_the_two_for_cards_is_warned_about(tmp_path):
    for name in ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"):
        assert "booktime.W003" in check(tmp_path, {**ALL_WELL, name: ""}, "--deploy").stderr


@pytest.mark.parametrize("address", ["shop.example", "https://shop.example/shop/", "https://", "ftp://shop.example"])
def test_site_address_that_is_none_stops_the_start(tmp_path, address):
    done = check(tmp_path, {**ALL_WELL, "SITE_ADDRESS": address})
    assert done.returncode != 0
    assert address.rstrip("/") in done.stderr
    assert "https://shop.example" in done.stderr


def test_site_address_may_name_a_port(tmp_path):
    assert check(tmp_path, {**ALL_WELL, "SITE_ADDRESS": "https://shop.example:8443/"}).returncode == 0

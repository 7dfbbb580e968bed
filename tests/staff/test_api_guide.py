"""docs/dispatch-api.md does what it says, typed as it stands."""

import hashlib
import hmac
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from rest_framework.authtoken.models import Token

from shop.models import Order, OrderLine
from staff.api.webhooks import sign
from tests.factories import OrderFactory, OrderLineFactory, ProductFactory

GUIDE = (Path(__file__).parents[2] / "docs/dispatch-api.md").read_text()
BLOCKS = re.findall(r"^```(sh|json|python)\n(.*?)^```", GUIDE, re.M | re.S)


def without_dates(answer: dict) -> dict:
    return {name: value for name, value in answer.items() if not name.startswith("date_")}


@pytest.mark.django_db(transaction=True, reset_sequences=True)
def test_the_day_in_curl(live_server, carrier_company, alice, tmp_path):
    order = OrderFactory(pk=1, user=alice, status=Order.PAID)
    emma = ProductFactory(name="Emma", isbn="9780141439587", format="paperback")
    for pk, product in enumerate([emma, ProductFactory(name="Persuasion")], 1):
        OrderLineFactory(pk=pk, order=order, product=product)
    token = Token.objects.create(user=carrier_company).key
    day = BLOCKS[: 1 + max(n for n, (language, _) in enumerate(BLOCKS) if language == "sh") + 1]
    script = "".join(text + "printf '\\0'\n" for language, text in day if language == "sh")
    shell = subprocess.run(
        ["sh", "-eu", "-c", script],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "BOOKTIME": live_server.url, "TOKEN": token},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert shell.returncode == 0, shell.stdout + shell.stderr
    answers, answer = iter(shell.stdout.split("\0")), {}
    for language, text in day:
        if language == "json":
            expected = text.replace("https://shop.example", live_server.url)
            assert without_dates(answer) == without_dates(json.loads(expected))
        else:
            answer = json.loads(next(answers))
    order.refresh_from_db()
    assert (order.status, order.shipping_address1) == (Order.DONE, "1 Thornfield Street")
    emma = OrderLine.objects.get(pk=1)
    assert (emma.status, emma.carrier, emma.tracking_number) == (30, "Royal Mail", "GB123456789")


def test_the_signature_is_checked_as_shown():
    [check] = [text for language, text in BLOCKS if language == "python"]
    names = {"hmac": hmac, "hashlib": hashlib}
    exec(check, names)  # noqa: S102  # it is our own page
    assert names["is_genuine"]("secret", "1700000000", b"{}", "sha256=" + sign("secret", "1700000000", b"{}"))
    assert not names["is_genuine"]("secret", "1700000001", b"{}", "sha256=" + sign("secret", "1700000000", b"{}"))

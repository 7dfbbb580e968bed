"""docs/mobile-api.md does what it says, typed as it stands."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from shop.models import Order
from support.models import ChatMessage
from tests.factories import OrderFactory, OrderLineFactory, ProductFactory
from tests.support.carriers import carrier

GUIDE = (Path(__file__).parents[2] / "docs/mobile-api.md").read_text()
EXAMPLES = re.findall(r"^```sh\n(.*?)^```\n+^```(?:json|text)\n(.*?)^```", GUIDE, re.M | re.S)
MOMENT = re.compile(r'"\d{4}-\d\d-\d\dT[\d:.]+Z"')


def told(text: str, first_id: int) -> object:
    """An answer without what differs each time: moments, tokens and a message's number."""
    text = MOMENT.sub('"then"', text)
    text = re.sub(r'"token": ?"[^"]+"', '"token": "…"', text)
    text = re.sub(rf'("id": ?){first_id}\b', r"\g<1>1", text)
    try:
        return json.loads(text)
    except ValueError:
        return text.strip()


@pytest.mark.django_db(transaction=True)
def test_every_call_is_answered_as_shown(live_server, alice, tmp_path, settings):
    order = OrderFactory(pk=1, user=alice, status=Order.PAID)
    for name, price in (("Siddhartha", "10.00"), ("Siddhartha", "10.00"), ("Emma", "8.50")):
        product = ProductFactory._meta.model.objects.filter(name=name).first() or ProductFactory(name=name)
        OrderLineFactory(order=order, product=product, price=price)
    environment = {"PATH": os.environ["PATH"], "BOOKTIME": live_server.url}
    with carrier() as company:
        company.says(b"Out for delivery")
        settings.TRACKER_URL = company.url
        for command, expected in EXAMPLES:
            run = ["sh", "-eu", "-c", command]
            shell = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
            assert shell.returncode == 0, shell.stderr
            said = ChatMessage.objects.values_list("pk", flat=True).first() or 1
            assert told(shell.stdout, said) == told(expected, 1), command
            if '"token"' in shell.stdout:
                environment["TOKEN"] = json.loads(shell.stdout)["token"]
    assert len(EXAMPLES) == 11

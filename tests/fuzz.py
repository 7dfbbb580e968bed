"""The OpenAPI document held against a running server on PostgreSQL by schemathesis, all its checks.

    python -m tests.fuzz path/to/schemathesis [--cases 80]

Schemathesis is not among the pinned packages: install it into an environment of its own (python -m venv, pip install
schemathesis). `--cases` is how many it makes up for each operation; 80 come to some 4,000 in all.
"""

import argparse
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.servers import Daphne, private_services
from tests.support.carriers import carrier

# What is as the document says may still be refused for what the server knows: a line's status, a key's other request.
CONFIGURATION = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "304", 400, 401, 404, 412, 422, 429, 502]
[[operations]]
include-path-regex = "^/api/orders/"
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", 401, 404, 412, 422, 429]
"""

PEOPLE = """
from django.contrib.auth.models import Permission
from rest_framework.authtoken.models import Token
from support.models import DeviceToken
from tests.factories import OrderFactory, OrderLineFactory, UserFactory
company, shopper = UserFactory(email="parcels@example.com"), UserFactory(email="alice@example.com")
company.user_permissions.set(Permission.objects.filter(codename__in=["change_order", "change_orderline"]))
for _ in range(150):
    OrderLineFactory.create_batch(3, order=OrderFactory(user=shopper, status=20))
print("TOKENS", Token.objects.create(user=company).key, *[DeviceToken.objects.issue(shopper, "x")[1] for _ in "ab"])
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("schemathesis")
    parser.add_argument("--cases", default="80")
    asked = parser.parse_args()
    program = str(Path(asked.schemathesis).absolute())
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="booktime-fuzz-")))
        company = stack.enter_context(carrier())
        company.says(b"Out for delivery")
        variables = stack.enter_context(private_services())
        settings = {"DJANGO_SETTINGS_MODULE": "tests.settings", "TRACKER_URL": company.url}
        server = Daphne(directory, {**variables, **settings})
        server.manage("migrate")
        tokens = server.manage("shell", "-v", "0", "-c", PEOPLE).split("TOKENS ")[1].split()
        stack.enter_context(server)
        configuration = directory / "schemathesis.toml"
        configuration.write_text(CONFIGURATION)
        failed = 0
        for paths, token in zip(("^/api/", "^/mobile-api/my-orders/", "^/mobile-api/auth/"), tokens, strict=True):
            command = [program, "--config-file", str(configuration), "run", f"{server.url}/api/schema/", "--checks=all"]
            command += ["--continue-on-failure", "-n", asked.cases, "--include-path-regex", paths]
            print(f"\n=== {paths} ===", flush=True)
            done = subprocess.run([*command, "-H", f"Authorization: Token {token}"], cwd=directory)
            failed |= done.returncode
        return failed


if __name__ == "__main__":
    sys.exit(main())

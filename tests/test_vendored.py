"""The files that others wrote are the ones that static/vendor/README.md says they are."""

import hashlib
import re

from tests.servers import ROOT

VENDOR = ROOT / "static" / "vendor"
ROW = re.compile(r"^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$", re.MULTILINE)


def test_every_vendored_file_has_the_checksum_of_the_list_and_none_is_unlisted():
    listed = dict(ROW.findall((VENDOR / "README.md").read_text()))
    found = {path.relative_to(VENDOR).as_posix(): path for path in VENDOR.rglob("*") if path.is_file()}
    del found["README.md"]
    assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()} == listed

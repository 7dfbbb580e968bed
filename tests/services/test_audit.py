"""bin/audit, asked with a database of vulnerabilities of our own."""

import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import django

from tests.servers import ROOT, free_port


@contextmanager
def vulnerabilities(**known):
    """A service as OSV is, which knows the given vulnerability of a package; its address."""

    class Osv(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = asked["package"]["name"]
            body = json.dumps({"vulns": [weakness(name, known[name])]} if name in known else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Osv)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1/query"
    server.shutdown()
    server.server_close()


def weakness(name, number):
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}]
    affected = [{"package": {"name": name, "ecosystem": "PyPI"}, "ranges": ranges}]
    return {"id": number, "summary": "Bad.", "published": "2026-01-01T00:00:00Z", "affected": affected}


def audit(address):
    command = [sys.executable, "bin/audit", "--vulnerability-service", "osv", "--osv-url", address]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_vulnerability_is_named_and_fails():
    with vulnerabilities(django="PYSEC-2026-1") as address:
        status, report = audit(address)
    assert status == 1
    assert f" {django.__version__} is vulnerable: PYSEC-2026-1; mended in 99.0." in report


def test_packages_without_a_vulnerability_pass():
    with vulnerabilities() as address:
        status, report = audit(address)
    assert status == 0
    assert "packages audited, 0 vulnerabilities found." in report


def test_service_that_is_away_is_told_and_is_no_failure():
    status, report = audit(f"http://127.0.0.1:{free_port()}/v1/query")
    assert status == 0
    assert report.startswith("NOT AUDITED: ")


def test_failure_of_another_kind_is_one():
    done = subprocess.run([sys.executable, "bin/audit", "--no-such-option"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "pip-audit failed" in done.stderr

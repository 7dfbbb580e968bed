"""What a platform does with a clean clone: `bin/post_compile`, then the lines of the Procfile."""

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.servers import ROOT, SERVER_VARIABLES, free_port, wait_until
from tests.services.conftest import SECRET_KEY

LINES = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
ENDS_WITHIN = 60


@pytest.fixture
def platform(directory, postgres_server, redis_server, collected_static):
    """The environment in which a platform runs the lines; the database is empty."""
    (directory / "static").symlink_to(collected_static)
    clean = {name: value for name, value in os.environ.items() if name not in SERVER_VARIABLES}
    return {
        **clean,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "SECRET_KEY": SECRET_KEY,
        "DATABASE_URL": postgres_server.url,
        "REDIS_URL": redis_server.url,
        "EMAIL_URL": "dummymail://",
        "VAR_DIR": str(directory),
        "PORT": str(free_port()),
    }


def start(name, environment, log):
    # `exec`, so that the signal reaches the program itself.
    command = ["sh", "-c", f"exec {LINES[name]}"]
    with log.open("wb") as output:
        return subprocess.Popen(command, env=environment, cwd=ROOT, stdout=output, stderr=output)


def answers(port, path):
    request = urllib.request.Request(f"http://localhost:{port}{path}", headers={"X-Forwarded-Proto": "https"})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.read()
    except OSError:
        return b""


def test_lines_of_the_procfile_bring_up_a_site(platform, directory):
    subprocess.run(LINES["release"], shell=True, env=platform, cwd=ROOT, check=True, capture_output=True)  # noqa: S602
    log = directory / "worker.log"
    web, worker = start("web", platform, directory / "web.log"), start("worker", platform, log)
    try:
        wait_until(lambda: answers(platform["PORT"], "/healthz") == b"ok", "start of the web process")
        page = answers(platform["PORT"], "/").decode()
        style = next(part.split('"')[0] for part in page.split('href="')[1:] if part.startswith("/static/css/"))
        assert answers(platform["PORT"], style)
        # Sooner it would not know what to do when it is asked to stop.
        wait_until(lambda: "Starting worker" in log.read_text(), "start of the worker")
        assert worker.poll() is None
    finally:
        for process in (web, worker):
            process.send_signal(signal.SIGTERM)
    assert (web.wait(ENDS_WITHIN), worker.wait(ENDS_WITHIN)) == (0, 0)

"""What stands in `deploy/` is what the programs it is for accept."""

import os
import re
import shutil
import subprocess

import pytest

from tests.proxy import FILES, Gunicorn, Nginx
from tests.servers import ROOT, Daphne
from tests.systemd import UNITS, listen, setting

ALL_UNITS = sorted(UNITS.iterdir())


@pytest.mark.parametrize("pages", ["pages-by-daphne.conf", "pages-by-gunicorn.conf"])
def test_nginx_accepts_its_files(directory, pages):
    with listen() as listener:
        gunicorn = Gunicorn(directory, Daphne(directory)) if pages == "pages-by-gunicorn.conf" else None
        nginx = Nginx(directory, listener, gunicorn)
    # As they stand but for the certificate and the port that root alone may use.
    for name, target in (("booktime.conf", "booktime.conf"), (pages, "pages.conf")):
        text = (FILES / name).read_text()
        for file in ("fullchain.pem", "privkey.pem"):
            ours = nginx.own / ("key.pem" if file == "privkey.pem" else "certificate.pem")
            text = text.replace(f"/etc/letsencrypt/live/shop.example/{file}", str(ours))
        text = text.replace("listen 80", f"listen {nginx.plain_port}").replace("[::]:80;", f"[::]:{nginx.plain_port};")
        text = text.replace("listen 443", f"listen {nginx.port}").replace("[::]:443", f"[::]:{nginx.port}")
        (nginx.own / target).write_text(text.replace("/var/log/nginx/", f"{nginx.own}/"))
    done = subprocess.run(nginx.command("-t"), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # Since 1.25 HTTP/2 has a line of its own, which older ones, as Debian 12's, refuse; it takes both.
    warnings = [line for line in done.stderr.splitlines() if "[warn]" in line]
    assert [line for line in warnings if '"listen ... http2" directive is deprecated' not in line] == []


@pytest.fixture
def unit_folder(directory):
    """The units with this machine's paths where the programs of a release would be."""
    for unit in ALL_UNITS:
        copy = directory / unit.name
        copy.write_text(unit.read_text())
        # systemd remarks on files that not everybody may read, or that others may write.
        copy.chmod(0o644)
    return directory


def test_systemd_accepts_its_units(unit_folder):
    names = [unit.name.replace("@", "@8001") for unit in ALL_UNITS]
    (unit_folder / "booktime-web@.service").rename(unit_folder / "booktime-web@8001.service")
    environment = {**os.environ, "SYSTEMD_UNIT_PATH": f"{unit_folder}:"}
    command = ["systemd-analyze", "verify", "--man=no", *(str(unit_folder / name) for name in names)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=unit_folder)
    assert done.returncode == 0, done.stderr
    assert "booktime" not in done.stderr


def test_systemd_would_refuse_a_wrong_unit(unit_folder):
    wrong = unit_folder / "booktime-worker.service"
    wrong.write_text(wrong.read_text().replace("Restart=", "Restrat="))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(wrong)], capture_output=True, text=True)
    assert "Restrat" in done.stderr


@pytest.mark.parametrize("script", ["manage", "release", "rolling-restart"])
def test_scripts_are_ones_the_shell_can_read(script):
    path = ROOT / "deploy" / script
    assert os.access(path, os.X_OK)
    subprocess.run([shutil.which("sh"), "-n", str(path)], check=True)


def test_addresses_in_the_files_agree():
    socket_unit = (UNITS / "booktime-web.socket").read_text()
    address = setting(socket_unit, "ListenStream")
    for name in ("booktime.conf", "pages-by-daphne.conf"):
        assert set(re.findall(r"^    server (\S+)", (FILES / name).read_text(), re.MULTILINE)) == {address}
    ports = re.search(r"BOOKTIME_PORTS:-([\d ]+)", (ROOT / "deploy" / "rolling-restart").read_text())[1].split()
    # An upgrade starts the socket with the first that is restarted: only while that one is away does systemd do it.
    assert setting(socket_unit, "Service") == f"booktime-web@{ports[0]}.service"


def test_socket_is_every_process_s():
    for name in ("booktime-web@.service", "booktime-pages.service"):
        unit = (UNITS / name).read_text()
        # systemd closes the socket of a service that it gives up.
        assert setting(unit, "StartLimitIntervalSec") == "0"
    assert setting((UNITS / "booktime-web@.service").read_text(), "Sockets") == "booktime-web.socket"

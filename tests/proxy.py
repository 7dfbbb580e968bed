"""nginx by the site's own files (`deploy/nginx`), and gunicorn, on free ports like the rest of tests/servers.py."""

import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.servers import ROOT, Daphne, Server, free_port
from tests.systemd import command_of, port_of

FILES = ROOT / "deploy" / "nginx"
MAIN = """
daemon off;
{user}
worker_processes 2;
pid {directory}/nginx.pid;
error_log {directory}/nginx-error.log warn;
events {{ worker_connections {connections}; }}
http {{
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    scgi_temp_path {directory}/scgi;
    uwsgi_temp_path {directory}/uwsgi;
    include {directory}/booktime.conf;
    include {directory}/pages.conf;
}}
"""


def nginx_program() -> str:
    # Debian keeps it where only root's PATH leads.
    return shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx"


class Gunicorn(Server):
    """The pages alone, in the environment of `site`, on a socket at `path` that stays open while gunicorn restarts."""

    def __init__(self, directory: Path, site: Daphne) -> None:
        super().__init__(directory)
        self.path = directory / f"gunicorn-{self.port}.sock"
        self.site = site
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(self.path))
        self.path.chmod(0o666)
        self.socket.listen(1024)
        self.pass_fds = (self.socket.fileno(),)

    def environment(self) -> dict[str, str]:
        return self.site.environment()

    def command(self) -> list[str]:
        return command_of("booktime-pages.service", self.socket)

    def is_ready(self) -> bool:
        """Whether a request that was put into the queue is answered."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(str(self.path))
            client.sendall(b"GET /about-us/ HTTP/1.0\r\nHost: localhost\r\n\r\n")
            try:
                return client.recv(1) != b""
            except OSError:
                return False

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        self.socket.close()


class Nginx(Server):
    """nginx in front of `listener`, the socket of daphne processes, and of `gunicorn` for pages where that is given.

    TLS at `url` for the host `localhost`, by a certificate in the file `certificate`; plain HTTP at `plain_url`.
    `connections` is how many each of its two workers may have. Without `limited` an address may ask as often as it
    likes, as those who measure do.
    """

    def __init__(
        self,
        directory: Path,
        listener: socket.socket,
        gunicorn: Gunicorn | None = None,
        *,
        connections: int = 2048,
        limited: bool = True,
    ) -> None:
        super().__init__(directory)
        self.own = directory / f"nginx-{self.port}"
        self.own.mkdir(mode=0o755)
        self.plain_port = free_port()
        self.url, self.plain_url = f"https://localhost:{self.port}", f"http://localhost:{self.plain_port}"
        self.certificate = make_certificate(self.own)
        changes = {
            "127.0.0.1:8000": f"127.0.0.1:{port_of(listener)}",
            "/run/booktime-pages.sock": str(gunicorn.path) if gunicorn else "",
            "listen 80;\n    listen [::]:80;": f"listen 127.0.0.1:{self.plain_port};",
            "listen 443 ssl http2;\n    listen [::]:443 ssl http2;": f"listen 127.0.0.1:{self.port} ssl http2;",
            "shop.example;": "localhost;",
            "/etc/letsencrypt/live/shop.example/fullchain.pem": str(self.certificate),
            "/etc/letsencrypt/live/shop.example/privkey.pem": str(self.own / "key.pem"),
            "/var/log/nginx/": f"{self.own}/",
            "root /var/lib/booktime;": f"root {directory};",
            "Host $host;": f"Host $host:{self.port};",
            **({} if limited else {"    limit_req zone=booktime_requests burst=1000 nodelay;\n": ""}),
        }
        pages = "pages-by-gunicorn.conf" if gunicorn else "pages-by-daphne.conf"
        self.write("booktime.conf", "booktime.conf", changes)
        self.write(pages, "pages.conf", changes)
        user = "user root;" if os.geteuid() == 0 else ""
        (self.own / "nginx.conf").write_text(MAIN.format(directory=self.own, user=user, connections=connections))

    def write(self, source: str, target: str, changes: Mapping[str, str]) -> None:
        text = (FILES / source).read_text()
        for given, ours in changes.items():
            text = text.replace(given, ours)
        (self.own / target).write_text(text)

    def command(self, *options: str) -> list[str]:
        return [
            nginx_program(),
            "-p",
            str(self.own),
            "-e",
            str(self.own / "nginx-error.log"),
            *options,
            "-c",
            "nginx.conf",
        ]

    def access_log(self) -> str:
        return (self.own / "booktime.log").read_text()

    def client_context(self) -> ssl.SSLContext:
        """For clients: believes this server's certificate, and no other."""
        return ssl.create_default_context(cafile=str(self.certificate))


def make_certificate(directory: Path) -> Path:
    certificate = directory / "certificate.pem"
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-keyout", str(directory / "key.pem"), "-out", str(certificate)]
    subprocess.run(
        [*command, *files, "-days", "2", "-subj", "/CN=localhost", "-addext", names], check=True, capture_output=True
    )
    return certificate

"""Private servers for tests: PostgreSQL, Redis and daphne on free ports, in a directory of their own.

    python -m tests.servers -- pytest -m "not browser"

runs a command with `DATABASE_URL`, `REDIS_URL` and `SECRET_KEY` set to servers that live as long as it does. Servers
that run on this machine already are never touched. `tests/services/conftest.py` hands the same classes to tests.

A long module, since each of its classes is one more server on the same base.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import boto3
import psycopg2
import redis

ROOT = Path(__file__).resolve().parent.parent
# Seconds; a machine may be busy with other things. Longer than the site itself takes its time to stop.
READY_WITHIN = 120
STOPPED_WITHIN = 60
# What a site, and Django, read from the environment.
SERVER_VARIABLES = (
    *("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEBUG", "DJANGO_SETTINGS_MODULE", "VAR_DIR", "EMAIL_URL", "ADMINS"),
    *("ALLOWED_HOSTS", "SITE_ADDRESS", "METRICS_ALLOWED", "PAGE_THREADS", "TIME_ZONE", "CURRENCY"),
    *("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_API_BASE", "PAY_WITHIN_HOURS", "RETURN_DAYS"),
    *("TRACKER_URL", "GIT_REV", "GA_TRACKER_ID"),
    *("AWS_STORAGE_BUCKET_NAME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_S3_ENDPOINT_URL"),
)


def free_port() -> int:
    """A port for a server that may be away for a while.

    Not one of those that the kernel gives to whoever connects to something: it would be taken meanwhile.
    """
    given_away_from = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = secrets.choice(range(10_000, given_away_from)) if given_away_from > 20_000 else 0
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return listener.getsockname()[1]


def wait_until(ready: Callable[[], bool], what: str, seconds: float = READY_WITHIN) -> None:
    """Return once `ready()` is true; raise TimeoutError, saying `what` did not happen, after `seconds`."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {seconds} s")
        time.sleep(0.02)


def accepts_connections(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """A process on a port of its own: it comes back on the same port after `stop()` or `kill()` and `start()`."""

    stop_signal = signal.SIGTERM
    pass_fds: tuple[int, ...] = ()
    # How long its log was when it was started.
    log_began = 0

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str] | None:
        return None

    def is_ready(self) -> bool:
        return accepts_connections(self.port)

    @property
    def log(self) -> Path:
        return self.directory / f"{type(self).__name__.lower()}-{self.port}.log"

    def start(self) -> Self:
        """Start, and return once it answers. Raises RuntimeError, with the end of its log, where it never does."""
        with self.log.open("ab") as log:
            self.log_began = log.tell()
            self.process = subprocess.Popen(
                self.command(),
                env=self.environment(),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=self.pass_fds,
            )
        try:
            wait_until(lambda: self.process.poll() is not None or self.is_ready(), f"start of {self}")
            if self.process.poll() is not None:
                raise RuntimeError(f"{self} ended with status {self.process.returncode}")
        except (RuntimeError, TimeoutError) as error:
            self.kill()
            raise RuntimeError(f"{error}\n{self.log.read_text(errors='replace')[-4000:]}") from error
        return self

    def stop(self) -> None:
        """Ask it to stop and wait for it; one that does not listen is killed."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(STOPPED_WITHIN)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """Kill it as `kill -9` does, and wait until it is gone."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def hang(self) -> None:
        """Stop it and its children as they stand: they take connections and say nothing, until `go_on()`."""
        self._signal_all(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: int) -> None:
        assert self.process
        # First, so that it has no further child meanwhile.
        self.process.send_signal(number)
        for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), number)

    def restart(self) -> Self:
        self.stop()
        return self.start()

    def __str__(self) -> str:
        return f"{type(self).__name__} on port {self.port}"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()


class Postgres(Server):
    """An empty PostgreSQL cluster made in `directory`; `url` is its database, which tests may fill."""

    stop_signal = signal.SIGINT  # a fast shutdown: open connections are cut

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.data = directory / "postgres"
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        if os.geteuid() == 0:
            # The server refuses to run as root, so the user whom Debian's package made must reach its files.
            directory.chmod(0o755)
            self.data.mkdir()
            shutil.chown(self.data, "postgres")
        options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        command = [*self._as_owner("initdb"), *options, f"--pgdata={self.data}"]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL)

    @staticmethod
    def _as_owner(program: str) -> list[str]:
        installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda p: float(p.parts[-3]))
        binary = str(installed[-1]) if installed else shutil.which(program)
        if not binary:
            raise RuntimeError(f"{program} is missing: install PostgreSQL (apt-get install postgresql).")
        if os.geteuid() != 0:
            return [binary]
        # Should whoever started it be killed, it goes too.
        owner = ["--reuid=postgres", "--regid=postgres", "--clear-groups"]
        return ["setpriv", *owner, *(["--pdeathsig=INT"] if program == "postgres" else []), binary]

    def command(self) -> list[str]:
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.data,
            "fsync": "off",
            "max_connections": 200,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [*self._as_owner("postgres"), "-D", str(self.data), *options]

    def is_ready(self) -> bool:
        try:
            psycopg2.connect(self.url, connect_timeout=2).close()
        except psycopg2.OperationalError:
            return False
        return True

    def dump(self) -> bytes:
        """What is in its database, as SQL for `fill`."""
        command = [*self._as_owner("pg_dump"), f"--dbname={self.url}"]
        return subprocess.run(command, check=True, cwd="/", stdout=subprocess.PIPE).stdout

    def fill(self, dump: bytes) -> None:
        """Put into its empty database what `dump` of another gave."""
        command = [*self._as_owner("psql"), "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--dbname={self.url}"]
        subprocess.run(command, check=True, cwd="/", input=dump, stdout=subprocess.DEVNULL)

    def restart_immediately(self) -> Self:
        """Crash, as `pg_ctl restart -m immediate` does: every connection is cut and the log is replayed."""
        assert self.process
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(STOPPED_WITHIN)
        return self.start()


class Redis(Server):
    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        where = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory)]
        return ["redis-server", *where, "--save", "", "--appendonly", "no"]

    def is_ready(self) -> bool:
        with redis.Redis(port=self.port, socket_connect_timeout=1, socket_timeout=1) as client:
            try:
                return bool(client.ping())
            except redis.exceptions.RedisError:
                return False


class Daphne(Server):
    """One daphne process of the site, at `url`.

    `variables` are set in an environment that has none of the site's own: without any it is the demo, and writes into
    `directory`. `application` may name another ASGI application.
    """

    def __init__(
        self,
        directory: Path,
        variables: Mapping[str, str] | None = None,
        application: str = "booktime.asgi:application",
        options: tuple[str, ...] = (),
    ) -> None:
        super().__init__(directory)
        self.url = f"http://127.0.0.1:{self.port}"
        self.variables = {"VAR_DIR": str(directory), **(variables or {})}
        self.application = application
        self.options = options

    def environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if name not in SERVER_VARIABLES}
        return {**clean, "PYTHONUNBUFFERED": "1", **self.variables}

    def command(self) -> list[str]:
        where = ["--bind", "127.0.0.1", "--port", str(self.port)]
        return [sys.executable, "-m", "daphne", *where, *self.options, self.application]

    def manage(self, *arguments: str) -> str:
        """Run `manage.py` with this server's environment; gives what it prints. Raises CalledProcessError."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, env=self.environment(), cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr[-4000:])
        return done.stdout


class Bucket(Server):
    """A server that speaks S3, with an empty bucket; `variables` make a site keep its pictures in it."""

    name = "books"

    @property
    def variables(self) -> dict[str, str]:
        return {
            "AWS_STORAGE_BUCKET_NAME": self.name,
            "AWS_ACCESS_KEY_ID": "a-key",
            "AWS_SECRET_ACCESS_KEY": "the-secret-of-the-bucket",
            "AWS_S3_ENDPOINT_URL": self.url,
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def client(self) -> Any:
        keys = {"aws_access_key_id": "a-key", "aws_secret_access_key": "the-secret-of-the-bucket"}
        return boto3.client("s3", endpoint_url=self.url, region_name="us-east-1", **keys)

    def command(self) -> list[str]:
        return [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]

    def start(self) -> Self:
        super().start()
        self.client.create_bucket(Bucket=self.name)
        return self

    def let_browsers_read(self) -> None:
        """Apply the policy of docs/deploying.md."""
        policy = (ROOT / "docs" / "deploying.md").read_text().split("```json\n")[1].split("```")[0]
        self.client.put_bucket_policy(Bucket=self.name, Policy=policy)

    def stored(self) -> set[str]:
        return {stored["Key"] for stored in self.client.list_objects_v2(Bucket=self.name).get("Contents", [])}


class Worker(Server):
    """The site's worker, with its `variables`."""

    def __init__(self, directory: Path, variables: Mapping[str, str]) -> None:
        super().__init__(directory)
        self.site = Daphne(directory, variables)

    def environment(self) -> dict[str, str]:
        return self.site.environment()

    def command(self) -> list[str]:
        return [sys.executable, "manage.py", "db_worker"]

    def is_ready(self) -> bool:
        return b"Starting worker" in self.log.read_bytes()[self.log_began :]


# A Redis for each process of a parallel run: unlike a database, its channels cannot be told apart by a name.
TEST_WORKERS = 2


@contextmanager
def private_services() -> Iterator[dict[str, str]]:
    """PostgreSQL and Redis, as the variables by which a server knows them; they are gone afterwards."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="booktime-services-")))
        postgres = stack.enter_context(Postgres(directory))
        redis_servers = [stack.enter_context(Redis(directory)) for _ in range(TEST_WORKERS)]
        yield {
            "DATABASE_URL": postgres.url,
            "REDIS_URL": redis_servers[0].url,
            "REDIS_URLS": " ".join(server.url for server in redis_servers),
            "SECRET_KEY": secrets.token_urlsafe(50),
        }


def main(arguments: list[str]) -> int:
    # A terminated run tears its servers down as an interrupted one does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    command = arguments[1:] if arguments[:1] == ["--"] else arguments
    with private_services() as variables:
        child = subprocess.Popen(command, env={**os.environ, **variables})
        try:
            return child.wait()
        except KeyboardInterrupt:
            return child.wait(STOPPED_WITHIN)
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait(STOPPED_WITHIN)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

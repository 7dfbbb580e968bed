"""Servers for tests that start, stop and kill them; see tests/servers.py for what they can do.

    def test_pages_survive_redis(daphne, redis_server): …

`postgres_server` and `redis_server` belong to one test; `daphne(**variables)` starts a process of the site, which is
the demo without variables. All end with the test.
"""

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.crowd import fill_shelves
from tests.servers import ROOT, Daphne, Postgres, Redis
from tests.systemd import ActivatedDaphne, listen

StartDaphne = Callable[..., Daphne]


@pytest.fixture
def directory() -> Iterator[Path]:
    # Not pytest's tmp_path: its parents are closed to the user whom PostgreSQL runs as.
    path = Path(tempfile.mkdtemp(prefix="booktime-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def postgres_server(directory: Path) -> Iterator[Postgres]:
    with Postgres(directory) as server:
        yield server


@pytest.fixture
def redis_server(directory: Path) -> Iterator[Redis]:
    with Redis(directory) as server:
        yield server


SECRET_KEY = "a-key-for-a-server-in-tests-0123456789-0123456789-abc"
WITHOUT_COLLECTED_FILES = {"DJANGO_SETTINGS_MODULE": "tests.settings"}


@pytest.fixture(scope="session")
def collected_static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compressing them takes longer than most tests: once is enough, for all that run beside each other."""
    base = tmp_path_factory.getbasetemp()
    directory = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "collected"
    directory.mkdir(exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / "done").exists():
            # As a platform does: with the environment's own `python`.
            path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
            environment = {**Daphne(directory, {"SECRET_KEY": SECRET_KEY}).environment(), "PATH": path}
            subprocess.run([ROOT / "bin" / "post_compile"], env=environment, check=True, stdout=subprocess.DEVNULL)
            (directory / "done").touch()
    return directory / "static"


def migrated(postgres: Postgres, redis: Redis, static: Path | None = None, **more: str) -> dict[str, str]:
    """The variables of a site on these, whose database is migrated and whose static files are there, and `more`."""
    postgres.fill(migrated_database())
    if static:
        (postgres.directory / "static").symlink_to(static)
    return {**variables_of(postgres, redis), **more}


@cache
def migrated_database() -> bytes:
    """What the migrations make of an empty database. They take much longer than to fill one with it."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="booktime-")))
        postgres, redis = (stack.enter_context(server(directory)) for server in (Postgres, Redis))
        Daphne(directory, variables_of(postgres, redis)).manage("migrate", "--verbosity", "0")
        return postgres.dump()


def variables_of(postgres: Postgres, redis: Redis) -> dict[str, str]:
    return {
        "SECRET_KEY": SECRET_KEY,
        "DATABASE_URL": postgres.url,
        "REDIS_URL": redis.url,
        "EMAIL_URL": "dummymail://",
    }


@pytest.fixture
def server_variables(postgres_server: Postgres, redis_server: Redis, collected_static: Path) -> dict[str, str]:
    """The variables of a migrated server of any number of processes: `daphne(**server_variables)`."""
    return migrated(postgres_server, redis_server, collected_static)


@dataclass
class Services:
    """What the tests of one file share: whoever stops a part starts it again."""

    directory: Path
    postgres: Postgres
    redis: Redis
    variables: dict[str, str]


@pytest.fixture(scope="module")
def services(collected_static: Path) -> Iterator[Services]:
    path = Path(tempfile.mkdtemp(prefix="booktime-"))
    with Postgres(path) as postgres, Redis(path) as redis:
        yield Services(path, postgres, redis, migrated(postgres, redis, collected_static))
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """The socket that processes share: `daphne(listener=listener)`."""
    with listen() as listener:
        yield listener


@pytest.fixture
def daphne(directory: Path) -> Iterator[StartDaphne]:
    with ExitStack() as stack:

        def start(
            application: str = "booktime.asgi:application", listener: socket.socket | None = None, **variables: str
        ) -> Daphne:
            server = (
                ActivatedDaphne(directory, listener, variables, application)
                if listener
                else Daphne(directory, variables, application)
            )
            if not variables.get("DATABASE_URL"):
                server.manage("migrate", "--verbosity", "0")
            return stack.enter_context(server)

        yield start


@pytest.fixture
def shop_variables(postgres_server: Postgres, redis_server: Redis) -> dict[str, str]:
    """The variables of a shop with a few books, whose static files need no collecting: `daphne(**shop_variables)`."""
    variables = migrated(postgres_server, redis_server, **WITHOUT_COLLECTED_FILES)
    fill_shelves(Daphne(postgres_server.directory, variables), postgres_server.directory)
    return variables


@pytest.fixture
def shop(daphne: StartDaphne, shop_variables: dict[str, str]) -> list[Daphne]:
    """Two processes of it."""
    return [daphne(**shop_variables) for _ in range(2)]

"""Servers for tests that start, stop and kill them; see tests/servers.py for what they can do.

    def test_pages_survive_redis(daphne, redis_server): …

`postgres_server` and `redis_server` belong to one test; `daphne(**variables)` starts a process of the site, which is
the demo without variables. All end with the test.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.servers import ROOT, Daphne, Postgres, Redis

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


@pytest.fixture(scope="session")
def collected_static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compressing them takes longer than most tests: once is enough."""
    directory = tmp_path_factory.mktemp("collected")
    # As a platform does: with the environment's own `python`.
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**Daphne(directory, {"SECRET_KEY": SECRET_KEY}).environment(), "PATH": path}
    subprocess.run([ROOT / "bin" / "post_compile"], env=environment, check=True, stdout=subprocess.DEVNULL)
    return directory / "static"


@pytest.fixture
def server_variables(postgres_server: Postgres, redis_server: Redis, collected_static: Path) -> dict[str, str]:
    """The variables of a migrated server of any number of processes: `daphne(**server_variables)`."""
    variables = {
        "SECRET_KEY": SECRET_KEY,
        "DATABASE_URL": postgres_server.url,
        "REDIS_URL": redis_server.url,
        "EMAIL_URL": "dummymail://",
    }
    prepared = Daphne(postgres_server.directory, variables)
    prepared.manage("migrate", "--verbosity", "0")
    (postgres_server.directory / "static").symlink_to(collected_static)
    return variables


@pytest.fixture
def daphne(directory: Path) -> Iterator[StartDaphne]:
    with ExitStack() as stack:

        def start(application: str = "booktime.asgi:application", **variables: str) -> Daphne:
            server = Daphne(directory, variables, application)
            if not variables.get("DATABASE_URL"):
                server.manage("migrate", "--verbosity", "0")
            return stack.enter_context(server)

        yield start

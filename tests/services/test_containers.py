"""The image and `compose.yaml`, without Docker: they agree with the Procfile, the settings and each other."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
import yaml
from django.conf import settings

from tests.servers import ROOT, SERVER_VARIABLES, Daphne, wait_until
from tests.services.test_procfile import LINES

DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
INSTRUCTIONS = [line.split(" ", 1) for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
SITE = ("web", "worker", "migrate")
DOCS = (ROOT / "docs" / "deploying.md").read_text()
FOR_INVOICES = {"libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"}


def last(instruction):
    return [rest for name, rest in INSTRUCTIONS if name == instruction][-1]


def seconds(duration):
    number, unit = re.fullmatch(r"(\d+)([sm])", duration).groups()
    return int(number) * {"s": 1, "m": 60}[unit]


def judge(path):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(command, capture_output=True, text=True)


def test_compose_file_is_one():
    done = judge(ROOT / "compose.yaml")
    assert done.returncode == 0, done.stdout


def test_wrong_compose_file_would_be_refused(tmp_path):
    wrong = tmp_path / "compose.yaml"
    wrong.write_text((ROOT / "compose.yaml").read_text().replace("stop_grace_period", "stop_grace_time"))
    assert judge(wrong).returncode == 1


def test_processes_are_those_of_the_procfile():
    assert json.loads(last("CMD")) == shlex.split(LINES["web"].replace("$PORT", "8000"))
    assert "command" not in SERVICES["web"]
    assert SERVICES["worker"]["command"] == LINES["worker"]
    assert SERVICES["migrate"]["command"] == LINES["release"]


def test_one_port_everywhere():
    assert last("EXPOSE") == "8000"
    # On this machine alone: a proxy stands before it.
    assert SERVICES["web"]["ports"] == ["127.0.0.1:8000:8000"]
    assert "127.0.0.1:8000/healthz" in (ROOT / "deploy" / "healthcheck.py").read_text()


def test_nothing_runs_as_root():
    assert int(last("USER")) > 0
    assert f"--uid {last('USER')} " in DOCKERFILE
    assert not any("user" in service for service in SERVICES.values())


def test_pictures_outlive_a_container():
    folder = last("VOLUME")
    assert folder == f"{last('WORKDIR')}/{settings.BASE_DIR.joinpath('var', 'media').relative_to(settings.BASE_DIR)}"
    for name in ("web", "worker"):
        assert SERVICES[name]["volumes"] == [f"pictures:{folder}"]
    assert set(COMPOSE["volumes"]) == {"pictures", "database"}


def test_each_waits_for_what_it_stands_on():
    for name in ("web", "worker"):
        waits = {on: how["condition"] for on, how in SERVICES[name]["depends_on"].items()}
        assert waits == {
            "migrate": "service_completed_successfully",
            "postgres": "service_healthy",
            "redis": "service_healthy",
        }
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert SERVICES["migrate"]["restart"] == "no"
    assert all("test" in SERVICES[name]["healthcheck"] for name in ("web", "postgres", "redis"))


def test_processes_have_the_time_to_finish():
    assert all(seconds(SERVICES[name]["stop_grace_period"]) >= 30 for name in SITE)


def test_settings_take_what_compose_sets(tmp_path):
    """The settings of a server, as they come out of compose.yaml and the `.env` of the guide."""
    guide = DOCS.split("## Containers")[1].split("## ")[0]
    lines = [line.strip() for line in guide.splitlines() if re.match(r"    [A-Z_]+='", line)]
    env_file = dict(shlex.split(line)[0].split("=", 1) for line in lines)
    assert set(env_file) - {"POSTGRES_PASSWORD"} <= set(SERVER_VARIABLES)
    for name in SITE:
        assert SERVICES[name]["env_file"] == ".env"
        assert set(SERVICES[name]["environment"]) <= set(SERVER_VARIABLES)
    password = env_file["POSTGRES_PASSWORD"]
    given = {
        name: re.sub(r"\$\{POSTGRES_PASSWORD:\?[^}]*\}", password, value)
        for name, value in SERVICES["web"]["environment"].items()
    }
    show = (
        "from django.conf import settings as s; print(s.DATABASES['default']['HOST'], s.DATABASES['default']['USER'],"
    )
    show += " s.DATABASES['default']['PASSWORD'], s.REDIS_URL, s.IS_DEMO, *s.ALLOWED_HOSTS)"
    printed = Daphne(tmp_path, {**env_file, **given}).manage("shell", "--no-imports", "--command", show).split()
    user = SERVICES["postgres"]["environment"]["POSTGRES_USER"]
    assert printed == ["postgres", user, password, "redis://redis:6379/0", "False", "shop.example"]


@pytest.mark.parametrize("place", ["Aptfile", "Dockerfile", "docs/deploying.md", "bin/bootstrap.py"])
def test_each_way_to_install_brings_the_libraries_of_invoices(place):
    names = set(re.findall(r"[\w.+-]+", (ROOT / place).read_text()))
    assert names >= FOR_INVOICES


def test_image_has_what_a_platform_has():
    assert set((ROOT / "Aptfile").read_text().split()) <= set(DOCKERFILE.split())


@pytest.fixture
def image(tmp_path):
    """What `COPY . ./` brings, by .dockerignore."""
    folder = tmp_path / "image"
    kept = (ROOT / ".dockerignore").read_text().splitlines()
    assert kept[1:2] == ["*"]
    for name in (line[1:] for line in kept if line.startswith("!")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


def test_image_holds_no_secrets_data_or_tests(image):
    names = {path.name for path in image.iterdir()}
    assert names.isdisjoint({".env", ".git", ".venv", "var", "tests", "media", "benchmarks"})


def test_image_holds_all_that_the_site_runs_on(image, postgres_server, redis_server, collected_static):
    clean = {name: value for name, value in os.environ.items() if name not in SERVER_VARIABLES}
    clean |= {"PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1"}

    def run(*command, **variables):
        environment = {**clean, **variables}
        done = subprocess.run(
            command, cwd=image, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    name, key = re.search(r"RUN (SECRET_KEY)=(\S+) bin/post_compile", DOCKERFILE).groups()
    # Compressing them all takes long, and was done by `bin/post_compile` already.
    assert "static files copied" in run("python", "manage.py", "collectstatic", "--noinput", "--dry-run", **{name: key})
    (image / "var").mkdir(exist_ok=True)
    (image / "var" / "static").symlink_to(collected_static)
    site = {"SECRET_KEY": "a-key" * 10, "DATABASE_URL": postgres_server.url, "REDIS_URL": redis_server.url}
    run(*shlex.split(LINES["release"]), **site)
    page = "from django.test import Client; import booktime.asgi; print(Client().get('/', secure=True).status_code)"
    shell = ("python", "manage.py", "shell", "--no-imports", "--command", page)
    assert run(*shell, **site, ALLOWED_HOSTS="testserver").splitlines()[-1] == "200"


def test_healthcheck_tells_whether_the_site_answers(daphne, tmp_path):
    hosts = {"ALLOWED_HOSTS": ".shop.example,books.example"}
    site = daphne(**hosts)
    check = tmp_path / "healthcheck.py"
    check.write_text((ROOT / "deploy" / "healthcheck.py").read_text().replace(":8000/", f":{site.port}/"))

    def healthy():
        return subprocess.run([sys.executable, check], env={**os.environ, **hosts}, capture_output=True).returncode == 0

    wait_until(healthy, "an answer to the check")
    site.kill()
    assert not healthy()

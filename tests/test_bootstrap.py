"""Which Python `bin/run` and `bin/test` take, and what they say where there is none or a part of it is missing."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import ROOT

TAKEN = ["3.11", "3.12", "3.13", "3.14"]
# Runs code in this interpreter, which says it were another version.
PRETEND = """
import runpy, sys
sys.version_info = (*map(int, sys.argv[1].split(".")), 0, "final", 0)
sys.path.insert(0, "bin")
code, sys.argv = sys.argv[2], sys.argv[3:]
exec(code)
"""
SCRIPT = "runpy.run_path(sys.argv[0], run_name='__main__')"


@pytest.fixture
def path(tmp_path):
    """A PATH without any program."""
    path = tmp_path / "path"
    path.mkdir()
    return path


def interpreter(path, name, line):
    program = path / name
    program.write_text(f"#!/bin/sh\n{line}\n")
    program.chmod(0o755)


def run_as(version, path, *arguments, code=SCRIPT):
    """What comes of it under a python3 of this version: status, output, errors."""
    command = [sys.executable, "-B", "-c", PRETEND, version, code, *arguments]
    done = subprocess.run(command, cwd=ROOT, env={"PATH": str(path)}, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("version", TAKEN)
def test_version_taken_goes_on_by_itself(path, version):
    interpreter(path, "python3.14", "echo another")
    status, output, errors = run_as(version, path, "bin/test", "--list")
    assert (status, errors) == (0, "")
    assert "suite on SQLite" in output


@pytest.mark.parametrize("version", ["3.6", "3.9", "3.10", "3.15"])
@pytest.mark.parametrize("script", ["bin/run", "bin/test"])
def test_other_version_is_told_which_are_taken(path, version, script):
    status, output, errors = run_as(version, path, script, "--help")
    assert (status, output) == (1, "")
    assert errors.startswith(f"{script}: Python 3.11 to 3.14 is needed, and this is {version}: ")
    assert errors.count("\n") == 1


@pytest.mark.parametrize("script", ["bin/run", "bin/test"])
def test_other_version_goes_on_in_the_newest_there_is(path, script):
    for version in ["3.10", *TAKEN[:3], "3.15"]:
        interpreter(path, f"python{version}", f'[ "$1" = -c ] || echo {version} "$@"')
    # As where the version is known by its name, but not installed.
    interpreter(path, "python3.14", "exit 127")
    status, output, _ = run_as("3.9", path, script, "--help", "a b")
    assert (status, output) == (0, f"3.13 -B {script} --help a b\n")


@pytest.mark.parametrize("script", ["bin/run", "bin/test", "bin/prove-on-debian", "bin/bootstrap.py"])
def test_older_versions_can_read_what_tells_them(script):
    ast.parse((ROOT / script).read_text(), feature_version=(3, 6))


@pytest.mark.parametrize("version", ["3.11", "3.13"])
@pytest.mark.parametrize("made_by", [None, "3.9"])
def test_missing_part_of_python_is_named_as_the_package_that_brings_it(path, tmp_path, version, made_by):
    if made_by:
        (tmp_path / "bin").mkdir()
        code = f"import sys; sys.version_info = ({made_by.replace('.', ', ')}); exec(sys.argv[1])"
        interpreter(tmp_path / "bin", "python", f'exec {sys.executable} -c "{code}" "$2"')
    code = (
        "import bootstrap; from pathlib import Path; sys.modules['ensurepip'] = None; "
        "bootstrap.VENV = Path(sys.argv[0]); bootstrap.PYTHON = bootstrap.VENV / 'bin' / 'python'; "
        "bootstrap.make_virtual_environment('requirements.txt')"
    )
    status, output, errors = run_as(version, path, str(tmp_path), code=code)
    assert (status, output) == (1, "")
    assert errors.endswith(f": these packages are missing: sudo apt-get install python{version}-venv\n")


def test_what_is_written_names_the_same_versions():
    assert "Python 3.11 to 3.14" in (ROOT / "README.md").read_text()
    settings = (ROOT / "pyproject.toml").read_text()
    assert 'target-version = "py311"' in settings
    assert 'python_version = "3.11"' in settings
    assert (ROOT / ".python-version").read_text().strip() in TAKEN


def test_no_script_asks_for_one_version():
    scripts = [path for folder in ("bin", "deploy") for path in Path(ROOT, folder).rglob("*") if path.is_file()]
    assert scripts
    assert [path.name for path in scripts if re.search(r"python3\.\d", path.read_text())] == []

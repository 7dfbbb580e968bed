"""What `bin/run` and `bin/test` need first: a Python that they take, a virtual environment, Debian's packages.

Standard library only: nothing is installed yet when this runs. It goes on in a Python from `OLDEST` to `NEWEST` as soon
as it is imported. An older one must be able to read it, and those who import it, to say so.
"""

import ctypes.util
import glob
import hashlib
import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

OLDEST, NEWEST = (3, 11), (3, 14)


def stop(sentence: str) -> NoReturn:
    sys.exit(f"{sys.argv[0]}: {sentence}")


def find_python() -> str:
    """The interpreter to use: the running one, else the newest on PATH; ends the program where none is taken."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return sys.executable
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        # What stands there may be a stand-in, which knows that version but has not got it.
        if found and _succeeds([found, "-c", ""]):
            return found
    stop(
        f"Python 3.{OLDEST[1]} to 3.{NEWEST[1]} is needed, and this is {sys.version_info[0]}.{sys.version_info[1]}: "
        f"install one of them, so that python3 or python3.{NEWEST[1]} is it."
    )


def _succeeds(command: "list[str]", *, show: bool = False) -> bool:
    output = None if show else subprocess.DEVNULL
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output).returncode == 0
    except OSError:
        return False


chosen = find_python()
if chosen != sys.executable:
    os.execv(chosen, [chosen, "-B", *sys.argv])  # noqa: S606

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def library(name: str) -> Callable[[], bool]:
    return lambda: ctypes.util.find_library(name) is not None


def program(name: str) -> Callable[[], bool]:
    return lambda: shutil.which(name) is not None


def has_ensurepip() -> bool:
    importlib.invalidate_caches()
    return importlib.util.find_spec("ensurepip") is not None


# Debian's name of a package -> whether what it brings is there, wherever it came from.
FOR_VENV = {f"python{sys.version_info[0]}.{sys.version_info[1]}-venv": has_ensurepip}
FOR_INVOICES = {
    "libpango-1.0-0": library("pango-1.0"),
    "libpangoft2-1.0-0": library("pangoft2-1.0"),
    "libharfbuzz-subset0": library("harfbuzz-subset"),
}
FOR_TESTS = {
    **FOR_INVOICES,
    "chromium": program("chromium"),
    "nodejs": program("node"),
    # Debian keeps it where only root's PATH leads.
    "nginx-light": lambda: shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") is not None,
    "openssl": program("openssl"),
    "curl": program("curl"),
    "systemd": program("systemd-analyze"),
    "redis-server": program("redis-server"),
    "postgresql": lambda: bool(glob.glob("/usr/lib/postgresql/*/bin/initdb")) or shutil.which("initdb") is not None,
}


def install_packages(packages: dict[str, Callable[[], bool]], *, required: bool) -> None:
    """Install Debian's packages that are missing where this user may; name them in one line where not.

    Where they are `required`, the program ends if any of them is still missing.
    """
    missing = [name for name, is_there in packages.items() if not is_there()]
    if not missing:
        return
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    may = shutil.which("apt-get") and (not as_root or _succeeds([*as_root, "true"]))
    if may:
        print(f"Installing {', '.join(missing)} …", flush=True)
        # In run level 1 no package starts the service that it brings.
        apt = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get", "-qq", "-y"]
        _succeeds([*apt, "update"])
        _succeeds([*apt, "install", "--no-install-recommends", *missing], show=True)
        missing = [name for name, is_there in packages.items() if not is_there()]
    if missing:
        sentence = f"these packages are missing: sudo apt-get install {' '.join(missing)}"
        if required:
            stop(sentence)
        print(f"PDF invoices will not work until installed: sudo apt-get install {' '.join(missing)}", file=sys.stderr)


def make_virtual_environment(requirements: str) -> None:
    """Make `.venv` and install `requirements` and all that it includes; at once where they have not changed."""
    files = sorted(ROOT.glob("requirements*.txt"))
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    stamp = VENV / f"{requirements}.installed"
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    if not _succeeds(
        [str(PYTHON), "-c", f"import pip, sys; sys.exit(not {OLDEST} <= sys.version_info[:2] <= {NEWEST})"]
    ):
        install_packages(FOR_VENV, required=True)
        print("Making .venv …", flush=True)
        made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], stdin=subprocess.DEVNULL)
        if made.returncode:
            stop("the virtual environment could not be made: see above.")
    print(f"Installing {requirements} …", flush=True)
    pip = [str(PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input"]
    if subprocess.run([*pip, "-r", str(ROOT / requirements)], stdin=subprocess.DEVNULL).returncode:
        stop(f"the packages of {requirements} could not be installed: see above. Is the package index reachable?")
    stamp.write_text(wanted)

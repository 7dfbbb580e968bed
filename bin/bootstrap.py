"""What `bin/run` and `bin/test` need first: Python 3.11, a virtual environment, Debian's packages.

Standard library only: nothing is installed yet when this runs.
"""

import ctypes.util
import glob
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def library(name: str) -> Callable[[], bool]:
    return lambda: ctypes.util.find_library(name) is not None


def program(name: str) -> Callable[[], bool]:
    return lambda: shutil.which(name) is not None


# Debian's name of a package -> whether what it brings is there, wherever it came from.
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


def stop(sentence: str) -> NoReturn:
    sys.exit(f"{sys.argv[0]}: {sentence}")


def find_python() -> str:
    """The interpreter to make the virtual environment with; ends the program where Python 3.11 is missing."""
    if sys.version_info[:2] == (3, 11):
        return sys.executable
    found = shutil.which("python3.11")
    works = found and subprocess.run([found, "-c", ""], capture_output=True).returncode == 0
    if not found or not works:
        stop("Python 3.11 is needed and was not found: install it (apt-get install python3.11 python3.11-venv).")
    return found


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
    if not _succeeds([str(PYTHON), "-m", "pip", "--version"]):
        print("Making .venv …", flush=True)
        made = subprocess.run([find_python(), "-m", "venv", "--clear", str(VENV)], stdin=subprocess.DEVNULL)
        if made.returncode:
            stop("the virtual environment could not be made: sudo apt-get install python3.11-venv")
    print(f"Installing {requirements} …", flush=True)
    pip = [str(PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input"]
    if subprocess.run([*pip, "-r", str(ROOT / requirements)], stdin=subprocess.DEVNULL).returncode:
        stop(f"the packages of {requirements} could not be installed: see above. Is the package index reachable?")
    stamp.write_text(wanted)


def _succeeds(command: list[str], *, show: bool = False) -> bool:
    output = None if show else subprocess.DEVNULL
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output).returncode == 0
    except OSError:
        return False

"""Set this checkout up: system packages, `.venv` from the hashed lock, the project, message catalogues.

Runs before the virtual environment exists, so it uses the standard library alone. A second run compares two
stamps and ends at once; it needs no network. System packages are installed only on Debian-like systems and
only as root (or with sudo that asks nothing); elsewhere the list of what is missing is printed.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "packaging" / "locks" / "dev.lock"
STAMP = VENV / ".fieldkeep-setup"
MINIMUM = (3, 11)


@dataclass(frozen=True)
class Need:
    """One system package: its Debian name, what it is for, and how to see whether it is here."""

    package: str
    purpose: str
    present: Callable[[], bool]


def _program(name: str) -> Callable[[], bool]:
    # A person's path often leaves out where programs of the system lie.
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
    return lambda: shutil.which(name, path=path) is not None


def _library(soname: str) -> Callable[[], bool]:
    def loads() -> bool:
        try:
            ctypes.CDLL(soname)
        except OSError:
            return False
        return True

    return loads


def _font(pattern: str) -> Callable[[], bool]:
    folders = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts")
    return lambda: any(next(folder.rglob(pattern), None) for folder in folders if folder.is_dir())


def _venv_works() -> bool:
    return importlib.util.find_spec("venv") is not None and importlib.util.find_spec("ensurepip") is not None


def _postgresql() -> bool:
    return any(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or shutil.which("initdb") is not None


_QT = "the window (Qt)"
_NETWORK = "networks that lose packets, in tests"
NEEDS: tuple[Need, ...] = (
    Need("python3-venv", "the virtual environment", _venv_works),
    Need("dbus", "the keyring's message bus", _program("dbus-daemon")),
    Need("gnome-keyring", "the system keyring of tests and demo", _program("gnome-keyring-daemon")),
    Need("xvfb", "a display for tests and demo", _program("Xvfb")),
    Need("postgresql-15", "the server's other store, in tests", _postgresql),
    Need("chromium", "the console in a browser, in tests", _program("chromium")),
    Need("chromium-driver", "the console in a browser, in tests", _program("chromedriver")),
    Need("iproute2", _NETWORK, _program("ip")),
    Need("nftables", _NETWORK, _program("nft")),
    Need("fontconfig", _QT, _program("fc-list")),
    Need("fonts-noto-core", "Latin texts", _font("NotoSans-Regular.*")),
    Need("fonts-noto-cjk", "Chinese texts", _font("NotoSansCJK-*")),
    Need("libegl1", _QT, _library("libEGL.so.1")),
    Need("libgl1", _QT, _library("libGL.so.1")),
    Need("libopengl0", _QT, _library("libOpenGL.so.0")),
    Need("libdbus-1-3", _QT, _library("libdbus-1.so.3")),
    Need("libfontconfig1", _QT, _library("libfontconfig.so.1")),
    Need("libfreetype6", _QT, _library("libfreetype.so.6")),
    Need("libglib2.0-0", _QT, _library("libglib-2.0.so.0")),
    Need("libx11-xcb1", _QT, _library("libX11-xcb.so.1")),
    Need("libxkbcommon0", _QT, _library("libxkbcommon.so.0")),
    Need("libxkbcommon-x11-0", _QT, _library("libxkbcommon-x11.so.0")),
    Need("libxcb-cursor0", _QT, _library("libxcb-cursor.so.0")),
    Need("libxcb-icccm4", _QT, _library("libxcb-icccm.so.4")),
    Need("libxcb-image0", _QT, _library("libxcb-image.so.0")),
    Need("libxcb-keysyms1", _QT, _library("libxcb-keysyms.so.1")),
    Need("libxcb-randr0", _QT, _library("libxcb-randr.so.0")),
    Need("libxcb-render-util0", _QT, _library("libxcb-render-util.so.0")),
    Need("libxcb-shape0", _QT, _library("libxcb-shape.so.0")),
    Need("libxcb-sync1", _QT, _library("libxcb-sync.so.1")),
    Need("libxcb-xfixes0", _QT, _library("libxcb-xfixes.so.0")),
    Need("libxcb-xinerama0", _QT, _library("libxcb-xinerama.so.0")),
    Need("libxcb-xkb1", _QT, _library("libxcb-xkb.so.1")),
)


def missing(needs: Iterable[Need] = NEEDS) -> list[Need]:
    """What of `needs` is not on this system."""
    return [need for need in needs if not need.present()]


def _rights() -> list[str] | None:
    """The words to put before apt-get: none for root, sudo where it asks nothing, None where neither goes."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    asked = subprocess.run(["sudo", "-n", "true"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return ["sudo", "-n"] if asked.returncode == 0 else None


def _apt(before: list[str], *words: str) -> bool:
    """Run apt-get without questions; says whether it went well."""
    command = [*before, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", *words]
    print("setup:", " ".join(words), flush=True)
    return subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode == 0


def system_packages() -> list[Need]:
    """Install what is missing where there are rights; gives back what is missing still."""
    absent = missing()
    if not absent:
        return []
    before = _rights()
    if before is not None:
        names = [need.package for need in absent]
        _apt(before, "update")
        if not _apt(before, "install", "--no-install-recommends", *names):
            # One package unknown to this release must not keep all the others away.
            for name in names:
                _apt(before, "install", "--no-install-recommends", name)
        importlib.invalidate_caches()
    return missing()


def _say_missing(absent: list[Need]) -> None:
    print("\nsetup: these system packages are missing (Debian names):", file=sys.stderr)
    for need in absent:
        print(f"  {need.package:22} {need.purpose}", file=sys.stderr)
    print(
        f"Install them with: apt-get install {' '.join(need.package for need in absent)}\n", file=sys.stderr
    )


def _fingerprint() -> str:
    """Changes when the parts, the project's entry points or the Python below `.venv` change."""
    import tomllib  # not at the top: a Python too old for it must reach the message in main()

    tables = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    digest = hashlib.sha256(LOCK.read_bytes())
    digest.update(repr((tables["build-system"], tables["project"], tables["tool"]["hatch"])).encode())
    digest.update(f"{sys.version_info[:3]} {ROOT}".encode())
    return digest.hexdigest()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, cwd=ROOT, stdin=subprocess.DEVNULL)


def virtual_environment() -> bool:
    """Make `.venv` match the lock; says whether there was anything to do."""
    wanted = _fingerprint()
    if STAMP.is_file() and STAMP.read_text() == wanted:
        return False
    python = str(VENV / "bin" / "python")
    config = VENV / "pyvenv.cfg"
    here = f"version = {sys.version_info.major}.{sys.version_info.minor}."
    if not (config.is_file() and here in config.read_text() and Path(python).exists()):
        print("setup: making .venv", flush=True)
        _run(sys.executable, "-m", "venv", "--clear", str(VENV))
    STAMP.unlink(missing_ok=True)
    pip = (python, "-m", "pip", "--disable-pip-version-check", "-qq")  # what fails is still said
    print("setup: installing the locked parts", flush=True)
    _run(*pip, "install", "--require-hashes", "--only-binary=:all:", "-r", str(LOCK))
    _run(*pip, "install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    STAMP.write_text(wanted)
    return True


def compile_tree() -> None:
    """Have the tree's modules compiled, as pip does with those it installs: a start without that takes twice as long.

    Only what has changed since is compiled again. An environment in which Python writes none by itself has them too.
    """
    _run(str(VENV / "bin" / "python"), "-m", "compileall", "-q", "app", "sync")


def main() -> int:
    """Set up; exit code 0 when `.venv` stands, 1 when it cannot be made."""
    if sys.version_info < MINIMUM:
        print("setup: Fieldkeep needs Python 3.11 or newer.", file=sys.stderr)
        return 1
    absent = system_packages()
    if any(need.package == "python3-venv" for need in absent):
        _say_missing(absent)
        return 1
    try:
        changed = virtual_environment()
        _run(str(VENV / "bin" / "python"), "packaging/texts.py", "compile")
        compile_tree()
    except subprocess.CalledProcessError as error:
        print(f"setup: a step ended with {error.returncode}; see the lines above.", file=sys.stderr)
        return 1
    if absent:
        _say_missing(absent)
        print("setup: .venv stands, but tests, demo and window may need the packages above.", file=sys.stderr)
    print("setup: done" if changed else "setup: nothing to do")
    return 0


if __name__ == "__main__":
    sys.exit(main())

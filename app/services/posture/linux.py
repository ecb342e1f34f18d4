"""What Linux tells of itself: os-release, the devices below a folder, the desktop's screen lock, firmware, packages."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
from pathlib import Path
from typing import Final

from app.services.posture import is_root

_ANSWERS_S: Final = 2.0
_DAY_S: Final = 86_400
_READ_MAX: Final = 2**20
_CRYPT: Final = "CRYPT-"  # how device-mapper marks what it encrypts, LUKS among it
_ENCRYPTING: Final = ("ecryptfs", "gocryptfs", "fuse.gocryptfs", "fuse.cryfs", "fuse.encfs")
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")
_SECURE_BOOT: Final = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
# Where package managers leave a mark when they have changed or checked something.
_PACKAGES: Final = (
    "var/lib/apt/periodic/update-success-stamp",
    "var/lib/dpkg/status",
    "var/lib/dnf/history.sqlite",
    "var/lib/rpm/rpmdb.sqlite",
    "usr/lib/sysimage/rpm/rpmdb.sqlite",
    "var/lib/pacman/local",
    "ostree/deploy",
)


class Linux:
    """Reads below `root`, which tests have elsewhere."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def os(self) -> tuple[str, str] | None:
        """ID and VERSION_ID of os-release."""
        text = self._read("etc/os-release") or self._read("usr/lib/os-release")
        said = dict(line.split("=", 1) for line in (text or "").splitlines() if "=" in line)
        name, version = (said.get(key, "").strip().strip("'\"") for key in ("ID", "VERSION_ID"))
        return (name, version) if name else None

    def disk_encryption(self, folder: Path) -> bool | None:
        """Whether everything below the mounted device is encrypted; None for what is no local disk."""
        mount = self._mount_of(folder)
        if mount is None:
            return None
        kind, source, numbers = mount
        if kind in _ENCRYPTING:
            return True
        block = self._root / "sys/dev/block"
        if not (block / numbers).exists():
            # Some file systems, btrfs among them, have a number of their own and name their device.
            found = self._numbers_of(source)
            if found is None or not (block / found).exists():
                return None
            numbers = found
        return self._is_encrypted((block / numbers).resolve(), 0)

    def screen_lock(self) -> tuple[bool, int] | None:
        """What the settings of GNOME or KDE say; None for other desktops."""
        desktop = os.environ.get("XDG_CURRENT_DESKTOP", "").upper()
        if "KDE" in desktop:
            return self._kde()
        if any(name in desktop for name in ("GNOME", "UNITY")):
            return _gnome()
        return None

    def model(self) -> tuple[str, str] | None:
        """What the firmware calls the machine."""
        maker, model = (self._read(f"sys/class/dmi/id/{name}") for name in ("sys_vendor", "product_name"))
        if model is None:
            maker, model = None, self._read("sys/firmware/devicetree/base/model")
        if not model or not model.strip("\0 \n"):
            return None
        return (maker or "").strip("\0 \n"), model.strip("\0 \n")

    def updates_day(self) -> int | None:
        """The youngest mark of a package manager."""
        found = []
        for name in _PACKAGES:
            try:
                found.append((self._root / name).stat().st_mtime)
            except OSError:
                continue
        return int(max(found) // _DAY_S) if found else None

    def secure_boot(self) -> bool | None:
        """The firmware's own variable; a machine without UEFI has no secure boot."""
        try:
            data = (self._root / _SECURE_BOOT).read_bytes()
        except OSError:
            firmware = self._root / "sys/firmware"
            without = (firmware / "acpi").exists() and not (firmware / "efi").exists()
            return False if without else None
        return data[-1] == 1 if len(data) == 5 else None

    def elevated(self) -> bool | None:
        """Whether it runs as root."""
        return is_root()

    def keyring(self) -> str:
        """The only one that Fieldkeep uses here."""
        return "secret-service"

    def screenshot_protection(self) -> bool:
        """Neither X11 nor Wayland has a way for a window to ask for it."""
        return False

    # -- inside

    def _read(self, name: str) -> str | None:
        try:
            with (self._root / name).open("rb") as file:
                return file.read(_READ_MAX).decode("utf-8", "replace")
        except OSError:
            return None

    def _mount_of(self, folder: Path) -> tuple[str, str, str] | None:
        """Kind of file system, source and device numbers of the mount that a folder lies in."""
        best: tuple[int, tuple[str, str, str]] | None = None
        place = folder.resolve()
        for line in (self._read("proc/self/mountinfo") or "").splitlines():
            before, _dash, behind = line.partition(" - ")
            fields, more = before.split(), behind.split()
            if len(fields) < 5 or len(more) < 2:
                continue
            point = Path(_unescaped(fields[4]))
            # Of two mounts in one place, the later lies over the earlier.
            if place.is_relative_to(point) and (best is None or len(point.parts) >= best[0]):
                best = len(point.parts), (more[0], _unescaped(more[1]), fields[2])
        return best[1] if best is not None else None

    def _numbers_of(self, source: str) -> str | None:
        if not source.startswith("/dev/"):
            return None
        try:
            number = (self._root / source[1:]).stat().st_rdev
        except OSError:
            return None
        return f"{os.major(number)}:{os.minor(number)}"

    def _is_encrypted(self, device: Path, deep: int) -> bool | None:
        try:
            uuid = (device / "dm/uuid").read_text(encoding="ascii", errors="replace")
        except OSError:
            uuid = ""
        if uuid.startswith(_CRYPT):
            return True
        try:
            below = sorted((device / "slaves").iterdir())
        except OSError:
            below = []
        if not below or deep > 8:
            return False
        return all(self._is_encrypted(each.resolve(), deep + 1) for each in below)

    def _kde(self) -> tuple[bool, int] | None:
        config = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
        settings = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            settings.read(self._root / Path(config).relative_to("/") / "kscreenlockerrc", encoding="utf-8")
            daemon = settings["Daemon"] if settings.has_section("Daemon") else {}
            locks = daemon.get("Autolock", "true").lower() != "false"
            return locks, int(daemon.get("Timeout", "5")) * 60
        except (configparser.Error, OSError, ValueError):
            return None


def _gnome() -> tuple[bool, int] | None:
    enabled = _setting("org.gnome.desktop.screensaver", "lock-enabled")
    idle, delay = (
        _setting("org.gnome.desktop.session", "idle-delay"),
        _setting("org.gnome.desktop.screensaver", "lock-delay"),
    )
    if enabled is None or idle is None:
        return None
    after = int(idle.split()[-1])
    return enabled == "true" and after > 0, after + int((delay or "0").split()[-1])


def _setting(schema: str, name: str) -> str | None:
    try:
        found = subprocess.run(
            ["gsettings", "get", schema, name],
            capture_output=True, text=True, timeout=_ANSWERS_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() if found.returncode == 0 and found.stdout.strip() else None


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), text)

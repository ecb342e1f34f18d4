"""What a device tells of itself, read from a system that is laid out for the test; and what it leaves out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from app.services.posture import PARTS, SERVES_S, Posture, this_system
from app.services.posture.elsewhere import MacOs, Windows
from app.services.posture.linux import Linux
from sync.protocol.signals import SIGNALS

DAY_S = 86_400


def lay(root: Path, **files: str | bytes) -> Linux:
    """A system with these files; "__" parts folders."""
    for name, data in files.items():
        put(root, name.replace("__", "/"), data)
    return Linux(root)


def put(root: Path, name: str, data: str | bytes = "") -> Path:
    """A file below the root."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def disk(root: Path, numbers: str, name: str, uuid: str = "", below: tuple[str, ...] = ()) -> None:
    """A block device as the kernel shows it, over others."""
    device = root / "sys/devices" / name
    (device / "slaves").mkdir(parents=True, exist_ok=True)
    if uuid:
        put(device, "dm/uuid", uuid)
    for each in below:
        (device / "slaves" / each).symlink_to(root / "sys/devices" / each)
    block = root / "sys/dev/block"
    block.mkdir(parents=True, exist_ok=True)
    (block / numbers).symlink_to(device)


def mounts(root: Path, *lines: str) -> None:
    """What is mounted where."""
    put(root, "proc/self/mountinfo", "\n".join(lines) + "\n")


ROOT_DISK = "25 1 8:1 / / rw - ext4 /dev/sda1 rw"


def test_the_system_says_what_it_is(tmp_path: Path) -> None:
    assert lay(tmp_path, etc__osrelease="").os() is None
    put(tmp_path, "etc/os-release", 'NAME="Debian"\nID=debian\nVERSION_ID="12"\n')
    assert Linux(tmp_path).os() == ("debian", "12")
    put(tmp_path, "etc/os-release", "ID='arch'\n")
    assert Linux(tmp_path).os() == ("arch", "")


@pytest.mark.parametrize(
    ("uuid", "below", "encrypted"),
    [
        ("", (), False),
        ("CRYPT-LUKS2-0123-name", (), True),
        ("LVM-abc", ("luks",), True),
        ("LVM-abc", ("luks", "plain"), False),
        ("LVM-abc", (), False),
    ],
)
def test_a_disk_is_encrypted_when_all_below_it_is(
    tmp_path: Path, uuid: str, below: tuple[str, ...], encrypted: bool
) -> None:
    disk(tmp_path, "253:0", "luks", "CRYPT-LUKS2-x")
    disk(tmp_path, "8:2", "plain")
    disk(tmp_path, "8:1", "sda1", uuid, below)
    mounts(tmp_path, ROOT_DISK)
    assert Linux(tmp_path).disk_encryption(Path("/home/anna")) is encrypted


def test_the_mount_that_a_folder_lies_in_decides(tmp_path: Path) -> None:
    disk(tmp_path, "8:1", "sda1")
    disk(tmp_path, "253:0", "home", "CRYPT-LUKS2-x")
    mounts(
        tmp_path, ROOT_DISK, "30 25 253:0 / /home rw - ext4 /dev/mapper/home rw",
        r"31 25 0:40 / /mnt/with\040space rw - tmpfs tmpfs rw", "32 25 0:41 / /net rw - nfs4 server:/x rw",
        "33 25 0:42 / /private rw - ecryptfs /home/.p rw",
    )  # fmt: skip
    system = Linux(tmp_path)
    found = {
        place: system.disk_encryption(Path(place))
        for place in ("/srv", "/home/a", "/homes", "/mnt/with space", "/net", "/private/x")
    }
    assert found == {
        "/srv": False, "/home/a": True, "/homes": False, "/mnt/with space": None, "/net": None, "/private/x": True,
    }  # fmt: skip


def test_without_a_table_of_mounts_nothing_is_said(tmp_path: Path) -> None:
    assert Linux(tmp_path).disk_encryption(Path("/")) is None


@pytest.mark.parametrize(
    ("variable", "firmware", "said"),
    [
        (b"\x06\0\0\0\x01", ("efi",), True),
        (b"\x06\0\0\0\x00", ("efi",), False),
        (b"\x06\0\0", ("efi",), None),
        (None, ("acpi",), False),
        (None, ("acpi", "efi"), None),
        (None, (), None),
    ],
)
def test_secure_boot_is_what_the_firmware_says(
    tmp_path: Path, variable: bytes | None, firmware: tuple[str, ...], said: bool | None
) -> None:
    for name in firmware:
        (tmp_path / "sys/firmware" / name).mkdir(parents=True)
    if variable is not None:
        put(tmp_path, "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", variable)
    assert Linux(tmp_path).secure_boot() is said


def test_the_youngest_mark_of_a_package_manager_counts(tmp_path: Path) -> None:
    assert Linux(tmp_path).updates_day() is None
    os.utime(put(tmp_path, "var/lib/dpkg/status"), (5 * DAY_S, 5 * DAY_S))
    os.utime(put(tmp_path, "var/lib/apt/periodic/update-success-stamp"), (9 * DAY_S, 9 * DAY_S))
    assert Linux(tmp_path).updates_day() == 9


def test_maker_and_model_come_from_the_firmware(tmp_path: Path) -> None:
    assert Linux(tmp_path).model() is None
    put(tmp_path, "sys/firmware/devicetree/base/model", b"Raspberry Pi 5\0")
    assert Linux(tmp_path).model() == ("", "Raspberry Pi 5")
    put(tmp_path, "sys/class/dmi/id/sys_vendor", "LENOVO\n")
    put(tmp_path, "sys/class/dmi/id/product_name", "ThinkPad T14\n")
    assert Linux(tmp_path).model() == ("LENOVO", "ThinkPad T14")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("[Daemon]\nAutolock=false\n", (False, 300)),
        ("[Daemon]\nTimeout=2\n", (True, 120)),
        ("", (True, 300)),
        ("[Daemon]\nTimeout=soon\n", None),
    ],
)
def test_the_screen_lock_of_kde(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str, said: tuple[bool, int] | None
) -> None:
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "KDE")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/home/anna/.config")
    put(tmp_path, "home/anna/.config/kscreenlockerrc", settings)
    assert Linux(tmp_path).screen_lock() == said


@pytest.mark.parametrize(
    ("enabled", "idle", "delay", "said"),
    [
        ("true", "uint32 300", "uint32 30", (True, 330)),
        ("false", "uint32 300", "uint32 0", (False, 300)),
        ("true", "uint32 0", "uint32 0", (False, 0)),
        (None, None, None, None),
    ],
)
def test_the_screen_lock_of_gnome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, enabled: str | None, idle: str | None, delay: str | None,
    said: tuple[bool, int] | None,
) -> None:  # fmt: skip
    answers = {"lock-enabled": enabled, "idle-delay": idle, "lock-delay": delay}
    tool = put(tmp_path, "gsettings", "#!/bin/sh\n" + "".join(
        f'[ "$3" = {name} ] && echo "{value}" && exit 0\n' for name, value in answers.items() if value
    ) + "exit 1\n")  # fmt: skip
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "ubuntu:GNOME")
    assert Linux(tmp_path).screen_lock() == said
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "sway")
    assert Linux(tmp_path).screen_lock() is None


class Odd(Linux):
    """A system that answers oddly."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def os(self) -> tuple[str, str] | None:
        self.asked += 1
        return "x" * 10_000, "1"

    def model(self) -> tuple[str, str] | None:
        raise ValueError


def test_what_cannot_be_read_is_left_out_and_what_was_read_serves_for_a_while(tmp_path: Path) -> None:
    now, odd = [0.0], Odd()
    posture = Posture(tmp_path, lambda: odd, lambda: now[0])
    found = posture.read({"os", "model", "weather"})
    assert set(found) == {"os"}
    assert len(str(found["os"])) == 120
    posture.read({"os_version"})
    assert odd.asked == 1
    now[0] = SERVES_S
    posture.read({"os"})
    assert odd.asked == 2
    posture.look_again()
    posture.read({"os"})
    assert odd.asked == 3


def test_every_part_that_a_signal_is_told_by_can_be_read() -> None:
    own = {"clock", "refused_document"}  # what a session knows by itself (ruling.py)
    assert {name for signal in SIGNALS.values() for name in signal.told} == PARTS | own


def test_this_machine_tells_what_it_is() -> None:
    found = Posture(Path.cwd(), this_system).all()
    assert found["keyring"] == "secret-service"
    assert found["screenshot_protection"] is False
    assert isinstance(found["elevated"], bool)


@pytest.mark.parametrize("system", [Windows(), MacOs()])
def test_the_other_systems_answer_or_say_nothing(system: Any) -> None:
    """Not run there yet: here at least nothing of it fails."""
    for name in ("os", "screen_lock", "model", "updates_day", "secure_boot", "elevated", "keyring"):
        getattr(system, name)()
    assert system.disk_encryption(Path("/")) in (None, True, False)

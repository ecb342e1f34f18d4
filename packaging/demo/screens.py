"""The demo's pictures of the real window, and its look into the real keyring."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import secretstorage
from stage import Stage

DRIVE = Path(__file__).resolve().parent / "drive.py"
SCENE_S = 180
NOT_BLANK = 8_000  # bytes: a window of one colour compresses to less


def keyring_entries(device_id: str) -> list[str]:
    """Names of the keyring entries of a device, read past our own code."""
    wanted = device_id.replace("-", "")
    with contextlib.closing(secretstorage.dbus_init()) as bus:
        collection = secretstorage.get_default_collection(bus)
        attributes = (item.get_attributes() for item in collection.get_all_items())
        return sorted(a.get("username", "") for a in attributes if wanted in a.get("service", ""))


def shoot(stage: Stage, profile: str, scene: str, names: tuple[str, ...]) -> None:
    """Open the desktop on a laptop, let it show a scene, and look whether the pictures are there."""
    for name in names:
        for look in ("light", "dark"):
            (stage.folder / f"{name}-{look}.png").unlink(missing_ok=True)
    with _display() as env:
        done = subprocess.run(
            [sys.executable, DRIVE, stage.folder / profile, stage.folder, scene],
            env=env,
            capture_output=True,
            text=True,
            timeout=SCENE_S,
            check=False,
        )
    stage.check(
        f"the window shows: {', '.join(names)}", held=done.returncode == 0, detail=done.stderr.strip()[-300:]
    )
    for name in names:
        for look in ("light", "dark"):
            picture = stage.folder / f"{name}-{look}.png"
            size = picture.stat().st_size if picture.exists() else 0
            stage.check(f"picture {picture.name}", held=size > NOT_BLANK, detail=f"{size // 1024} KiB")


@contextlib.contextmanager
def _display() -> Iterator[dict[str, str]]:
    """The display there is, or one of our own where there is none."""
    if sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        yield dict(os.environ)
        return
    read_end, write_end = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write_end), "-screen", "0", "1440x900x24", "-nolisten", "tcp"],
        pass_fds=(write_end,),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write_end)
    try:
        with os.fdopen(read_end) as told:
            number = told.readline().strip()
        if not number:
            raise SystemExit("no display, and Xvfb did not start: run make setup")
        yield {**os.environ, "DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"}
    finally:
        server.terminate()
        server.wait(10)

"""After a lock by the system, neither the data key nor the PIN lies anywhere in the window's process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.keys.secret import SecretBytes
from app.paths import Profile
from app.services.opening import open_session
from tests.system.buses import Daemon, LogindService
from tests.ui.watched_window import MASK

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the memory by /proc")
PIN = b"wolken 83 am see"


def masked(secret: bytes | memoryview) -> str:
    return bytes(byte ^ MASK for byte in secret).hex()


def test_neither_key_nor_pin_is_left_in_the_window(laptop: Profile, tmp_path: Path) -> None:
    """Case 81."""
    with open_session(laptop) as session:
        session.choose_pin(SecretBytes(PIN))
        with session.pin.key() as key:
            secrets = {"data key": masked(key.view), "pin": masked(PIN)}
    bus = Daemon(tmp_path, "system")
    bus.start()
    logind = LogindService(bus)
    logind.serve()
    environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": bus.address, "XDG_SESSION_ID": "1"}
    window = subprocess.Popen(
        [sys.executable, "-m", "tests.ui.watched_window"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    try:
        assert window.stdin is not None and window.stdout is not None
        window.stdin.write(json.dumps({"profile": str(laptop.folder), "masked": secrets}) + "\n")
        window.stdin.flush()
        assert window.stdout.readline() == "open\n"
        logind.lock()
        told = json.loads(window.stdout.readline())
        window.stdin.close()
        assert window.wait(60) == 0
    finally:
        window.kill()
        window.wait()
        assert window.stdout is not None
        window.stdout.close()
        logind.close()
        bus.stop()
    assert told["before"]["data key"][0] >= 1, "the search finds what is there"
    assert told["after"] == {"data key": [0, 0], "pin": [0, 0]}
    assert told["before"]["pin"] == [0, 0], "a PIN is needed for the moment of its check alone"

"""What a terminal shows that a pipe does not: how far a long import is, the words of an organisation; and Ctrl-C."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

from sync.protocol import codes
from sync.protocol.fingerprint import words_of
from tests.road import ANNA, Town

ROWS = 20_000
WAIT_S = 120


def test_ctrl_c_while_rows_are_written_leaves_nothing(town: Town, tmp_path: Path) -> None:
    laptop = town.laptop(ANNA)
    path = tmp_path / "customers.csv"
    path.write_text("name,number\n" + "".join(f"Company {n},N{n}\n" for n in range(ROWS)))
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "app", "--profile", str(laptop.folder), "import", str(path)]
    # Who runs tests in the background makes them deaf to Ctrl-C, and that would be inherited.
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, text=True)
    finally:
        signal.signal(signal.SIGINT, heard)
    os.close(theirs)
    shown = _until(ours, b"Bringing in: ")
    child.send_signal(signal.SIGINT)
    shown += _until(ours, b"Nothing was imported.")
    assert child.wait(WAIT_S) == 1
    assert child.stdout is not None
    assert child.stdout.read() == ""
    child.stdout.close()
    os.close(ours)
    assert f" of {ROWS}".encode() in shown
    assert b"Traceback" not in shown
    assert laptop.json("list", "customer") == []
    assert laptop.json("status")["unsent"] == 0


def test_a_script_gets_no_line(town: Town, tmp_path: Path) -> None:
    laptop = town.laptop(ANNA)
    path = tmp_path / "customers.csv"
    path.write_text("name,number\n" + "".join(f"Company {n},N{n}\n" for n in range(3_000)))
    done = laptop.ask("import", str(path))
    assert (done.code, done.err) == (0, "")
    assert "3000 new" in done.out


def test_who_types_a_code_is_shown_the_words_of_the_organisation(town: Town) -> None:
    other, code = town.laptop(), town.code(ANNA)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "app", "--profile", str(other.folder), "enrol", "--name", "typed"]
    child = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)
    shown = _until(ours, b"Enrolment code: ")
    os.write(ours, f"{code}\n".encode())
    shown += _until(ours, b"typed is enrolled for ")
    assert child.wait(WAIT_S) == 0
    os.close(ours)
    words = words_of(codes.read(code).root_digest)
    assert f"Words of the organisation, to compare with IT: {words}".encode() in shown


def _until(terminal: int, wanted: bytes) -> bytes:
    """What the terminal shows, until it shows this."""
    found = b""
    until = time.monotonic() + WAIT_S
    while wanted not in found:
        readable, _, _ = select.select([terminal], [], [], max(0.0, until - time.monotonic()))
        assert readable, found[-500:]
        found += os.read(terminal, 65_536)
    return found

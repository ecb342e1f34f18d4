"""The keyring session: apart from the person's own, kept when asked, gone without a trace otherwise."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import keyring.backends.SecretService
import psutil
import pytest

from tests.house.tree import ROOT

SCRIPT = ROOT / "packaging" / "keyring_session.py"
DEADLINE = 60

_SET = "import keyring; keyring.set_password('fieldkeep-test', 'one', 'kept for the next session')"
_GET = "import keyring; print(keyring.get_password('fieldkeep-test', 'one'))"


def _start(*words: str, home: Path | None = None) -> subprocess.Popen[str]:
    kept = ["--home", str(home)] if home else []
    command = [sys.executable, str(SCRIPT), *kept, "--", *words]
    env = {**os.environ, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)


def _run(*words: str, home: Path | None = None) -> tuple[int, str]:
    with _start(*words, home=home) as process:
        out, _ = process.communicate(timeout=DEADLINE)
    return process.returncode, out.strip()


def test_tests_have_a_real_keyring_that_is_not_the_persons() -> None:
    assert isinstance(keyring.get_keyring(), keyring.backends.SecretService.Keyring)
    assert Path.home().is_relative_to(Path(os.environ["FIELDKEEP_KEYRING_SESSION"]))
    keyring.set_password("fieldkeep-test", "here", "a value")
    assert keyring.get_password("fieldkeep-test", "here") == "a value"
    keyring.delete_password("fieldkeep-test", "here")
    assert keyring.get_password("fieldkeep-test", "here") is None


def test_kept_files_serve_the_next_session_and_hold_nothing_in_clear(tmp_path: Path) -> None:
    assert _run(sys.executable, "-c", _SET, home=tmp_path) == (0, "")
    assert _run(sys.executable, "-c", _GET, home=tmp_path) == (0, "kept for the next session")
    assert _run(sys.executable, "-c", _GET) == (0, "None")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.suffix == ".keyring" for path in files)
    assert not any(b"kept for" in path.read_bytes() for path in files)


def test_the_exit_code_is_the_commands() -> None:
    assert _run("sh", "-c", "exit 7")[0] == 7
    assert _run("sh", "-c", "kill -KILL $$")[0] == 128 + signal.SIGKILL
    assert _run("no-such-command")[0] == 70


def test_folders_are_the_sessions_own_and_private() -> None:
    code, out = _run(
        "sh", "-c", 'stat -c %a "$XDG_RUNTIME_DIR" "$HOME"; echo "${PYTHON_KEYRING_BACKEND-none}"'
    )
    assert (code, out.split()) == (0, ["700", "700", "none"])


def _children(process: subprocess.Popen[str]) -> dict[str, psutil.Process]:
    """What runs in a session by its name, once the shell has become the command."""
    until = time.monotonic() + DEADLINE
    while True:
        found = {child.name(): child for child in psutil.Process(process.pid).children(recursive=True)}
        if "sleep" in found or time.monotonic() > until:
            return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_daemon_outlives_the_session(number: signal.Signals) -> None:
    with _start("sh", "-c", "echo $XDG_RUNTIME_DIR; exec sleep 300") as process:
        assert process.stdout is not None
        runtime = Path(process.stdout.readline().strip()).parent
        children = _children(process)
        command = children["sleep"]
        assert "dbus-daemon" in children
        assert any(name.startswith("gnome-keyring-d") for name in children)
        process.send_signal(number)
        process.wait(DEADLINE)
        if number == signal.SIGKILL:  # nobody was left to pass a signal on to the command
            command.kill()
    _, alive = psutil.wait_procs(children.values(), timeout=DEADLINE)
    assert not alive
    if number == signal.SIGTERM:
        assert process.returncode == 128 + signal.SIGTERM
        assert not runtime.exists()
    else:
        shutil.rmtree(runtime)  # who is killed cannot tidy up

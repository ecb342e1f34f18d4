"""Run a command in a keyring session of its own: D-Bus, unlocked gnome-keyring and home, none the person's.

    python packaging/keyring_session.py [--home DIR] -- COMMAND…

Tests, demo and `make run` all get their keyring from here, so that nobody's own keyring is ever touched.
With `--home` the keyring's files stay in DIR for the next session; without it everything goes when the
command ends. The exit code is the command's own; 128 + signal where a signal ended it; 70 when the session
cannot be started.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

SESSION = "FIELDKEEP_KEYRING_SESSION"
_START_DEADLINE = 20.0  # seconds until bus and keyring must answer
_STOP_DEADLINE = 5.0  # seconds a daemon gets to end by itself

# An empty passphrase would make gnome-keyring write its file in clear. This one protects nothing either: it
# only keeps the keys of tests and demo unreadable to a search over the files, as a real keyring does.
_PASSPHRASE = b"keyring of tests and demo"

# No service folders: a test must not wake the desktop's own services by asking the bus for their names.
_BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


class SessionError(Exception):
    """The keyring session cannot be started; the text says why and what to do."""


@contextlib.contextmanager
def keyring_session(home: Path | None = None) -> Iterator[dict[str, str]]:
    """Start bus and keyring; gives the environment to run commands in, and ends both on the way out.

    Raises SessionError when a program is missing or does not answer in time.
    """
    for program in ("dbus-daemon", "gnome-keyring-daemon"):
        if shutil.which(program) is None:
            raise SessionError(f"{program} is missing; `make setup` says which packages to install")
    with contextlib.ExitStack() as stack:
        # Below the temp folder because a socket's path may have 107 bytes at most.
        runtime = Path(tempfile.mkdtemp(prefix="fieldkeep-session-"))
        stack.callback(shutil.rmtree, runtime, ignore_errors=True)
        base = (home or runtime / "home").absolute()
        env = _environment(runtime, base)
        stack.enter_context(_bus(runtime, env))
        stack.enter_context(_keyring(runtime, env))
        _prove(env)
        yield env


def _environment(runtime: Path, home: Path) -> dict[str, str]:
    """The session's environment: this process's, without anything that points at another keyring."""
    env = {
        name: value
        for name, value in os.environ.items()
        if name != "PYTHON_KEYRING_BACKEND" and not name.startswith(("KEYRING_PROPERTY_", "GNOME_KEYRING_"))
    }
    folders = {
        "HOME": home,
        "XDG_DATA_HOME": home / ".local" / "share",
        "XDG_CONFIG_HOME": home / ".config",
        "XDG_STATE_HOME": home / ".local" / "state",
        "XDG_CACHE_HOME": home / ".cache",
        "XDG_RUNTIME_DIR": runtime / "run",
    }
    for name, folder in folders.items():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        env[name] = str(folder)
    keyrings = folders["XDG_DATA_HOME"] / "keyrings"
    keyrings.mkdir(mode=0o700, exist_ok=True)
    # Without this file the first question for the default collection opens a prompt that nobody answers.
    (keyrings / "default").write_text("login")
    env["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={runtime / 'bus'}"
    env[SESSION] = str(home)
    return env


def _bus(runtime: Path, env: dict[str, str]) -> contextlib.AbstractContextManager[None]:
    config = runtime / "bus.conf"
    config.write_text(_BUS_CONFIG.format(socket=runtime / "bus"))
    command = ["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile", "--nosyslog"]
    return _daemon(command, env, runtime / "bus.log", None, (runtime / "bus").exists)


def _keyring(runtime: Path, env: dict[str, str]) -> contextlib.AbstractContextManager[None]:
    control = runtime / "control"
    control.mkdir(mode=0o700)
    command = ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"]
    command.append(f"--control-directory={control}")

    def has_owner() -> bool:
        from jeepney import DBusAddress, new_method_call
        from jeepney.io.blocking import open_dbus_connection

        bus = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
        with contextlib.closing(open_dbus_connection(env["DBUS_SESSION_BUS_ADDRESS"])) as connection:
            question = new_method_call(bus, "NameHasOwner", "s", ("org.freedesktop.secrets",))
            answer = connection.send_and_get_reply(question, timeout=_START_DEADLINE)
            return bool(answer.body[0])

    return _daemon(command, env, runtime / "keyring.log", _PASSPHRASE, has_owner)


@contextlib.contextmanager
def _daemon(
    command: list[str],
    env: dict[str, str],
    log: Path,
    told: bytes | None,
    ready: Callable[[], bool],
) -> Iterator[None]:
    """Hold `command` open from the moment `ready` says yes until the end of the block."""
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.PIPE if told is not None else subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,  # Ctrl-C is for the command, which may still need its keyring to end well
            preexec_fn=_die_with_parent,
        )
    try:
        if told is not None and process.stdin is not None:
            process.stdin.write(told)
            process.stdin.close()
        deadline = time.monotonic() + _START_DEADLINE
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(errors="replace").strip()
                raise SessionError(f"{command[0]} did not start: {said or 'it said nothing'}")
            time.sleep(0.01)  # neither daemon can tell us by itself that it answers
        yield
    finally:
        process.terminate()
        try:
            process.wait(_STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _die_with_parent() -> None:
    """Let the kernel end this daemon when we are killed outright (Linux; the keyring follows its bus)."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def _prove(env: dict[str, str]) -> None:
    """Set, get and delete one entry as the product will, so that a broken session is found here."""
    value = secrets.token_hex(8)
    code = (
        "import sys, keyring.backends.SecretService as s; k = s.Keyring(); v = sys.stdin.read();"
        "k.set_password('fieldkeep-session', 'proof', v); g = k.get_password('fieldkeep-session', 'proof');"
        "k.delete_password('fieldkeep-session', 'proof'); sys.exit(g != v)"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=env,
            input=value,
            text=True,
            capture_output=True,
            timeout=_START_DEADLINE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SessionError("the keyring did not answer; do its files have another passphrase?") from error
    if done.returncode != 0:
        raise SessionError(f"the keyring does not keep what it is given: {done.stderr.strip()[-400:]}")


def run(command: list[str], home: Path | None) -> int:
    """Run `command` in a session; passes signals on to it and gives back its exit code."""
    process: subprocess.Popen[bytes] | None = None
    asked: int | None = None

    def pass_on(number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = number
        if process is not None and process.poll() is None:
            process.send_signal(number)

    with keyring_session(home) as env:
        before = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGHUP)}
        # The terminal sends Ctrl-C to the command as well; here it must only not end us before the command.
        before[signal.SIGINT] = signal.signal(signal.SIGINT, lambda _number, _frame: None)
        try:
            process = subprocess.Popen(command, env=env)
            if asked is not None:  # it came while the command was being started
                process.send_signal(asked)
            code = process.wait()
        finally:
            for number, action in before.items():
                signal.signal(number, action)
    return code if code >= 0 else 128 - code


def main() -> int:
    """Read the command line and run the command."""
    parser = argparse.ArgumentParser(
        prog="keyring_session.py", description="Run a command with its own keyring."
    )
    parser.add_argument("--home", type=Path, help="keep the keyring's files here for the next session")
    parser.add_argument("command", nargs="+", metavar="COMMAND")
    asked = parser.parse_args()
    try:
        return run(asked.command, asked.home)
    except (SessionError, OSError) as error:
        print(f"keyring session: {error}", file=sys.stderr)
        return 70


if __name__ == "__main__":
    sys.exit(main())

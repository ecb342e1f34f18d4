"""Runs our programs in processes of their own without paying for their imports each time.

One process imports everything and then forks: each fork is a real process with its own standard streams, its own
exit code, and may be killed. It inherits the keyring session of the test run.

    forks.run("app.__main__:main", ["--profile", "…", "status"])
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import io
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PRELOADED: Final = ("app.__main__", "secretstorage", "tests.acts", "tests.store.dying")
# All of these too: what a command imports late, for the sake of its start, would be paid for by every fork.
PRELOADED_WHOLE: Final = ("app.cli", "app.services", "sync")
DEADLINE_S: Final = 60.0
_REQUEST_MAX: Final = 2**20


@dataclass(frozen=True)
class Answer:
    """What a process said; `code` is negative where a signal ended it."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its one JSON document."""
        return json.loads(self.out)


class Fork:
    """A process that runs."""

    def __init__(self, end: socket.socket, out: int, err: int) -> None:
        self._end = end
        self._out = out
        self._err = err
        end.settimeout(DEADLINE_S)
        self.pid = int(self._line())

    @property
    def ended(self) -> bool:
        """Whether it runs no more."""
        return bool(select.select([self._end], [], [], 0)[0])

    def send(self, number: int) -> None:
        """Send it a signal, if it runs."""
        if not self.ended:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.send(signal.SIGKILL)

    def out(self) -> str:
        """What it has said so far."""
        return _text(self._out)

    def wait(self) -> Answer:
        """Its answer, once it has ended. Raises TimeoutError, and kills it then."""
        try:
            return Answer(int(self._line()), _text(self._out), _text(self._err))
        except TimeoutError:
            self.kill()
            raise
        finally:
            self._end.close()
            os.close(self._out)
            os.close(self._err)

    def _line(self) -> str:
        line = b""
        while not line.endswith(b"\n"):
            piece = self._end.recv(1)
            if not piece:
                raise AssertionError("the process that forks is gone")
            line += piece
        return line.decode()


def start(
    program: str,
    words: Sequence[str],
    *,
    stdin: str | bytes = "",
    env: dict[str, str] | None = None,
    log: Path | None = None,
) -> Fork:
    """Start `program` ("module:function", called with `words`) in a process of its own.

    What it says on standard error is added to the file `log`, if one is named.
    """
    here, there = socket.socketpair()
    fed, out = os.memfd_create("in"), os.memfd_create("out")
    err = os.open(log, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600) if log else os.memfd_create("err")
    try:
        os.write(fed, stdin.encode() if isinstance(stdin, str) else stdin)
        os.lseek(fed, 0, os.SEEK_SET)
        request = json.dumps({"program": program, "words": list(words), "env": env or {}}).encode()
        socket.send_fds(_forking(), [request], [fed, out, err, there.fileno()])
    finally:
        os.close(fed)
        there.close()
    return Fork(here, out, err)


def run(
    program: str, words: Sequence[str], *, stdin: str | bytes = "", env: dict[str, str] | None = None
) -> Answer:
    """Run `program` to its end."""
    return start(program, words, stdin=stdin, env=env).wait()


@functools.cache
def _forking() -> socket.socket:
    """The process that forks, started at the first call; it ends when its socket closes."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, "-c", f"from tests.forks import serve; serve({there.fileno()})"],
        pass_fds=[there.fileno()],
        stdin=subprocess.DEVNULL,
    )
    there.close()

    def end() -> None:
        here.close()
        process.wait(10)

    atexit.register(end)
    return here


def serve(handle: int) -> None:
    """Fork for every request until the other end closes."""
    for name in PRELOADED:
        importlib.import_module(name)
    for package in map(importlib.import_module, PRELOADED_WHOLE):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    gc.collect()
    gc.freeze()  # what is here lives as long as we do: no fork need look through it, and copy it by looking
    running: dict[int, tuple[int, int]] = {}  # by its handle, each process's number and who waits for its end
    with socket.socket(fileno=handle) as requests:
        while True:
            ready = select.select([handle, *running], [], [])[0]
            for process in ready:
                if process != handle:
                    _tell_end(process, *running.pop(process))
            if handle not in ready:
                continue
            data, handles, _flags, _from = socket.recv_fds(requests, _REQUEST_MAX, 4)
            if not data:  # whoever started us is gone: what still runs, runs for nobody
                for pid, _end in running.values():
                    os.kill(pid, signal.SIGKILL)
                return
            end = handles.pop()
            pid = os.fork()
            if pid == 0:
                requests.detach()
                for each in (handle, end, *running, *(waiting for _pid, waiting in running.values())):
                    os.close(each)
                _be(json.loads(data), handles)
            for each in handles:
                os.close(each)
            running[os.pidfd_open(pid)] = (pid, end)
            _tell(end, pid)


def _tell_end(process: int, pid: int, end: int) -> None:
    os.close(process)
    _tell(end, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    os.close(end)


def _tell(end: int, number: int) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # who started it may have gone
        os.write(end, b"%d\n" % number)


def _be(request: dict[str, Any], handles: list[int]) -> None:
    """Be the program: its streams, its environment, its exit code."""
    code = 70
    try:
        for number, handle in enumerate(handles):
            os.dup2(handle, number)
            os.close(handle)
        sys.stdin = io.TextIOWrapper(io.FileIO(0, "r", closefd=False))
        sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), write_through=True)
        sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), write_through=True)
        os.environ.update(request["env"])
        module, _colon, name = request["program"].partition(":")
        code = getattr(importlib.import_module(module), name)(request["words"]) or 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1 if end.code else 0
    except BaseException:  # noqa: BLE001 - the test that reads stderr sees all of it
        traceback.print_exc()
        code = 1
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def wait_until(held: Callable[[], bool], what: str, *, seconds: float = 30.0, pause: float = 0.02) -> None:
    """Wait until `held()` is true, asking every `pause` seconds; fails with `what` when it does not come to be."""
    deadline, never = time.monotonic() + seconds, threading.Event()
    while not held():
        assert time.monotonic() < deadline, what
        never.wait(pause)


def _text(handle: int) -> str:
    size = os.fstat(handle).st_size
    return os.pread(handle, size, 0).decode("utf-8", "replace")

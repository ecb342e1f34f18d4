"""A real server on an organisation's folders, in a process of its own that ends, or dies, when a test wants it to.

It is a fork of a process that has our programs loaded already, so that a start costs a tenth of a second.
"""

from __future__ import annotations

import json
import signal
from pathlib import Path

from tests import forks
from tests.forks import Fork

_LISTENING = "listening on https://"


class Server:
    """The server of an organisation; it comes back on the port it had."""

    def __init__(self, data: Path, secrets: Path, log: Path) -> None:
        self._folders = ("--data", str(data), "--secrets", str(secrets))
        self.log = log
        self._process: Fork | None = None
        self.port = 0
        self.console = ""  # the address of its web console, where it was started with one

    def start(self, *, step: str = "", times: int = 1, console: bool = False) -> None:
        """Start it and wait until it listens; it is killed when it comes to `step` for so many times."""
        words = ["serve", *self._folders, "--port", str(self.port)]
        if console:
            words += ["--console-port", self.console.rpartition(":")[2] or "0"]
        if step:
            asked = json.dumps({"words": words, "step": step, "times": times})
            process = forks.start("tests.acts:serve", [asked], log=self.log)
        else:
            process = forks.start("sync.compose.server:main", words, log=self.log)
        self._process = process
        forks.wait_until(lambda: process.ended or process.out().endswith("\n"), "the server says nothing")
        said = process.out()
        assert said.startswith(_LISTENING), "the server did not start; see its log"
        lines = said.splitlines()
        assert len(lines) == 1 + console
        self.port = int(lines[0].rsplit(":", 1)[1])
        self.console = lines[1].removeprefix("console on ") if console else ""

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; its exit code, 0 when it does not run."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send(number)
        return process.wait().code

    def wait_dead(self) -> None:
        """Wait for a server that a test has made to die."""
        process, self._process = self._process, None
        assert process is not None
        assert process.wait().code == -signal.SIGKILL

    @property
    def url(self) -> str:
        """Its address."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process that serves."""
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it serves."""
        return self._process is not None and not self._process.ended

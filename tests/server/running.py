"""An organisation in temporary folders, and a real server on it in a process of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest import mock

from sync.compose import admin, server
from tests.served import Server

WAIT_S = 30.0
_PROGRAMS: Final = {"fieldkeep-server": server.main, "fieldkeep-admin": admin.main}


@dataclass
class Org:
    """The folders of an organisation, and the commands on them."""

    folder: Path
    scripts: Path

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    @property
    def secrets(self) -> Path:
        """The secrets."""
        return self.folder / "secrets"

    @property
    def keys(self) -> Path:
        """The offline keys."""
        return self.folder / "keys"

    def command(self, program: str, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one of our programs as a person does."""
        done = subprocess.run(
            [self.scripts / program, *words], text=True, capture_output=True, timeout=60, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def call(
        self, program: str, *words: str, check: bool = True, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """The same within this process, which spares the start of another."""
        out, errors = io.StringIO(), io.StringIO()
        with (
            mock.patch.dict(os.environ, env or {}),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(errors),
        ):
            try:
                code = _PROGRAMS[program](list(words))
            except SystemExit as end:
                code = int(end.code or 0)
        assert not check or code == 0, errors.getvalue()
        return subprocess.CompletedProcess([program, *words], code, out.getvalue(), errors.getvalue())

    def init(self, *more: str, check: bool = True, **other: Any) -> subprocess.CompletedProcess[str]:
        """Make the organisation."""
        return self.call(
            "fieldkeep-server", "init", "--data", str(self.data), "--secrets", str(self.secrets),
            "--keys", str(self.keys), "--org", "Example", "--admin", "it@example.com", "--host", "127.0.0.1",
            "--port", "0", *more, check=check, **other,
        )  # fmt: skip

    def admin(self, *words: str, **other: Any) -> subprocess.CompletedProcess[str]:
        """Run the admin command with the offline keys at hand."""
        folders = ("--data", str(self.data), "--keys", str(self.keys))
        return self.call("fieldkeep-admin", *folders, *words, **other)

    def json(self, *words: str) -> Any:
        """What the admin command prints."""
        return json.loads(self.admin(*words, "--json").stdout)

    def code(self, email: str) -> str:
        """An enrolment code."""
        return str(self.json("enrol-code", email)["code"])

    def serve(self, *, step: str = "", times: int = 1, console: bool = False) -> Server:
        """Start a server; it is killed when it comes to `step` for so many times."""
        server = Server(self.data, self.secrets, self.folder / "server.log")
        server.start(step=step, times=times, console=console)
        return server

    def serve_command(self, program: str | None = None) -> Running:
        """The same by the command, as IT does; `program` is Python text that stands in for it."""
        words = ["--data", str(self.data), "--secrets", str(self.secrets), "--port", "0"]
        start = [str(self.scripts / "fieldkeep-server"), "serve", *words]
        if program is not None:
            start = [sys.executable, "-c", program, *words]
        errors = (self.folder / "server.log").open("ab")
        process = subprocess.Popen(start, stdout=subprocess.PIPE, stderr=errors, stdin=subprocess.DEVNULL)
        errors.close()
        return Running(process, _first_line(process), self.folder / "server.log")


@dataclass
class Running:
    """A server that listens."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it and give its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(WAIT_S)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code


def _first_line(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    deadline, line = time.monotonic() + WAIT_S, b""
    while not line.endswith(b"\n"):
        readable, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        piece = os.read(process.stdout.fileno(), 1024) if readable else b""
        assert piece, "the server did not start; see its log"
        line += piece
    prefix = b"listening on "
    assert line.startswith(prefix) and line.count(b"\n") == 1
    return line[len(prefix) :].decode().strip()

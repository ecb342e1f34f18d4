"""The stage of the demo: real processes, each step timed, each claim checked and printed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from typing import Any

BIN = Path(sys.executable).parent
COMMAND_S = 300


@dataclass
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its JSON document."""
        return json.loads(self.out)


@dataclass
class Stage:
    """Prints steps and keeps the checks; `failed` decides the demo's end."""

    folder: Path
    failed: list[str] = field(default_factory=list)
    checks: int = 0
    _step: int = 0

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """One numbered step with its time."""
        self._step += 1
        print(f"\n{self._step:2}. {title}", flush=True)
        began = time.monotonic()
        try:
            yield
        except (OSError, LookupError, TypeError, ValueError, subprocess.SubprocessError) as problem:
            # A demo that stops says where, in one line; what follows stands on this step, so it ends here.
            self.check("the step came to its end", held=False, detail=f"{type(problem).__name__}: {problem}")
            raise SystemExit(1) from problem
        finally:
            print(f"    {time.monotonic() - began:6.2f} s", flush=True)

    def check(self, claim: str, held: bool, detail: str = "") -> None:
        """Print whether a claim held."""
        self.checks += 1
        print(f"    {'✓' if held else '✗ FAILED:'} {claim}{f'  ({detail})' if detail else ''}", flush=True)
        if not held:
            self.failed.append(claim)

    def equal(self, claim: str, found: object, wanted: object) -> None:
        """Check that two figures agree, and print them."""
        same = found == wanted
        self.check(claim, same, _told(found) if same else f"found {_told(found)}, wanted {_told(wanted)}")

    def run(self, program: str, *arguments: str | Path, stdin: str = "") -> Answer:
        """Run one of our programs to its end. Secrets go in by `stdin`."""
        done = subprocess.run(
            [BIN / program, *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def must(self, program: str, *arguments: str | Path, stdin: str = "") -> Answer:
        """Run a program that has to end with 0; the demo stops when it does not."""
        answer = self.run(program, *arguments, stdin=stdin)
        if answer.code != 0:
            shown = " ".join(str(a) for a in arguments if not str(a).startswith("/"))
            raise SystemExit(f"{program} {shown} ended with {answer.code}:\n{answer.err}")
        return answer


class Server:
    """The server process of the demo; stopping it is how the demo goes offline."""

    def __init__(self, stage: Stage, data: Path, secrets: Path) -> None:
        self._stage = stage
        self._arguments = ["serve", "--data", str(data), "--secrets", str(secrets)]
        self._process: subprocess.Popen[str] | None = None
        self._log = stage.folder / "server.log"
        self.port = 0

    def start(self) -> None:
        """Start, on the same port as before, and wait until it says that it listens."""
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [BIN / "fieldkeep-server", *self._arguments, "--port", str(self.port)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        if self._process.stdout is None:
            raise SystemExit("the server has no standard output")
        line = self._process.stdout.readline()
        if "listening on https://" not in line:
            raise SystemExit(f"the server did not start, see {self._log.name}")
        self.port = int(line.strip().rsplit(":", 1)[1])

    def stop(self) -> None:
        """Stop gracefully; a server that does not end is a failed check."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._stage.check("the server stops gracefully", held=False)
        self._process = None


def _told(value: object) -> str:
    """A value as a person reads it: an empty list is "none", several are parted by commas."""
    if isinstance(value, (list, tuple, set, frozenset)):
        parts = [str(each) for each in value]
        return ", ".join(sorted(parts) if isinstance(value, (set, frozenset)) else parts) or "none"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def secrets_in_process_list(words: list[str]) -> list[str]:
    """Which of these words stand in the command line or environment of any process one may read."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        for name in ("cmdline", "environ"):
            try:
                text = (entry / name).read_bytes()
            except OSError:
                continue
            found += [word for word in words if word.encode() in text]
    return found


def files_with(words: list[str], folders: list[Path], *, since: float = 0.0) -> list[str]:
    """Names of files below these folders, written at or after `since`, in which any of the words stands.

    Words are looked for in UTF-8 and UTF-16. What goes away meanwhile, or may not be read, is other people's.
    """
    needles = [word.encode(form) for word in words for form in ("utf-8", "utf-16-le")]
    found = []
    for top in folders:
        for folder, _folders, names in os.walk(top):
            for path in (Path(folder) / name for name in names):
                try:
                    status = path.lstat()
                    if not S_ISREG(status.st_mode) or max(status.st_mtime, status.st_ctime) < since:
                        continue
                    data = path.read_bytes()
                except OSError:
                    continue
                if any(needle in data for needle in needles):
                    found.append(path.name)
    return found

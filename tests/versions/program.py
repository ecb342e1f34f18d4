"""The programs of one version, run from its tree by their fixed commands: what a recording is made with."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

TAP: Final = Path(__file__).with_name("tap.py")
COMMAND_S: Final = 300
IT: Final = "it@example.com"
_CALL: Final = "import sys; from {module} import main; sys.exit(main(sys.argv[1:]))"


@dataclass
class Version:
    """A tree, and the organisation that is played with its programs."""

    tree: Path
    folder: Path
    beside: Sequence[Path] = ()  # packages that this version needs and that of today does not
    port: int = 0
    _serving: subprocess.Popen[str] | None = field(default=None, init=False)

    @property
    def server(self) -> Path:
        """Its data, secrets and keys."""
        return self.folder / "server"

    @property
    def traffic(self) -> Path:
        """What went over the wire, a line each."""
        return self.folder / "traffic.jsonl"

    @property
    def env(self) -> dict[str, str]:
        """What its processes get."""
        paths = os.pathsep.join(map(str, (self.tree, *self.beside)))
        return {**os.environ, "PYTHONPATH": paths, "LC_ALL": "C.UTF-8"}

    def run(self, module: str, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """One command to its end."""
        return subprocess.run(
            [sys.executable, "-c", _CALL.format(module=module), *words],
            input=stdin, capture_output=True, text=True, timeout=COMMAND_S, check=False, env=self.env, cwd=self.folder,
        )  # fmt: skip

    def python(self, text: str) -> str:
        """What a few lines print that are run with its modules."""
        done = subprocess.run(
            [sys.executable, "-c", text],
            capture_output=True,
            text=True,
            check=True,
            env=self.env,
            cwd=self.folder,
        )
        return done.stdout

    def organise(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`fieldkeep-server VERB …` on its folders; it has to succeed."""
        where = ["--data", str(self.server / "data"), "--secrets", str(self.server / "secrets")]
        return _well(self.run("sync.compose.server", words[0], *where, *words[1:]))

    def admin(self, *words: str) -> Any:
        """A command of IT that has to succeed; its JSON."""
        where = ["--data", str(self.server / "data"), "--keys", str(self.server / "keys")]
        return json.loads(_well(self.run("sync.compose.admin", *where, *words, "--json")).stdout)

    def device(self, name: str, *words: str, stdin: Any = "") -> subprocess.CompletedProcess[str]:
        """`fieldkeep` on a laptop; `stdin` may be any JSON value."""
        told = stdin if isinstance(stdin, str) else json.dumps(stdin)
        return self.run("app.__main__", "--profile", str(self.folder / name), *words, stdin=told)

    def said(self, name: str, *words: str, stdin: Any = "") -> Any:
        """What `fieldkeep … --json` answers; it has to succeed."""
        return json.loads(_well(self.device(name, *words, "--json", stdin=stdin)).stdout)

    def found(self) -> None:
        """Make the organisation."""
        self.server.mkdir()
        self.organise(
            "init", "--keys", str(self.server / "keys"), "--org", "Example", "--admin", IT, "--host", "127.0.0.1",
            "--port", str(self.port),
        )  # fmt: skip

    def serve(self) -> None:
        """Start its server, tapped, and wait until it listens."""
        where = ["--data", str(self.server / "data"), "--secrets", str(self.server / "secrets")]
        words = [str(self.traffic), "serve", *where, "--port", str(self.port)]
        log = (self.folder / "server.log").open("ab")
        self._serving = subprocess.Popen(
            [sys.executable, "-P", str(TAP), *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True, env=self.env, cwd=self.folder,
        )  # fmt: skip
        log.close()
        assert self._serving.stdout is not None
        said = self._serving.stdout.readline()
        found = re.fullmatch(r"listening on https://.*:(\d+)\n", said)
        assert found is not None, (self.folder / "server.log").read_text()
        self.port = int(found[1])

    def stop(self) -> None:
        """End its server, if it runs."""
        process, self._serving = self._serving, None
        if process is not None:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=COMMAND_S)


def _well(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    assert done.returncode == 0, f"{done.args[3:]} answered {done.returncode}: {done.stderr[-3000:]}"
    return done

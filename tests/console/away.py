"""People who sign away from the server: their folders, what they type, and an organisation with two of them."""

from __future__ import annotations

import io
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from sync.console import paper as papers
from sync.protocol import documents, signing
from sync.protocol.documents import Root
from tests.server.running import Org


@dataclass
class Person:
    """Somebody with a machine and a folder of keys of their own."""

    org: Org
    keys: Path

    def run(self, *words: str, typed: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the command without any folder of the server."""
        with mock.patch("sys.stdin", io.StringIO(typed)):
            return self.org.call("fieldkeep-admin", "--keys", str(self.keys), *words, check=check)

    def make(self, purpose: str = "order", label: str = "key", *more: str) -> Path:
        """Make a key; the public half."""
        told = json.loads(self.run("keys", "new", purpose, "--label", label, *more, "--json").stdout)
        return Path(next(each for each in told["files"] if each.endswith(".pub")))

    def sign(
        self, file: Path, typed: str, *more: str, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Sign a paper."""
        return self.run("sign", str(file), *more, typed=typed + "\n", check=check)


def second_admin(org: Org) -> Person:
    """One more admin, whom the root names."""
    ed = Person(org, org.folder / "ed")
    org.admin("root", "admin-add", str(ed.make(label="Ed")))
    return ed


def draft(org: Org, name: str, *devices: str, reason: str = "stolen", **other: Any) -> Path:
    """A wipe that is drawn up."""
    file = org.folder / name
    org.admin("wipe", *devices, "--reason", reason, "--draft", str(file), **other)
    return file


def root_in(file: Path) -> Root:
    """The root that a paper brings."""
    return documents.parse(signing.open_envelope(papers.read(file).root, Root.TYPE).payload, Root)

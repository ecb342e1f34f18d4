"""Recordings as they are kept: one folder for each version, with what it stored and what went over the wire."""

from __future__ import annotations

import functools
import json
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlcipher3 import dbapi2 as sqlite

from app.store import schema as store
from sync.protocol import codec, messages, version
from sync.protocol.messages import SessionReply
from sync.server.db import schema as server
from tests.versions.reads import Reads

PLACE: Final = Path(__file__).with_name("kept")
ARCHIVE: Final = "recording.tar.xz"
ABOUT: Final = "about.json"
LARGEST: Final = 1_000_000  # bytes of one version in the repository


@dataclass(frozen=True)
class Said:
    """One request and its answer, as bytes."""

    at: int  # UTC milliseconds
    method: str
    target: str
    headers: dict[str, str]
    up: bytes
    status: int
    down: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


@dataclass(frozen=True)
class Recording:
    """What one version kept and said."""

    name: str
    protocol: int
    schema: int
    store: int
    server: int
    ended: int  # UTC milliseconds: the moment at which it goes on

    @property
    def forms(self) -> dict[str, int]:
        """The numbers of what it stored and said."""
        return {"protocol": self.protocol, "schema": self.schema, "store": self.store, "server": self.server}

    @property
    def place(self) -> Path:
        """Where it is kept."""
        return PLACE / self.name

    def unpack(self, folder: Path) -> Unpacked:
        """All of it, below `folder`, for its owner alone."""
        with tarfile.open(self.place / ARCHIVE) as archive:
            archive.extractall(folder, filter="data")
        for path in folder.rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)
        return Unpacked(self, folder)


@dataclass(frozen=True)
class Unpacked:
    """A recording that lies in files."""

    of: Recording
    folder: Path

    def json(self, name: str) -> Any:
        """One of its documents."""
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    @property
    def picture(self) -> dict[str, Any]:
        """The wire as that version knew it."""
        found: dict[str, Any] = self.json("picture.json")
        return found

    @property
    def traffic(self) -> list[Said]:
        """What went over the wire, in its order."""
        return read_traffic(self.folder / "traffic.jsonl")

    def begin(self, folder: Path) -> Path:
        """A server as it was before the first request, with that version's tables; the folder of its three folders."""
        shutil.copytree(self.folder / "server", folder)
        for path in (folder / "data").glob("*.db*"):
            path.unlink()
        db = plain_store(folder)
        db.executescript((self.folder / "begin.sql").read_text(encoding="utf-8"))
        db.close()
        (folder / "data" / "store.db").chmod(0o600)
        return folder


def plain_store(folder: Path) -> Any:
    """The file in which a server keeps its records, opened past our own code; an empty one where there is none."""
    key = (folder / "secrets" / "store.key").read_text(encoding="ascii").strip()
    db = sqlite.connect(str(folder / "data" / "store.db"), isolation_level=None)
    db.execute(f"PRAGMA key = \"x'{key}'\"")
    return db


def read_traffic(file: Path) -> list[Said]:
    """What a tap has written."""
    found = []
    for line in file.read_text(encoding="utf-8").splitlines():
        each = json.loads(line)
        up, down = bytes.fromhex(each.pop("up")), bytes.fromhex(each.pop("down"))
        found.append(Said(**each, up=up, down=down))
    return found


def session_key(traffic: list[Said], session: str) -> bytes:
    """The key of a session (hex), which its answer brought."""
    for each in traffic:
        if each.path == messages.SESSION_PATH and each.status == 200:
            reply = codec.read(codec.decode(each.down)[0][1], SessionReply)
            if reply.session.hex() == session:
                return reply.key
    raise LookupError(session)


@functools.cache
def recordings() -> tuple[Recording, ...]:
    """Every version that is kept, oldest first."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in PLACE.glob(f"*/{ABOUT}")]
    names = Recording.__dataclass_fields__
    return tuple(
        Recording(**{name: each[name] for name in names})
        for each in sorted(found, key=lambda each: (each["store"], each["server"], each["ended"]))
    )


def forms_of_today() -> dict[str, int]:
    """The same numbers as the code has them now."""
    return {
        "protocol": version.PROTOCOL, "schema": version.SCHEMA, "store": store.VERSION, "server": server.VERSION,
    }  # fmt: skip


def reads_of(name: str) -> Reads:
    """What a kept version reads."""
    (recording,) = [each for each in recordings() if each.name == name]
    with tarfile.open(recording.place / ARCHIVE) as archive:
        picture = archive.extractfile("picture.json")
        assert picture is not None
        return Reads(json.loads(picture.read()))

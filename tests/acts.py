"""What a laptop does in a process that may die, or whose clock was turned: run by tests/forks.py.

Each act takes one JSON document: what to do, and where to die. To die is SIGKILL, as a power cut would.
"""

from __future__ import annotations

import functools
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app import compose
from app.__main__ import main
from app.errors import Wiped
from app.keys import ring as rings
from app.keys import trusted_time, vault
from app.keys.secret import SecretBytes
from app.keys.trusted_time import Sample
from app.paths import Profile
from app.services import acting, attachments, carrying, enrolment, guard, many, records
from app.services.acting import Act
from app.services.opening import open_session
from app.services.syncing import Syncing
from app.services.wiped import finish_wipe
from app.store import narrowing
from app.store.blobs import Blobs
from app.store.bulk import Selection
from app.store.rowset import RowSet
from sync.client import enrol as client
from sync.client.pieces import Climb
from sync.compose import backing, migrating, server, serving
from sync.protocol.errors import KnownError
from sync.protocol.ids import parse_id
from sync.protocol.kinds import KINDS
from sync.protocol.messages import Paper


class Deadly:
    """Counts steps; dies at one of them. Without a number it only counts."""

    def __init__(self, at: int | None, name: str = "") -> None:
        self.at = at
        self.name = name
        self.seen: list[str] = []

    def __call__(self, step: object) -> None:
        """One step was done."""
        if not self.name or self.name == str(step):
            if self.at is not None and len(self.seen) == self.at:
                os.kill(os.getpid(), signal.SIGKILL)
            self.seen.append(str(step))

    def around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """`call`, with a step before and a step after it."""

        def stepped(*args: Any, **named: Any) -> Any:
            self(f"before {name}")
            result = call(*args, **named)
            self(f"after {name}")
            return result

        return stepped


def command(words: list[str]) -> int:
    """The command line, on a laptop whose clocks were turned: {"clock": {...}, "words": [...]}."""
    asked = json.loads(words[0])
    _turn(**asked.get("clock", {}))
    return main(asked["words"])


def sync(words: list[str]) -> int:
    """`fieldkeep sync` that dies after a step of the exchange, at its nth exchange."""
    asked = json.loads(words[0])
    compose.prepare()
    deadly = Deadly(asked["nth"], str(asked["step"]))
    with open_session(Profile(Path(asked["profile"]))) as session:
        syncing = Syncing(session)
        syncing.round(deadly)
        syncing.close()
    return 0


def rotate(words: list[str]) -> int:
    """Exchange until the keys are changed; dies at the nth step of that, and prints the steps it came past."""
    asked = json.loads(words[0])
    compose.prepare()
    deadly = Deadly(asked["at"])
    with open_session(Profile(Path(asked["profile"])), deadly) as session:
        # As `fieldkeep keys rotate` does, but only once: a process that goes on after a crash wants nothing anew.
        if session.state.epoch == 1 and not session.state.keys_asked:
            session.want_other_keys()
        syncing = Syncing(session)
        syncing.round()
        syncing.close()
    sys.stdout.write(json.dumps(deadly.seen))
    return 0


def wipe_keys(words: list[str]) -> int:
    """`fieldkeep sync` that dies when so many entries of the keyring were deleted by the wipe."""
    asked = json.loads(words[0])
    compose.prepare()
    deadly = Deadly(asked["at"])
    vault._destroyed = deadly.around("entry", vault._destroyed)
    obey(Profile(Path(asked["profile"])), Deadly(None))
    sys.stdout.write(json.dumps(deadly.seen))
    return 4


def wipe(words: list[str]) -> int:
    """`fieldkeep sync` that dies at the nth step of the wipe; prints the steps it came past."""
    asked = json.loads(words[0])
    compose.prepare()
    _turn(**asked.get("clock", {}))
    if "file_bytes" in asked:
        # A disk that takes no more than this in one file.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (asked["file_bytes"], asked["file_bytes"]))
    deadly = Deadly(asked["at"])
    problem = obey(Profile(Path(asked["profile"])), deadly)
    sys.stderr.write(f"{problem}\n" if problem else "")
    sys.stdout.write(json.dumps(deadly.seen))
    return 4


def obey(profile: Profile, deadly: Deadly) -> str:
    """Sync, and wipe what an order names, or go on with it; what kept it from its end, if anything did."""
    try:
        with open_session(profile, deadly) as session:
            Syncing(session).round()
    except Wiped:
        try:
            finish_wipe(profile, deadly)
        except KnownError as problem:
            return str(problem)
    return ""


def enrol(words: list[str]) -> int:
    """`fieldkeep enrol` that dies at the nth durable step; prints the steps it came past."""
    asked = json.loads(words[0])
    compose.prepare()
    deadly = Deadly(asked["at"])
    for owner, name in (
        (rings.SystemKeyring, "set"),
        (Path, "replace"),
        (client, "enrol"),
    ):
        setattr(owner, name, deadly.around(name, getattr(owner, name)))
    enrolment.enrol(Profile(Path(asked["profile"])), asked["code"], asked["name"])
    sys.stdout.write(json.dumps(deadly.seen))
    return 0


def papers(words: list[str]) -> int:
    """Papers handed to a laptop that dies at the nth durable step of taking them in; prints the steps it came past."""
    asked = json.loads(words[0])
    compose.prepare()
    found = [Paper(kind=kind, data=bytes.fromhex(data)) for kind, data in asked["papers"]]
    deadly = Deadly(asked["at"])
    with open_session(Profile(Path(asked["profile"]))) as session:
        for owner, name in ((rings.SystemKeyring, "set"), (Path, "replace")):
            setattr(owner, name, deadly.around(name, getattr(owner, name)))
        session.papers.take_papers(found, "n")
        sys.stdout.write(json.dumps(deadly.seen))
    return 0


def go_on(words: list[str]) -> int:
    """A window that goes on with a broken-off act on many records, and dies once it is so far."""
    asked = json.loads(words[0])
    compose.prepare()
    with open_session(Profile(Path(asked["profile"]))) as session:
        found = session.read(many.broken_off)
        assert found is not None
        _die_at(Act(session, *found), asked["at"])
    return 0


def attach(words: list[str]) -> int:
    """Attach a file, and die at the nth step: around the encrypted file, and around its record."""
    asked = json.loads(words[0])
    compose.prepare()
    deadly = Deadly(asked["at"])
    Blobs.take_in = deadly.around("file", Blobs.take_in)  # type: ignore[method-assign]
    records.add = deadly.around("record", records.add)
    with open_session(Profile(Path(asked["profile"]))) as session:
        attachments.attach(session, parse_id(asked["record"]), Path(asked["file"]))
    return 0


def carry(words: list[str]) -> int:
    """Bring attached files up, and die after the nth piece; prints how many pieces went."""
    asked = json.loads(words[0])
    compose.prepare()
    deadly = Deadly(asked["at"], "after piece")
    Climb.step = deadly.around("piece", Climb.step)  # type: ignore[method-assign]
    with open_session(Profile(Path(asked["profile"]))) as session:
        carrying.Carrying(session).all()
    sys.stdout.write(json.dumps(len(deadly.seen)))
    return 0


def fetch(words: list[str]) -> int:
    """Fetch an attachment, and die at the nth piece; prints how many pieces came."""
    asked = json.loads(words[0])
    compose.prepare()
    deadly = Deadly(asked["at"])
    with open_session(Profile(Path(asked["profile"]))) as session:
        record = attachments.attached(session, parse_id(asked["record"]))
        attachments.have(session, record, lambda done, of: deadly(done))
    sys.stdout.write(json.dumps(len(deadly.seen)))
    return 0


def export(words: list[str]) -> int:
    """A window that exports all customers to {"path"}, and dies once it is so far."""
    asked = json.loads(words[0])
    compose.prepare()
    with open_session(Profile(Path(asked["profile"]))) as session:
        last = session.call(lambda store: narrowing.last_rowid(store, store.shapes["customer"]))
        every = Selection(KINDS["customer"], True, RowSet(), last=last, count=last)
        _die_at(Act(session, acting.exporting(every, Path(asked["path"]))), asked["at"])
    return 0


def _die_at(act: Act, at: int) -> None:
    acting.PIECE = 60  # type: ignore[misc]
    act.begin()
    while (found := act.piece()) is not None:
        if found.outcome.at >= at:
            os.kill(os.getpid(), signal.SIGKILL)


def look_at_clock(words: list[str]) -> int:
    """Open, and die once the floor of trusted time is written down and before anything is done about the clock."""
    asked = json.loads(words[0])
    compose.prepare()
    _turn(**asked["clock"])

    def die(*_arguments: object, **_named: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    guard.judge = die  # type: ignore[assignment]
    open_session(Profile(Path(asked["profile"])))
    return 0


def try_pin(words: list[str]) -> int:
    """Try {"pin"}, and die once the try is counted and before it is looked at."""
    asked = json.loads(words[0])
    compose.prepare()
    with open_session(Profile(Path(asked["profile"]))) as session:

        def die(*_arguments: object, **_named: object) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        vault.open_key = die  # type: ignore[assignment]
        session.unlock(SecretBytes(asked["pin"].encode()))
    return 0


def serve(words: list[str]) -> int:
    """`fieldkeep-server` that dies when it comes to a step for so many times: {"words": [...], "step", "times"}."""
    asked = json.loads(words[0])
    deadly = Deadly(asked["times"] - 1, asked["step"])
    serving.run = functools.partial(serving.run, step=deadly)
    return server.main(asked["words"])


def back(words: list[str]) -> int:
    """`fieldkeep-server` that dies at a step of a backup, restore or move, or prints them: {"words": [...], "step"}."""
    asked = json.loads(words[0])
    deadly = Deadly(0 if asked["step"] else None, asked["step"])
    for owner, name in ((backing, "backup"), (backing, "restore"), (migrating, "migrate")):
        setattr(owner, name, functools.partial(getattr(owner, name), step=deadly))
    code = server.main(asked["words"])
    sys.stdout.write(json.dumps(deadly.seen))
    return code


def _turn(wall_ms: int = 0, boot_ms: int = 0, boot_id: str = "") -> None:
    """Turn this process's clocks by so much; another boot id is another boot."""
    here = trusted_time.system_clock()

    def turned() -> Sample:
        now = system_clock()
        return Sample(now.wall_ms + wall_ms, now.boottime_ns + boot_ms * 1_000_000, boot_id or here.boot_id)

    system_clock = trusted_time.system_clock
    trusted_time.system_clock = turned

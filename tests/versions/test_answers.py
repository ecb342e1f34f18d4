"""What a server of an earlier version answered is taken in by the device of today, which asks in words that it knew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.keys.secret import SecretBytes
from app.paths import Profile
from app.store import conflicts, recovered
from app.store.replica import StoreReplica
from app.store.store import Store
from sync.client import cycle
from sync.client.line import Identity, Line
from sync.client.ports import Standing
from sync.protocol import codec, messages, signing
from sync.protocol.documents import Root, SessionOpen
from sync.protocol.messages import Person, SessionReply
from sync.protocol.ops import Op
from tests.simulator.laptop import Book
from tests.versions.here import cells_of
from tests.versions.kept import Said, Unpacked
from tests.versions.old_device import Held
from tests.versions.reads import Reads
from tests.versions.town import Tape


@dataclass
class Then:
    """A transport behind which the earlier server stands: it reads what it is asked, and answers as it did."""

    reads: Reads
    session: Said
    said: Said

    def get(self, path: str) -> bytes:
        """Nothing is fetched in an exchange."""
        raise AssertionError(path)

    def post(self, path: str, body: bytes, headers: dict[str, str], media: str) -> bytes:
        """Its answer."""
        if path == messages.SESSION_PATH:
            self.reads.document(SessionOpen.TYPE, signing.open_envelope(body, SessionOpen.TYPE).payload)
            return self.session.down
        self.reads.asked(path, body)
        return self.said.down

    def begin(self, path: str, body: bytes, headers: dict[str, str], media: str) -> Callable[[], bytes]:
        """Its answer, once somebody asks for it."""
        return lambda: self.post(path, body, headers, media)


@dataclass
class Stands(Book):
    """A book that stands as the recorded device stood."""

    state: str = cycle.ACTIVE

    def standing(self) -> Standing:
        """As it was told."""
        return msgspec.structs.replace(super().standing(), state=self.state)


@dataclass
class Today:
    """A device of today with the name and the ops of a recorded one."""

    store: Store
    person: Person
    tape: Tape
    name: str

    def take(self, session: Said, said: Said) -> None:
        """One recorded exchange: its ops are laid in the outbox as ours, its answer is taken in."""
        frames = codec.decode(said.up)
        head = codec.read(frames[0][1], messages.ExchangeHead)
        with self.store.writing() as writing:
            for tag, raw in frames[1:]:
                op = codec.read(raw, Op)
                assert tag == messages.OP
                if op.n >= writing.next_n:
                    recovered.lay_on_top(self.store, writing.person, writing.put(op))
        opened = codec.read(codec.decode(session.down)[0][1], SessionReply)
        identity = Identity(
            "", "", "", lambda document: signing.sign(document, ("", Ed25519PrivateKey.generate()))
        )
        line = Line(Then(self.tape.reads, session, said), identity, lambda: said.at)
        book = Stands(state=head.state)
        cycle.exchange(StoreReplica(self.store), book, line)
        assert book.papers == len(self.tape.papers(said))
        assert opened.session


@pytest.mark.parametrize("name", ["laptop-anna", "laptop-ben"])
def test_a_device_of_today_takes_in_what_an_older_server_answered(
    kept: Unpacked, tape: Tape, tmp_path: Path, name: str
) -> None:
    then = Held(tape.reads)
    today = _today(tape, name, tmp_path)
    session = None
    for said in tape.of_device(name):
        if said.path == messages.SESSION_PATH:
            session = said
        elif said.path == messages.EXCHANGE_PATH and said.status == 200:
            assert session is not None
            then.take(said.up, said.down)
            today.take(session, said)
    assert today.store.unsent() == 0
    assert {id_: cells_of(today.store, id_) for id_ in then.rows} == then.rows
    assert _count(today.store) == len(then.rows)
    assert {each.conflict.id for each in conflicts.open_conflicts(today.store)} == {
        id_ for id_, each in then.conflicts.items() if each.get("state", "open") == "open"
    }
    was = kept.json("synced.json")[name]["status"]
    assert conflicts.attention_count(today.store) == was["refused"]
    today.store.close()


def _today(tape: Tape, name: str, folder: Path) -> Today:
    (enrolled,) = [said for said in tape.of_device(name) if said.path == messages.ENROL_PATH]
    reply = codec.read(codec.decode(enrolled.down)[0][1], messages.EnrolReply)
    root = msgspec.json.decode(signing.open_envelope(reply.root, Root.TYPE).payload, type=Root)
    first = next(said for said in tape.of_device(name) if said.path == messages.EXCHANGE_PATH)
    head = codec.read(codec.decode(first.up)[0][1], messages.ExchangeHead)
    profile = Profile(folder / "profile")
    profile.make()
    store = Store.create(
        profile, SecretBytes.random(32), device=tape.devices[reply.enrolment], incarnation=head.incarnation,
        recovery=root.recovery, person=reply.person.email,
    )  # fmt: skip
    return Today(store, reply.person, tape, name)


def _count(store: Store) -> int:
    """How many records are here and not deleted."""
    kept = store.db.all("SELECT kept FROM counts")
    return sum(count for (count,) in kept)

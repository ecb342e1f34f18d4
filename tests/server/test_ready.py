"""Ready parts of a server: made of what a person sees, for nobody else and for a while; and the program of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sync.compose import making
from sync.protocol import codec, messages, ready
from sync.protocol.errors import BadFrames, Problem
from sync.protocol.messages import ReadyHead, ReadyPieceHead, ReadyReply
from sync.protocol.ready import Fed, Made
from sync.server import ready as parts
from sync.server.ready import LIFE_MS, Ready
from tests.server.driver import Device, Refusal, frames_of
from tests.server.inside import Inside, problem_of

LAYOUT = b"l" * ready.LAYOUT_BYTES


class Maker:
    """Notes what it is fed, and makes a part of it that nobody could read."""

    def __init__(self) -> None:
        self.fed: list[Fed] = []

    def __call__(self, folder: Path, part: bytes, key: bytes, pages: Iterator[Fed]) -> Made:
        self.fed = list(pages)
        names = [change.cells["name"] for page in self.fed for change in page.changes if change.cells]
        pieces = [ready.seal_piece(key, part, number, bytes(name)) for number, name in enumerate(names)]
        (folder / f"{part.hex()}.part").write_bytes(b"".join(pieces))
        return Made(LAYOUT, sum(len(page.changes) for page in self.fed), [len(each) for each in pieces])

    @property
    def seen(self) -> list[str]:
        """The names that it was told."""
        changes = [change for page in self.fed for change in page.changes if change.cells]
        return sorted(msgspec.msgpack.decode(each.cells["name"]) for each in changes)


@pytest.fixture
def maker() -> Maker:
    """Who makes parts."""
    return Maker()


@pytest.fixture
def inside(tmp_path: Path, maker: Maker, monkeypatch: pytest.MonkeyPatch) -> Inside:
    """An organisation with records in two teams, whose server makes parts of however little."""
    monkeypatch.setattr(parts, "LEAST_ROWS", 2)
    monkeypatch.setattr(parts, "STALE", 1)
    made = Inside(tmp_path)
    made.person("ana@example.com")
    made.person("cy@example.com", team="Elsewhere")
    for email, names in (("ana@example.com", ("One", "Two", "Three")), ("cy@example.com", ("Far", "Away"))):
        device = made.device(email)
        for name in names:
            device.add("customer", name=name, notes="confidential words")
        device.sync()
    made.service.ready = Ready(made.store, tmp_path / "ready", maker, made.now)
    (tmp_path / "ready").mkdir()
    return made


@pytest.fixture
def ana(inside: Inside) -> Device:
    """A new laptop."""
    return inside.device("ana@example.com", "new")


def made_for(inside: Inside, email: str) -> None:
    """Have the part of this person made."""
    with inside.store.read() as tx:
        person = tx.people.by_email(email)
    assert person is not None and inside.service.ready is not None
    inside.service.ready.make(person.id)


def asked(device: Device, layout: bytes = LAYOUT) -> ReadyReply:
    """What this device is offered."""
    body = codec.encode([(messages.HEAD, ReadyHead(layout=layout))])
    frames = frames_of(
        *device.send("POST", messages.READY_PATH, body, device.headers(body, messages.READY_PATH))
    )
    return codec.read(frames[0][1], ReadyReply)


def fetched(device: Device, part: bytes, number: int) -> bytes:
    """A sealed piece."""
    path = messages.READY_PIECE_PATH
    body = codec.encode([(messages.HEAD, ReadyPieceHead(part=part, number=number))])
    frames = frames_of(*device.send("POST", path, body, device.headers(body, path)))
    return codec.read(frames[1][1], bytes)


def test_a_part_holds_what_its_person_sees(inside: Inside, ana: Device, maker: Maker) -> None:
    assert asked(ana).part == b""
    made_for(inside, "ana@example.com")
    assert maker.seen == ["One", "Three", "Two"]
    reply = asked(ana)
    opened = [
        ready.open_piece(reply.key, reply.part, at, fetched(ana, reply.part, at))
        for at in range(len(reply.lengths))
    ]
    assert sorted(msgspec.msgpack.decode(each) for each in opened) == maker.seen
    ana.cursor = reply.cursor
    assert ana.exchange().changes == []  # nothing is missing behind it


def test_what_changed_behind_a_part_comes_with_the_feed(inside: Inside, ana: Device) -> None:
    made_for(inside, "ana@example.com")
    other = inside.device("ana@example.com", "third")
    other.sync()
    other.edit(next(iter(other.rows)), name="Changed")
    other.sync()
    reply = asked(ana)
    ana.cursor = reply.cursor
    changes = ana.exchange().changes
    assert [msgspec.msgpack.decode(each.cells["name"]) for each in changes] == ["Changed"]


def test_hidden_cells_are_masked_in_it(inside: Inside, maker: Maker) -> None:
    inside.office.add_person("ana@example.com", "rep", "Sales", "", "internal")
    ana = inside.device("ana@example.com", "lesser")
    ana.sync()
    made_for(inside, "ana@example.com")
    told = {each.id: each.cells for page in maker.fed for each in page.changes}
    assert told == {id_: row.cells for id_, row in ana.rows.items()}


def test_nobody_else_gets_it(inside: Inside, ana: Device) -> None:
    made_for(inside, "ana@example.com")
    part = asked(ana).part
    cy = inside.device("cy@example.com", "new of cy")
    assert asked(cy).part == b""
    with pytest.raises(Refusal) as refusal:
        fetched(cy, part, 0)
    assert problem_of(refusal) is Problem.NOT_HERE


def _moved(inside: Inside, _device: Device) -> None:
    inside.person("ana@example.com", team="Elsewhere")


def _granted_less(inside: Inside, _device: Device) -> None:
    inside.office.add_person("ana@example.com", "rep", "Sales", "", "internal")


def _locked(inside: Inside, device: Device) -> None:
    inside.lock(device)


@pytest.mark.parametrize("happens", [_moved, _granted_less, _locked], ids=lambda each: each.__name__)
def test_who_may_not_see_it_any_more_gets_no_further_piece(
    inside: Inside, ana: Device, happens: object
) -> None:
    made_for(inside, "ana@example.com")
    part = asked(ana).part
    assert fetched(ana, part, 0)
    happens(inside, ana)  # type: ignore[operator]
    with pytest.raises(Refusal) as refusal:
        fetched(ana, part, 1)
    assert problem_of(refusal) is Problem.NOT_HERE


def test_a_part_ends_with_its_time(inside: Inside, ana: Device, tmp_path: Path) -> None:
    made_for(inside, "ana@example.com")
    part = asked(ana).part
    assert len(list((tmp_path / "ready").iterdir())) == 1
    inside.skew += LIFE_MS
    ana.now = inside.now
    ana.sign_in()
    with pytest.raises(Refusal):
        fetched(ana, part, 0)
    assert list((tmp_path / "ready").iterdir()) == []
    assert asked(ana).part == b""


def test_one_for_another_layout_or_far_behind_is_not_offered(inside: Inside, ana: Device) -> None:
    made_for(inside, "ana@example.com")
    assert asked(ana, b"another").part == b""
    other = inside.device("cy@example.com", "busy")
    for number in range(4):
        other.add("customer", name=f"Many {number}")
    other.sync()
    assert asked(ana).part == b""  # four numbers behind three rows


def test_there_are_a_few_and_the_oldest_goes(inside: Inside, tmp_path: Path) -> None:
    for number in range(parts.PARTS_MAX + 1):
        email = inside.person(f"p{number}@example.com")
        made_for(inside, email)
    assert len(list((tmp_path / "ready").iterdir())) == parts.PARTS_MAX


def test_too_little_is_not_worth_one(inside: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "LEAST_ROWS", 4)
    made_for(inside, "ana@example.com")
    assert list((tmp_path / "ready").iterdir()) == []


def test_the_program_makes_one_and_leaves_nothing_else(inside: Inside, ana: Device, tmp_path: Path) -> None:
    assert inside.service.ready is not None
    inside.service.ready = Ready(inside.store, tmp_path / "ready", making.make, inside.now)
    made_for(inside, "ana@example.com")
    (file,) = (tmp_path / "ready").iterdir()
    with inside.store.read() as tx:
        person = tx.people.by_email("ana@example.com")
    assert person is not None
    part = inside.service.ready._parts[person.id]
    assert part.made.rows == 3
    assert file.stat().st_size == sum(part.made.lengths)
    begins = ready.open_piece(part.key, part.id, 0, file.read_bytes()[: part.made.lengths[0]])
    assert begins.startswith(b"SQLite format 3\0")
    assert b"Three" not in file.read_bytes()


def test_pages_that_end_early_make_none(tmp_path: Path) -> None:
    with pytest.raises((BadFrames, OSError)):
        making.make(tmp_path, b"p" * 16, b"k" * 32, iter(()))


def test_a_start_throws_away_what_a_killed_run_has_left(inside: Inside, tmp_path: Path, maker: Maker) -> None:
    (tmp_path / "ready" / "tmp123").mkdir()
    (tmp_path / "ready" / "old.part").write_bytes(b"x")
    made = Ready(inside.store, tmp_path / "ready", maker, inside.now)
    made.start()
    made.stop()
    assert list((tmp_path / "ready").iterdir()) == []

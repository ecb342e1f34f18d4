"""Somebody leaves: the devices lock, a colleague gets the records, and what was not sent stays to be given back."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.protocol.errors import KnownError, Problem
from sync.protocol.ids import parse_id
from tests.console.visitor import ConsoleInside
from tests.server.driver import Device, Refusal
from tests.server.inside import Inside, problem_of

ANA, BO = "ana@example.com", "bo@example.com"


@pytest.fixture
def inside(tmp_path: Path) -> Inside:
    return ConsoleInside(tmp_path)


@pytest.fixture
def laptop(inside: Inside) -> Device:
    made = inside.device(inside.person(ANA), "LAP-0388")
    inside.person(BO, team="Other")
    return made


def owner(inside: Inside, id_: bytes) -> object:
    with inside.store.read() as tx:
        held = tx.records.held(id_)
    assert held is not None
    return held.row.cells.get("owner")


def test_records_go_to_the_colleague_and_reach_their_laptop(inside: Inside, laptop: Device) -> None:
    mine = laptop.add("customer", name="Café Größe", owner=ANA)
    nobodys = laptop.add("customer", name="Betatech")
    others = laptop.add("customer", name="Cetus", owner="zoe@example.com")
    laptop.sync()
    heir = inside.device(BO, "LAP-0400")
    heir.sync()
    left = inside.office.person_leaves(ANA, BO)
    assert (left.person, left.heir) == (ANA, BO)
    assert left.records >= 2
    assert [owner(inside, each) for each in (mine, nobodys, others)] == [BO, BO, "zoe@example.com"]
    heir.sync()
    assert {mine, nobodys} <= set(heir.rows)


def test_every_device_is_locked_and_says_what_it_has_not_sent(inside: Inside, laptop: Device) -> None:
    laptop.exchange([], unsent=3)
    other = inside.device(ANA, "MAC-0102")
    left = inside.office.person_leaves(ANA, BO)
    assert {(each.name, each.unsent) for each in left.devices} >= {("LAP-0388", 3), ("MAC-0102", 0)}
    assert all(each.pending == "lock" or each.state == "locked" for each in left.devices)
    assert inside.office.person_leaves(ANA, BO).records == 0  # asked again, nothing is done twice
    assert len([each for each in inside.office.orders() if each.enrolment == other.enrolment]) == 1


def test_a_code_that_was_given_out_lets_nobody_in_any_more(inside: Inside, laptop: Device) -> None:
    code, other = inside.office.enrol_code(ANA), inside.office.enrol_code(BO)
    inside.office.person_leaves(ANA, BO)
    with pytest.raises(Refusal) as refusal:
        Device(inside.send, "LAP-9999").enrol(code)
    assert problem_of(refusal) is Problem.BAD_CODE
    Device(inside.send, "LAP-9998").enrol(other)
    inside.view(laptop)  # a code that was used stays with its device


def test_who_cannot_have_records_gets_none_and_nothing_is_changed(inside: Inside, laptop: Device) -> None:
    inside.person("it2@example.com", role="it")
    for heir in ("it2@example.com", ANA, "nobody@example.com"):
        with pytest.raises(KnownError):
            inside.office.person_leaves(ANA, heir)
    with pytest.raises(KnownError):
        inside.office.person_leaves("nobody@example.com", BO)
    assert inside.view(laptop).pending == ""


def test_at_the_console_with_the_account_closed(inside: ConsoleInside, laptop: Device) -> None:
    inside.person(ANA, role="it")
    hers = inside.admin(ANA)
    admin = inside.admin()
    page = admin.get(f"/people?person={ANA}")
    assert "Leaves the organisation" in page.plain
    assert "ana" not in admin.post("/people/leave", {"email": ANA, "heir": "nobody@example.com"}).plain
    done = admin.post("/people/leave", {"email": ANA, "heir": BO})
    assert done.status == 200
    assert f"{ANA} has left" in done.plain
    assert "LAP-0388" in done.plain
    assert hers.get("/devices").status == 303  # her visit has ended
    with inside.store.read() as tx:
        verbs = [line.verb for line in tx.post.audit_lines()]
    assert verbs.index("asks for: person leaves") < verbs.index("lock")
    assert parse_id(inside.view(laptop).id)


def test_a_device_that_waits_to_be_unlocked_is_locked_anew(inside: Inside, laptop: Device) -> None:
    """Whoever has IT unlock a laptop, leaves, and connects only then, must not come in."""
    inside.lock(laptop)
    (lock,) = inside.office.orders()
    laptop.ask(state="locked", obeyed={lock.id: "done"})
    inside.unlock(laptop)
    inside.office.person_leaves(ANA, BO)
    last = max(inside.office.orders(), key=lambda each: each.number)
    assert (last.op, last.enrolment) == ("lock", laptop.enrolment)
    reply = laptop.ask(state="locked", ask_share=True, order_head=lock.number)
    assert [paper.kind for paper in reply.papers if paper.kind == "share"] == []
    count = len(inside.office.orders())
    inside.office.person_leaves(ANA, BO)
    assert len(inside.office.orders()) == count


def test_no_device_comes_in_while_the_others_are_being_locked(
    inside: Inside, laptop: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, sign = inside.office.enrol_code(ANA), inside.office.sign_here
    tried = []

    def meanwhile(*words: str) -> object:
        with pytest.raises(Refusal) as refusal:
            Device(inside.send, "LAP-9999").enrol(code)
        tried.append(problem_of(refusal))
        return sign(*words)

    monkeypatch.setattr(inside.office, "sign_here", meanwhile)
    inside.office.person_leaves(ANA, BO)
    assert tried == [Problem.BAD_CODE]


def test_the_old_laptops_page_says_once_the_new_one_has_everything(
    inside: ConsoleInside, laptop: Device
) -> None:
    laptop.add("customer", name="Betatech", owner=ANA)
    laptop.sync()
    admin, page = inside.admin(), f"/devices/{laptop.enrolment}"
    inside.skew = 60_000
    fresh = inside.device(ANA, "LAP-0400")
    assert "of the same person" not in admin.get(page).plain
    fresh.sync()
    fresh.sync()  # it says how far it has read with the next one
    said = admin.get(page).plain
    assert "LAP-0400 of the same person is in use, and has everything." in said
    assert "This one has sent everything: it can go." in said
    laptop.exchange([], unsent=2)
    assert "This one has 2 unsent changes" in admin.get(page).plain
    assert "of the same person" not in admin.get(f"/devices/{fresh.enrolment}").plain

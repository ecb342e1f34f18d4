"""Changes that were not accepted: what the page says of them, making them again, letting them go."""

from __future__ import annotations

import msgspec
import pytest

from app.cli import waiting_verbs
from app.commands import CONFLICTS
from app.services import refused
from app.services.session import Session
from app.store import conflicts as kept
from app.store import records, settled
from app.store.conflicts import Attention, OpenConflict
from app.store.store import Store
from app.viewmodels import conflicts
from app.viewmodels.conflicts import Met
from app.viewmodels.desk import Desk
from app.viewmodels.reading import Titles
from app.viewmodels.records import now_ms
from sync.protocol import rejections, texts
from sync.protocol.fields import Care
from sync.protocol.kinds import KINDS
from sync.protocol.merge import DELETED, SWAPPED, Conflict
from tests.viewmodels.conftest import Held
from tests.viewmodels.refusing import refuse_all, take_all

CUSTOMER = KINDS["customer"]


@pytest.fixture
def desk(session: Session, held: Held) -> Desk:
    """The page of conflicts, open, with an edit and a new record that were refused."""
    session.call(take_all)
    made = Desk(session, held)
    session.bus.subscribe(lambda changes: held.post(lambda: made.heard(changes)))
    record = session.call(lambda store: records.add(store, CUSTOMER, {"name": "Blue Harbour"}))
    session.call(take_all)
    session.call(lambda store: records.edit(store, record.id, {"industry": "Tea"}))
    session.call(lambda store: records.add(store, CUSTOMER, {"name": "Not yet"}))
    assert session.call(refuse_all) == 2
    made.start()
    made.on_counts.read()
    made.go(CONFLICTS)
    held.turn()
    return made


def _refused(desk: Desk) -> dict[str, Met]:
    return {met.title: met for met in desk.met or () if met.refused is not None}


def test_the_page_says_what_was_refused_and_what_can_be_done(desk: Desk) -> None:
    found = _refused(desk)
    edited, made = found["Blue Harbour"], found["Not yet"]
    assert edited.sides[0].value == "Industry: Tea"
    assert "Name: Not yet" in made.sides[0].value
    assert edited.explanation == "Ask your manager."
    assert (edited.again, edited.here) == (True, True)
    assert (made.again, made.here) == (True, False)  # there is no record to show
    assert desk.counts is not None


def test_making_it_again_and_letting_it_go(desk: Desk, held: Held, session: Session) -> None:
    found = _refused(desk)
    conflicts.make_again(desk, found["Blue Harbour"])
    held.turn()
    assert set(_refused(desk)) == {"Not yet"}
    assert desk.aside is not None
    assert "again" in desk.aside.text
    assert (
        session.call(lambda store: records.get(store, found["Blue Harbour"].id)).values["industry"] == "Tea"
    )
    assert session.call(Store.unsent) == 1

    conflicts.let_go(desk, found["Not yet"])
    held.turn()
    assert _refused(desk) == {}
    assert "keeps" in desk.aside.text
    assert (session.call(Store.unsent), session.call(kept.attention_count)) == (1, 0)

    # A page that is behind: the answer says so, and nothing is done twice.
    conflicts.make_again(desk, found["Blue Harbour"])
    held.turn()
    assert "no such" in desk.aside.text
    assert session.call(Store.unsent) == 1


def test_a_change_whose_words_went_with_its_record_is_told_as_it_stands(
    desk: Desk, held: Held, session: Session
) -> None:
    """The record is here again, and the words are not."""
    edited = _refused(desk)["Blue Harbour"]
    session.call(lambda store: _without_words(store, edited.id))
    desk.load_conflicts()
    held.turn()
    met = _refused(desk)["Blue Harbour"]
    assert (met.here, met.again) == (True, False)
    assert "left this device" not in met.explanation
    assert "Ask IT to show it to you." in met.explanation
    assert met.sides[0].value == "Kept on the server"


def test_a_reason_heard_in_another_language_is_told_in_the_readers(session: Session) -> None:
    session.call(take_all)
    session.call(lambda store: records.add(store, CUSTOMER, {"name": "Not yet"}))
    session.call(lambda store: refuse_all(store, rejections.NOT_YOURS))

    def told(store: Store) -> None:
        with texts.speaking("zh_CN"):
            (met,) = conflicts.read(store, now_ms())
            assert met.explanation == texts.gettext(rejections.NOT_YOURS) != rejections.NOT_YOURS

    session.call(told)


def test_what_was_refused_for_a_hidden_field_is_said_once_and_not_offered_again(session: Session) -> None:
    record = session.call(lambda store: records.add(store, CUSTOMER, {"name": "Hidden"}))
    gone = Attention(
        1, bytes(16), "customer", record.id, "forbidden", rejections.HIDDEN, 0, None, "•••", here=True
    )
    assert not refused.may_type_again(session, gone)
    told = f"{refused.why(gone)} {refused.words_gone(gone)}"
    assert told.count("on the server") == 1
    other = msgspec.structs.replace(gone, hint=rejections.NOT_YOURS)
    assert refused.may_type_again(session, other)
    lines = waiting_verbs.refused_lines(gone, [], lambda _id: None, Care.INTERNAL)
    assert lines[0] == "Not accepted: a change of a record whose name is hidden on this device."
    assert "Not accepted: a change of •••." in waiting_verbs.refused_lines(
        gone, [], lambda _id: None, Care.RESTRICTED
    )


def _without_words(store: Store, id_: bytes) -> None:
    with store.writing():
        settled.forget_left(store, [id_])


def _meet(session: Session, id_: bytes, *met: Conflict) -> None:
    """What the server tells of edits of this record that met."""

    def keep(store: Store) -> None:
        with store.writing():
            settled.conflicts(store.db, [msgspec.structs.replace(each, record=id_) for each in met], [])

    session.call(keep)


def _sides(session: Session) -> list[list[tuple[str, str]]]:
    found = session.read(conflicts.read, now_ms())
    return [[(side.heading, side.value) for side in met.sides] for met in found if met.refused is None]


def test_what_is_shown_now_is_what_the_record_holds_now(session: Session) -> None:
    made = session.call(lambda store: records.add(store, CUSTOMER, {"name": "Two Minds", "stage": "former"}))
    met = Conflict(
        id=bytes(16), kind="customer", record=b"", cell="stage", shown="former", shown_by="ben@demo.example",
        kept="customer", kept_by="anna@demo.example",
    )  # fmt: skip
    _meet(session, made.id, met)
    former, customer = ("Former customer", "Customer")
    assert _sides(session) == [[("Shown now", former), ("The other", customer)]]
    session.call(lambda store: records.edit(store, made.id, {"industry": "Tea"}))
    (found,) = session.read(conflicts.read, now_ms())
    assert found.sides[0].by == "ben"  # his is the value, whoever changed another field

    session.call(lambda store: records.edit(store, made.id, {"stage": "lead"}))
    (found,) = session.read(conflicts.read, now_ms())
    assert [(side.heading, side.value) for side in found.sides] == [
        ("Shown now", "Lead"), ("Stood there then", former), ("The other", customer),
    ]  # fmt: skip
    assert found.sides[0].by.startswith(f"Record last changed: {session.card.person.email.partition('@')[0]}")
    session.call(lambda store: records.delete(store, made.id))
    assert _sides(session)[0][0] == ("Shown now", "deleted")
    assert session.call(kept.open_count) == 1  # nothing closes it


def test_two_devices_of_one_person_are_not_told_as_two_people(session: Session) -> None:
    made = session.call(lambda store: records.add(store, CUSTOMER, {"name": "One Mind", "stage": "lead"}))
    met = Conflict(
        id=bytes(16), kind="customer", record=b"", cell="stage", base="prospect", shown="lead",
        shown_by="anna@demo.example", kept="customer", kept_by="anna@demo.example",
    )  # fmt: skip
    other = msgspec.structs.replace(met, id=bytes(15) + b"2", kept_by="ben@demo.example")
    _meet(session, made.id, met, other)
    first, second = session.read(conflicts.read, now_ms())
    assert first.explanation == "Both are by anna, from two devices that did not know of each other yet."
    assert second.explanation == ""


def test_two_choices_that_met_are_told_from_the_conflict_that_they_settled(session: Session) -> None:
    met = _two_minds(session)
    chosen = msgspec.structs.replace(met, state=SWAPPED, settled_by="anna@demo.example", settled_hlc=77)
    then = Conflict(
        id=bytes(15) + b"5", kind="customer", record=met.record, cell="stage", shown="customer", shown_hlc=77,
        shown_by="anna@demo.example", kept="former", kept_by="ben@demo.example",
    )  # fmt: skip
    _meet(session, met.record, chosen, then)
    (found,) = session.read(conflicts.read, now_ms())
    assert found.explanation == (
        "anna and ben settled this differently. anna was first, so that stands for now."
    )
    other = msgspec.structs.replace(then, id=bytes(15) + b"6", shown_hlc=78)  # an edit, and no choice
    _meet(session, met.record, other)
    assert {each.explanation == "" for each in session.read(conflicts.read, now_ms())} == {True, False}


def test_what_its_own_author_took_back_is_no_value_to_choose(session: Session) -> None:
    made = session.call(lambda store: records.add(store, CUSTOMER, {"name": "Two Minds", "stage": "lead"}))
    me = session.card.person.email
    met = Conflict(
        id=bytes(16), kind="customer", record=b"", cell="stage", base="lead", shown="former", shown_by=me,
        kept="customer", kept_by="ben@demo.example",
    )  # fmt: skip
    _meet(session, made.id, met)
    assert _sides(session) == [[("Shown now", "Lead"), ("The other", "Customer")]]


def test_a_delete_that_met_an_edit_is_told_in_words(session: Session) -> None:
    made = session.call(lambda store: records.add(store, CUSTOMER, {"name": "Two Minds"}))
    _meet(session, made.id, Conflict(id=bytes(16), kind="customer", record=b"", cell="", kept=DELETED))
    assert _sides(session) == [[("Shown now", "kept"), ("The other", "deleted")]]
    (found,) = session.call(kept.open_conflicts)
    assert (found.present, found.moved) == (None, False)
    session.call(lambda store: records.delete(store, made.id))
    assert _sides(session) == [[("Shown now", "deleted"), ("The other", "deleted")]]


def test_a_value_that_met_a_deletion_is_not_told_as_emptied(session: Session) -> None:
    made = session.call(lambda store: records.add(store, CUSTOMER, {"name": "Two Minds", "stage": "lead"}))
    met = Conflict(
        id=bytes(16), kind="customer", record=b"", cell="stage", base="lead", shown_by="ben@demo.example",
        kept="customer", kept_by="ben@demo.example",
    )  # fmt: skip
    _meet(session, made.id, met)  # it was deleted then, and is back
    assert ("Stood there then", "nothing, or the record was deleted") in _sides(session)[0]


def test_a_record_that_came_here_deleted_has_no_holes_in_its_card(session: Session) -> None:
    met = Conflict(id=bytes(16), kind="customer", record=bytes(16), cell="stage", kept="customer")
    gone = OpenConflict(met, "", None, "", 0, moved=True, deleted=True)
    assert gone.called == "Customer, deleted"
    assert msgspec.structs.replace(gone, remains_title="Blue Harbour").called == "Blue Harbour"
    assert msgspec.structs.replace(gone, title="Two Minds").called == "Two Minds"
    lines = waiting_verbs.conflict_lines(gone, [], lambda _id: None)
    assert lines[:2] == ["Customer, deleted · Stage", "  shown: deleted"]
    sides = session.read(lambda store: list(conflicts.sides_of(gone, CUSTOMER, Titles(store), now_ms())))
    assert (sides[0].value, sides[0].by) == ("deleted", "")


def _two_minds(session: Session) -> Conflict:
    """A record of which "former" stands and "customer" is kept."""
    made = session.call(lambda store: records.add(store, CUSTOMER, {"name": "Two Minds", "stage": "former"}))
    met = Conflict(
        id=bytes(15) + b"7", kind="customer", record=made.id, cell="stage", shown="former",
        shown_by="ben@demo.example", kept="customer", kept_by="anna@demo.example",
    )  # fmt: skip
    _meet(session, made.id, met)
    return met


def _open(desk: Desk) -> dict[str, Met]:
    return {met.title: met for met in desk.met or () if met.open is not None}


@pytest.mark.parametrize("choice", ["keep", "take"])
def test_a_conflict_is_settled_and_that_is_undone(
    desk: Desk, held: Held, session: Session, choice: str
) -> None:
    met = _two_minds(session)
    desk.load_conflicts()
    desk.on_counts.read()
    held.turn()
    found = _open(desk)["Two Minds"]
    assert (found.keep, found.take) == ("Keep what stands", "Take the other")
    assert desk.counts is not None
    before = desk.counts.conflicts

    def stage() -> object:
        return session.call(lambda store: records.get(store, met.record)).values["stage"]

    getattr(conflicts, choice)(desk, found)
    held.turn()
    assert _open(desk) == {}
    assert stage() == ("former" if choice == "keep" else "customer")
    assert desk.counts.conflicts == before - 1
    assert desk.aside is not None
    assert (desk.aside.text, desk.aside.undoes) == ("Settled: “Two Minds”.", True)

    desk.undo()
    held.turn()
    assert set(_open(desk)) == {"Two Minds"}
    assert stage() == "former"
    assert desk.counts.conflicts == before

    # A page that is behind says so, and nothing is chosen twice.
    getattr(conflicts, choice)(desk, found)
    held.turn()
    getattr(conflicts, choice)(desk, found)
    held.turn()
    assert "not open any more" in desk.aside.text


def test_choices_are_called_by_what_they_do(desk: Desk, held: Held, session: Session) -> None:
    met = _two_minds(session)
    whole = msgspec.structs.replace(met, id=bytes(15) + b"8", cell="", shown=None, kept=DELETED)
    _meet(session, met.record, met, whole)

    def offered() -> list[tuple[str, str]]:
        found = session.read(conflicts.read, now_ms())
        return [(each.keep, each.take) for each in found if each.open is not None]

    assert offered() == [
        ("Keep what stands", "Take the other"), ("Keep the record", "Delete it after all"),
    ]  # fmt: skip
    session.call(lambda store: records.delete(store, met.record))
    assert offered() == [
        ("Leave it deleted", "Bring it back with this value"), ("Leave it deleted", ""),
    ]  # fmt: skip

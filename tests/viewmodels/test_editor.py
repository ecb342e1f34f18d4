"""A form saves itself, loses nothing, and says what is wrong."""

from __future__ import annotations

import msgspec
import pytest

from app.changes import CLOSING
from app.errors import AppError
from app.services.session import Session
from app.store import lists, records
from app.viewmodels import editor as editing
from app.viewmodels import reading
from app.viewmodels.base import Errands
from app.viewmodels.editor import Editor, Saved, Undoable
from sync.protocol.errors import FieldProblem
from sync.protocol.kinds import KINDS
from tests.ui import sample
from tests.viewmodels.conftest import Held

CUSTOMER = KINDS["customer"]


@pytest.fixture
def form(session: Session, held: Held) -> Editor:
    """A form with the first customer in it."""
    sheet = session.call(lambda store: reading.sheet(store, sample.first_id(store)))
    return Editor(session, Errands(held), CUSTOMER, sheet)


def _stored(session: Session, editor: Editor, name: str) -> object:
    return session.call(records.get, editor.id).values.get(name)


def test_what_is_typed_is_saved_and_said_to_be(form: Editor, session: Session, held: Held) -> None:
    assert form.type_text("industry", "Optics") is None
    stood = [form.saved]
    form.save()
    stood.append(form.saved)
    held.turn()
    stood.append(form.saved)
    assert stood == [Saved.TYPED, Saved.TYPED, Saved.HERE]
    assert _stored(session, form, "industry") == "Optics"


def test_what_is_typed_while_saving_is_saved_next(form: Editor, session: Session, held: Held) -> None:
    form.type_text("industry", "Opt")
    form.save()
    form.type_text("industry", "Optics")
    assert form.value("industry") == "Optics"
    held.turn()
    assert _stored(session, form, "industry") == "Optics"
    assert len(form.undoable) == 2


def test_what_is_wrong_is_not_saved_and_the_rest_is(form: Editor, session: Session, held: Held) -> None:
    problem = form.type_text("founded", "last year")
    assert problem is not None
    assert "whole number" in problem.title
    form.type_text("industry", "Optics")
    form.save()
    held.turn()
    assert form.has_unsaved()
    assert set(form.errors) == {"founded"}
    assert _stored(session, form, "industry") == "Optics"
    assert form.type_text("founded", "1999") is None
    assert not form.errors


def test_a_role_that_only_looks_types_and_saves_nothing_and_is_told_why(
    form: Editor, session: Session, held: Held
) -> None:
    form.type_text("industry", "Optics")
    person = msgspec.structs.replace(session.card.person, role="privacy")
    session.card = msgspec.structs.replace(session.card, person=person)
    form.save()
    assert held.turn() == 0
    assert form.has_unsaved()  # what was typed before stays in sight
    form.type_text("founded", "1999")
    form.put("industry", "Retail")
    form.refused("owner", FieldProblem("owner", "nobody"))
    assert (form.value("founded"), form.value("industry"), form.errors) == (None, "Optics", {})
    assert form.problem is not None
    assert "not change" in form.problem.title
    act = Undoable(CUSTOMER, form.id, {"industry": "Retail"})
    with pytest.raises(AppError, match="not change"):
        editing.undo(session, act)
    assert _stored(session, form, "industry") == "医疗器械"


def test_a_name_cannot_be_emptied(form: Editor, session: Session, held: Held) -> None:
    assert form.type_text("name", "  ") is not None
    form.save()
    held.turn()
    assert _stored(session, form, "name") == sample.FIRST


def test_typing_back_what_was_there_leaves_nothing_to_save(form: Editor, held: Held) -> None:
    industry = form.value("industry")
    form.type_text("industry", "x")
    form.type_text("industry", industry)
    form.save()
    assert held.turn() == 0
    assert form.saved is Saved.HERE


def test_a_new_record_is_made_once_it_has_what_it_needs(session: Session, held: Held) -> None:
    form = Editor(session, Errands(held), CUSTOMER, None)
    form.type_text("industry", "Steel")
    form.save()
    assert (held.turn(), form.saved) == (0, Saved.TYPED)
    form.type_text("name", "Neuwerk")
    form.save()
    held.turn()
    assert form.record is not None
    assert form.record.values["industry"] == "Steel"
    assert form.record.values["owner"] == session.card.person.email
    form.type_text("industry", "Iron")
    form.save()
    held.turn()
    assert _stored(session, form, "industry") == "Iron"


def test_preset_fields_alone_make_no_record(session: Session, held: Held) -> None:
    first = session.call(sample.first_id)
    form = Editor(session, Errands(held), KINDS["task"], None, {"customer": first, "subject": "Call"})
    form.save()
    assert held.turn() == 0
    form.type_text("subject", "Call back")
    form.save()
    held.turn()
    assert form.record is not None
    assert form.record.values["customer"] == first


def test_saves_are_undone_one_by_one(form: Editor, session: Session, held: Held) -> None:
    before = _stored(session, form, "industry")
    for text in ("One", "Two"):
        form.type_text("industry", text)
        form.save()
        held.turn()
    for expected in ("One", before):
        editing.undo(session, form.undoable.pop())
        assert _stored(session, form, "industry") == expected


def test_undoing_what_made_a_record_deletes_it(session: Session, held: Held) -> None:
    form = Editor(session, Errands(held), CUSTOMER, None)
    form.type_text("name", "Neuwerk")
    form.save()
    held.turn()
    editing.undo(session, form.undoable.pop())
    assert session.call(records.get, form.id).deleted


@pytest.mark.parametrize("flying", [False, True], ids=["typed", "on its way"])
def test_a_rescued_draft_is_in_the_store(form: Editor, session: Session, held: Held, *, flying: bool) -> None:
    form.type_text("industry", "Optics")
    if flying:
        form.save()
    form.type_text("number", "N-1")
    form.rescue()
    assert (_stored(session, form, "industry"), _stored(session, form, "number")) == ("Optics", "N-1")
    held.turn()  # the save on its way comes late and changes nothing
    assert _stored(session, form, "number") == "N-1"


def test_a_new_record_that_is_rescued_on_its_way_is_there_once(session: Session, held: Held) -> None:
    form = Editor(session, Errands(held), CUSTOMER, None)
    form.type_text("name", "Neuwerk")
    form.save()
    form.type_text("industry", "Steel")
    form.rescue()
    held.turn()
    found = session.call(lambda store: lists.page(store, CUSTOMER, where={"name": "Neuwerk"})).records
    assert [record.values.get("industry") for record in found] == ["Steel"]


def test_drafts_are_rescued_when_the_store_is_locked(form: Editor, session: Session, held: Held) -> None:

    session.bus.subscribe(lambda changes: form.rescue() if changes.origin == CLOSING else None)
    form.type_text("industry", "Optics")
    session.lock()
    session.unlock()
    assert _stored(session, form, "industry") == "Optics"

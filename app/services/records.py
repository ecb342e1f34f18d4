"""Making and changing records: check, write, tell; and values as a person types them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from app.changes import HERE, Changes
from app.errors import AppError, NotFound, WrongUse
from app.services.journey_words import explained
from app.services.session import Session
from app.store import joining, lists, records, sight
from app.store.records import Record
from app.store.store import Store
from sync.protocol.errors import FieldProblem
from sync.protocol.fields import ADDRESS_PARTS, Address, Field, Ref, Several, Value
from sync.protocol.ids import id_text, parse_id
from sync.protocol.joins import listed
from sync.protocol.kinds import KINDS, Kind
from sync.protocol.roles import may_change
from sync.protocol.texts import gettext as _

IDS_TOLD: Final = 5


def refuse_role(session: Session, kind: Kind | None = None) -> None:
    """Stop what the server would not take from this person. Raises AppError.

    The card says the role as the server last told it, so that nobody writes for hours and hears of it afterwards.
    """
    if may_change(session.card.person.role):
        return
    # As a word within a sentence, not as a heading.
    kinds = _(kind.plural).lower() if kind is not None else _("records")
    raise AppError(
        _("Your role may not change {kinds}.").format(kinds=kinds),
        _("Ask IT if it should; after a change of role, run: fieldkeep sync"),
    )


def refuse_asking(session: Session, kind: Kind, fields: Iterable[str]) -> None:
    """Stop a question about fields that are hidden: their masks would be taken for values. Raises FieldProblem."""
    said = _("{field} is hidden on this device: no record can be found by it.")
    with explained(session):
        sight.refuse_hidden(kind, fields, session.card.person.care, said)


def add(session: Session, kind: Kind, values: Mapping[str, Value]) -> Record:
    """A new record. Raises FieldProblem, Locked, NoSpace; AppError where the role may not."""
    refuse_role(session, kind)
    _refuse_without_file(kind, values)
    with explained(session):
        record = session.call(records.add, kind, values)
    return _told(session, record)


def add_all(session: Session, kind: Kind, many: Sequence[Mapping[str, Value]]) -> list[Record]:
    """Several new records, or none of them when one does not hold. Raises as `add`."""
    refuse_role(session, kind)
    for values in many:
        _refuse_without_file(kind, values)

    def work(store: Store) -> list[Record]:
        with records.batch(store) as batch:
            return [batch.add(kind, values) for values in many]

    with explained(session):
        made = session.call(work)
    session.tell(Changes(tuple((kind.name, record.id) for record in made), HERE))
    return made


def edit(session: Session, record_id: bytes, values: Mapping[str, Value]) -> Record:
    """A changed record; fields not named stay. Raises FieldProblem, NotFound, Locked, NoSpace, AppError."""
    _refuse_role_at(session, record_id)
    with explained(session):
        record = session.call(records.edit, record_id, values)
    return _told(session, record)


def delete(session: Session, record_id: bytes) -> Record:
    """A record taken off all lists; `undelete` brings it back."""
    _refuse_role_at(session, record_id)
    return _told(session, session.call(records.delete, record_id))


def undelete(session: Session, record_id: bytes) -> Record:
    """A deleted record back on its lists."""
    _refuse_role_at(session, record_id)
    return _told(session, session.call(joining.bring_back, record_id))


def get(session: Session, record_id: bytes) -> Record:
    """One record. Raises NotFound, Locked."""
    return session.call(records.get, record_id)


def find_id(text: str) -> bytes:
    """The record id a person gave. Raises NotFound."""
    try:
        return parse_id(text)
    except ValueError:
        raise NotFound(
            _("There is no record with this id."), _("Find it with: fieldkeep search TEXT")
        ) from None


def typed(
    session: Session, kind: Kind, pairs: list[tuple[str, str]], present: Mapping[str, Value]
) -> dict[str, Value]:
    """FIELD=VALUE pairs as values: `phone.work=…` is one of several, `address.city=…` a part, a title a reference.

    `present` holds the values before, so that naming one phone leaves the others. Raises FieldProblem.
    """
    values: dict[str, Value] = {}
    for name, text in pairs:
        root, _dot, part = name.partition(".")
        field = kind.field(root)
        before = values.get(field.name, present.get(field.name))
        if isinstance(field.type, Several):
            values[field.name] = _one_of_several(field, field.type, before, part, text)
        elif isinstance(field.type, Address) and part:
            if part not in ADDRESS_PARTS:
                raise FieldProblem(
                    name,
                    _("No part of an address."),
                    _("Parts: {parts}").format(parts=listed(ADDRESS_PARTS)),
                )
            values[field.name] = {**(before or {}), part: text}
        elif part:
            raise FieldProblem(name, _("{field} has no parts.").format(field=_(field.label)))
        elif isinstance(field.type, Ref):
            values[field.name] = resolve(session, field, text)
        else:
            values[field.name] = field.type.parse(field.name, text)
    return values


def given(session: Session, kind: Kind, found: Any) -> dict[str, Value]:
    """An object read from JSON as values: references may be titles, labels stand as in `show --json`."""
    if not isinstance(found, dict):
        raise WrongUse(_("A record is a JSON object of field names and values."))
    values: dict[str, Value] = {}
    for name, value in found.items():
        field = kind.field(str(name))
        if isinstance(field.type, Ref) and isinstance(value, str):
            values[field.name] = resolve(session, field, value)
        elif isinstance(value, str) and not isinstance(field.type, Several):
            values[field.name] = field.type.parse(field.name, value)
        else:
            values[field.name] = value
    return values


def resolve(session: Session, field: Field, text: str) -> bytes | None:
    """The id behind a reference given as id or as title. Raises FieldProblem when none or several match."""
    text = text.strip()
    if not text:
        return None
    try:
        return parse_id(text)
    except ValueError:
        pass
    assert isinstance(field.type, Ref)  # noqa: S101 - the caller has looked
    target = KINDS[field.type.to]
    matches = session.call(_by_title, target, text)
    if len(matches) == 1:
        return matches[0]
    if matches:
        ids = ", ".join(map(id_text, matches[:IDS_TOLD])) + (", …" if len(matches) > IDS_TOLD else "")
        raise FieldProblem(
            field.name,
            _("Several records have this name."),
            _("Give the id instead: {ids}").format(ids=ids),
        )
    raise FieldProblem(
        field.name,
        _("There is no {kind} of this name here.").format(kind=_(target.label).lower()),
        _("Check the spelling, or give its id."),
    )


def _refuse_without_file(kind: Kind, values: Mapping[str, Value]) -> None:
    if kind.from_file and not any(values.get(field.name) for field in kind.contents):
        raise AppError(
            _("An attachment is made of a file, not of values."),
            _("Attach the file to a record: fieldkeep attach ID FILE"),
        )


def _refuse_role_at(session: Session, record_id: bytes) -> None:
    if not may_change(session.card.person.role):
        refuse_role(session, get(session, record_id).kind)


def _by_title(store: Store, kind: Kind, text: str) -> list[bytes]:
    found = lists.page(store, kind, where={kind.title: text}, limit=IDS_TOLD + 1)
    return [record.id for record in found.records]


def _one_of_several(field: Field, type_: Several, before: Value, label: str, text: str) -> Value:
    kept = [element for element in before or () if element["label"] != label]
    old = next((element for element in before or () if element["label"] == label), None)
    if not text.strip():
        return kept or None
    element = type_.element(field.name, {"label": label, "value": text, **({"id": old["id"]} if old else {})})
    return [*kept, element]


def _told(session: Session, record: Record) -> Record:
    session.tell(Changes(((record.kind.name, record.id),), HERE))
    return record

"""A form of any kind: what was typed, what is wrong with it, and saving by itself without losing a letter.

The record in the store, `_flying` (values on their way to it) and `_typed` (values typed since) lie on top of
each other. `rescue` may be called from any thread, when the store is about to close: it hands over both.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from app.changes import HERE, Changes
from app.errors import AppError
from app.services.session import Session
from app.store import records, sight
from app.store.records import Record
from app.store.store import Store
from app.viewmodels import reading
from app.viewmodels.base import Errands, Watched
from app.viewmodels.reading import Sheet
from app.viewmodels.rights import hidden_field, not_changing
from sync.protocol.errors import FieldProblem, KnownError
from sync.protocol.fields import Field, Value
from sync.protocol.ids import new_record_id
from sync.protocol.kinds import Kind
from sync.protocol.quiet import Quiet
from sync.protocol.roles import may_change
from sync.protocol.texts import gettext as _

if TYPE_CHECKING:
    from app.store.choices import Settled
    from app.store.joining import Joined


class Saved(StrEnum):
    """How a form stands, told in one quiet line."""

    NEW = "new"  # nothing typed yet, or not enough for a record
    TYPED = "typed"  # typed and not saved yet
    HERE = "here"  # saved on this device, waiting to be sent
    SENT = "sent"


class Undoable(Quiet, frozen=True):
    """A save that can be taken back: `before` holds the fields as they were; None means the record was made.

    `settled` is a choice between two values that met, `joined` a record joined into this one, `apart` another one that
    this one was called different from.
    """

    kind: Kind
    id: bytes
    before: Mapping[str, Value] | None
    deleted: bool = False
    settled: Settled | None = None
    joined: Joined | None = None
    apart: bytes = b""


class Editor(Watched):
    """One record, or one that is being made (`sheet` None), in a form."""

    def __init__(
        self,
        session: Session,
        errands: Errands,
        kind: Kind,
        sheet: Sheet | None,
        preset: Mapping[str, Value] | None = None,
        names: Mapping[bytes, str] | None = None,
    ) -> None:
        super().__init__()
        self.kind = kind
        self.names: dict[bytes, str] = {**(names or {}), **(sheet.names if sheet else {})}
        self.errors: dict[str, FieldProblem] = {}
        self.problem: KnownError | None = None
        self.undoable: list[Undoable] = []
        self._session = session
        self._errands = errands
        self._record = sheet.record if sheet else None
        self._id = sheet.record.id if sheet else bytes(new_record_id())
        self._lock = threading.Lock()
        self._preset = dict(preset or {})
        self._typed: dict[str, Value] = {}
        self._flying: dict[str, Value] = {}
        self._handed: set[str] = (
            set()
        )  # fields that were hidden while their draft was written, and wait with it

    # -- what is shown

    @property
    def id(self) -> bytes:
        """The record's id; a record that is being made has its id from the start."""
        return self._id

    @property
    def record(self) -> Record | None:
        """The record in the store, None until it is made."""
        return self._record

    def value(self, name: str) -> Value:
        """What a field holds: as typed, else as saved, else as it begins. Of one that is hidden, its mask alone."""
        if name in self.hidden:
            # Until the server has answered, the row says what was typed and not the mask.
            held = self._record.values if self._record is not None and name not in self._handed else {}
            return held.get(name)
        for layer in (self._typed, self._flying):
            if name in layer:
                return layer[name]
        if self._record is not None:
            return self._record.values.get(name)
        if name in self._preset:
            return self._preset[name]
        default = self.kind.by_name[name].default
        return self._session.card.person.email if name == "owner" and default is None else default

    @property
    def saved(self) -> Saved:
        """How the form stands."""
        if self.has_unsaved():
            return Saved.TYPED
        if self._record is None:
            return Saved.NEW
        return Saved.HERE if self._record.waiting else Saved.SENT

    @property
    def may_change(self) -> bool:
        """Whether this person's role writes at all: asked anew each time, as the server last told it."""
        return may_change(self._session.card.person.role)

    @property
    def hidden(self) -> frozenset[str]:
        """Names of the fields that this person may not see: what stands there is a mask."""
        return self.kind.hidden(self._session.card.person.care)

    def has_unsaved(self) -> bool:
        """Whether anything typed is not in the store yet, errors included."""
        return bool(self._typed or self._flying or self.errors)

    # -- typing

    def type_text(self, name: str, text: str) -> FieldProblem | None:
        """A field's text as a person typed it; the problem when it is not a value."""
        field = self.kind.by_name[name]
        if self._only_shows(name):
            return None
        try:
            value = field.type.parse(name, text)
        except FieldProblem as problem:
            return self._wrong(field, problem)
        return self.put(name, value)

    def put(self, name: str, value: Value) -> FieldProblem | None:
        """A field's value; the problem when the field cannot hold it."""
        field = self.kind.by_name[name]
        if self._only_shows(name):
            return None
        try:
            checked = field.type.check(name, value)
            if checked is None and field.required and self._record is not None:
                raise FieldProblem(name, _("{field} is needed.").format(field=_(field.label)))
        except FieldProblem as problem:
            return self._wrong(field, problem)
        self.errors.pop(name, None)
        with self._lock:
            same = self._record is not None and self._record.values.get(name) == checked
            if same and name not in self._flying:
                self._typed.pop(name, None)
            else:
                self._typed[name] = checked
        self.tell()
        return None

    def refused(self, name: str, problem: FieldProblem) -> None:
        """A field's editor holds what cannot become a value."""
        if not self._only_shows(name):
            self._wrong(self.kind.by_name[name], problem)

    def _only_shows(self, name: str = "") -> bool:
        """Whether nothing may be typed here, or in that field; then it is said why. Store and server refuse it too."""
        if self.may_change and name not in self.hidden:
            return False
        self.problem = AppError(hidden_field(self._session) if self.may_change else not_changing())
        self.tell()
        return True

    def _wrong(self, field: Field, problem: FieldProblem) -> FieldProblem:
        self.errors[field.name] = problem
        with self._lock:
            self._typed.pop(field.name, None)
        self.tell()
        return problem

    # -- saving

    def save(self) -> None:
        """Send what was typed to the store; a new record only once it has what it needs."""
        if self._typed and self._only_shows():
            return  # the role has changed since: what was typed stays in sight and is not written
        with self._lock:
            if self._flying or not self._typed or not self._is_whole():
                return
            self._flying, self._typed = self._typed, {}
            values = self._to_write(self._flying)
        made = self._record is None
        hidden = (
            self.hidden
        )  # what was typed there before goes out, to be kept by the server; it is not seen again
        seen = {name: value for name, value in values.items() if name not in hidden}
        self._handed |= values.keys() - seen.keys()
        before = None if made else self._before(seen)
        self.problem = None
        self._errands.run(
            lambda: write(self._session, self.kind, self._id, values, made=made, begun=hidden),
            lambda sheet: self._was_saved(sheet, before),
            self._was_not_saved,
        )
        self.tell()

    def rescue(self) -> None:
        """Save what is typed or on its way, in the caller's thread, since the store closes next.

        What cannot be saved is dropped: nothing may keep a lock or a wipe from going on. What was typed while the role
        still wrote is saved all the same: the server refuses it, and then it stands among what was not taken.
        """
        with self._lock:
            values = {**self._flying, **self._typed}
            whole = bool(values) and self._is_whole()
            values = self._to_write(values)
        if not whole:
            return
        try:
            write(self._session, self.kind, self._id, values, made=self._record is None, begun=self.hidden)
        except KnownError:
            # Most often the save on its way came first and the record is made; then only the fields are left.
            try:
                write(self._session, self.kind, self._id, values, made=False, begun=self.hidden)
            except KnownError:
                return

    def take(self, sheet: Sheet) -> None:
        """The record as it is in the store now; what was typed stays on top."""
        self.names.update(sheet.names)
        self._record = sheet.record
        for name in self.hidden & self.errors.keys():
            del self.errors[name]  # nobody can put it right any more, and it is no value that could be sent
        if not sheet.record.waiting:
            self._handed.clear()
        with self._lock:
            held = sheet.record.values
            self._typed = {name: value for name, value in self._typed.items() if held.get(name) != value}
        self.tell()

    def forget(self) -> None:
        """Hold nothing of any record any more."""
        with self._lock:
            self._typed, self._flying = {}, {}
        self._record = None
        self.names.clear()
        self.errors.clear()
        self.undoable.clear()
        self._watchers.clear()

    # -- inside

    def _is_whole(self) -> bool:
        """Whether the required fields are there: a new record is not made before that."""
        if self._record is not None:
            return True
        typed = {**self._flying, **self._typed}
        given = {**self._preset, **typed}
        needed = (field for field in self.kind.fields if field.required)
        there = all(given.get(field.name, field.default) is not None for field in needed)
        # What stood in the form already is nobody's wish for a record.
        return there and any(self._preset.get(name) != value for name, value in typed.items())

    def _to_write(self, values: Mapping[str, Value]) -> dict[str, Value]:
        return dict(values) if self._record is not None else {**self._preset, **values}

    def _before(self, values: Mapping[str, Value]) -> dict[str, Value]:
        held = self._record.values if self._record is not None else {}
        return {name: held.get(name) for name in values}

    def _was_saved(self, sheet: Sheet, before: Mapping[str, Value] | None) -> None:
        with self._lock:
            self._flying = {}
        if before != {}:  # else all of it was hidden meanwhile
            self.undoable.append(Undoable(self.kind, self._id, before))
        self.take(sheet)
        if self._typed:
            self.save()

    def _was_not_saved(self, problem: KnownError) -> None:
        with self._lock:
            self._typed = {**self._flying, **self._typed}
            self._flying = {}
        if isinstance(problem, FieldProblem) and problem.field in self.kind.by_name:
            self.errors[problem.field] = problem
            with self._lock:
                self._typed.pop(problem.field, None)
        else:
            self.problem = problem
        self.tell()


def write(
    session: Session,
    kind: Kind,
    id_: bytes,
    values: Mapping[str, Value],
    *,
    made: bool,
    begun: frozenset[str] | None = None,
) -> Sheet:
    """Write a record and tell of it; the record with the names it needs. Raises KnownError.

    With `begun`, what was typed before its field was hidden goes out too: in a change of its own, since the server
    refuses that one and keeps it. `begun` names fields that are hidden by what the server said last.
    """

    def act(store: Store) -> Sheet:
        if made:
            made_ = records.add(store, kind, values, id=id_, begun=begun is not None)
            return reading.sheet_of(store, made_)
        late = values.keys() & (begun | sight.hidden(store, kind)) if begun is not None else set()
        record = records.edit(store, id_, {name: values[name] for name in values if name not in late})
        if late:
            record = records.edit(store, id_, {name: values[name] for name in late}, begun=True)
        return reading.sheet_of(store, record)

    sheet = session.call(act)
    session.tell(Changes(((kind.name, id_),), HERE))
    return sheet


def turn(session: Session, kind: Kind, id_: bytes, *, deleted: bool) -> None:
    """Delete a record or take it back, and tell of it. Raises KnownError."""
    if deleted:
        session.call(records.delete, id_)
    else:
        from app.store import joining  # the first list needs none of it

        session.call(joining.bring_back, id_)
    session.tell(Changes(((kind.name, id_),), HERE))


def undo(session: Session, act: Undoable) -> None:
    """Take a save back. Raises KnownError; AppError when the role may not, or there is nothing to go back to."""
    if not may_change(session.card.person.role):
        raise AppError(not_changing())
    if act.settled is not None:
        from app.services import settling  # the first list needs none of it

        settling.reopen(session, act.settled)
    elif act.joined is not None or act.apart:
        from app.services import duplicates

        if act.joined is not None:
            duplicates.take_apart(session, act.joined)
        else:
            duplicates.set_apart(session, act.id, act.apart, different=False)
    elif act.deleted:
        turn(session, act.kind, act.id, deleted=False)
    elif act.before is None:
        turn(session, act.kind, act.id, deleted=True)
    else:
        if any(act.kind.by_name[name].required and value is None for name, value in act.before.items()):
            raise AppError(_("This change cannot be taken back."))
        write(session, act.kind, act.id, act.before, made=False)

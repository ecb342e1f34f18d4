"""What a person does about two records that seem to be one: sees both, joins them, or says that they are different."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.changes import HERE, Changes
from app.services import records
from app.services.session import Session
from app.store import duplicates, joining
from app.store.duplicates import AGAIN, Pair
from app.store.joining import Joined, Line
from app.store.reader import Reader
from app.store.records import Record, get
from app.store.store import Store
from sync.protocol.quiet import Quiet
from sync.protocol.texts import gettext as _
from sync.protocol.texts import mark as N_

AT_ONCE: Final = 5  # steps of looking that a person waits for after an act of theirs

WHY: Final = {
    "tax": N_("Nearly one name, and the same tax number"),
    "email": N_("Nearly one name, and the same e-mail address"),
    "phone": N_("Nearly one name, and the same phone number"),
    "address": N_("Nearly one name, and the same address"),
    "website": N_("Nearly one name, and the same website"),
    "company": N_("The same name at the same customer"),
    "name": N_("The same name, and nothing that says otherwise"),
    AGAIN: N_("Joined already, and changed elsewhere meanwhile"),
}


class Seen(Quiet, frozen=True):
    """A pair with both records: `remains` is the one that stays unless somebody says otherwise."""

    pair: Pair
    remains: Record
    gone: Record

    @property
    def why(self) -> str:
        """What speaks for it, in words."""
        return _(WHY[self.pair.why])


def look(session: Session) -> None:
    """Look at all that was not looked at yet; on a large book that was never looked at, for minutes. Raises Locked."""
    while session.call(lambda store: duplicates.step(store, duplicates.MANY)):
        pass


def look_a_while(session: Session) -> int:
    """Look at what an exchange has brought, not for minutes at a book that is new here; how many pairs there are."""
    for _at in range(AT_ONCE):
        if not session.call(lambda store: duplicates.step(store, duplicates.MANY)):
            break
    return session.read(duplicates.count)


def seen(store: Reader, record: bytes | None = None, limit: int = -1) -> list[Seen]:
    """Pairs with their records, the one that came last first."""
    found = []
    for pair in duplicates.found(store, record=record, limit=limit):
        first, second = joining.older(pair.a, pair.b)
        found.append(Seen(pair, get(store, first), get(store, second)))
    return found


def compared(store: Reader, remains: bytes, gone: bytes) -> list[Line]:
    """Both records, field by field. Raises NotFound, AppError."""
    return joining.compared(store, remains, gone)


def join(session: Session, remains: bytes, gone: bytes, takes: Mapping[str, str] | None = None) -> Joined:
    """Make two records one. Raises NotFound, FieldProblem, Locked, NoSpace; AppError where they or the role may not."""
    _refuse(session, remains)

    def work(store: Store) -> Joined:
        made = joining.join(store, remains, gone, takes)
        _look_again(store)
        return made

    made = session.call(work)
    _tell(session, made)
    return made


def take_apart(session: Session, made: Joined) -> None:
    """Take a join back. Raises as `join`."""
    _refuse(session, made.remains)

    def work(store: Store) -> None:
        joining.take_apart(store, made)
        _look_again(store)

    session.call(work)
    _tell(session, made)


def set_apart(session: Session, one: bytes, other: bytes, *, different: bool = True) -> None:
    """Say that two records are different, or take that back. Raises as `join`."""
    _refuse(session, one)

    def work(store: Store) -> None:
        joining.set_apart(store, one, other, different=different)
        _look_again(store)

    session.call(work)
    kind = session.read(get, one).kind.name
    session.tell(Changes(((kind, one), (kind, other)), HERE))


def _look_again(store: Store) -> None:
    """What somebody has just done is seen at once, and not behind."""
    for _at in range(AT_ONCE):
        if not duplicates.step(store):
            break


def _refuse(session: Session, record: bytes) -> None:
    records.refuse_role(session, session.read(get, record).kind)


def _tell(session: Session, made: Joined) -> None:
    moved = tuple((each.kind, each.id) for each in made.moved)
    session.tell(Changes(((made.kind, made.remains), (made.kind, made.gone), *moved), HERE))

"""What a person does with a change that the server did not take: make it again, or let it go."""

from __future__ import annotations

from app.changes import HERE, Changes
from app.services import records
from app.services.session import Session
from app.store import conflicts
from app.store.conflicts import Attention, Name
from sync.protocol import rejections
from sync.protocol.errors import Rejection
from sync.protocol.joins import sentences
from sync.protocol.kinds import KINDS
from sync.protocol.ops import Act
from sync.protocol.roles import may_change
from sync.protocol.texts import gettext as _


def make_again(session: Session, refused: Attention) -> None:
    """The same change once more, as an act of now. Raises NotFound, FieldProblem, AppError, Locked, NoSpace."""
    records.refuse_role(session, KINDS.get(refused.kind))
    session.call(conflicts.make_again, refused.name)
    _tell(session, refused)


def let_go(session: Session, refused: Attention) -> None:
    """Give it up on this device; the server keeps its copy. Raises NotFound, Locked, NoSpace."""
    session.call(conflicts.let_go, refused.name)
    _tell(session, refused)


def may_write(session: Session, refused: Attention) -> bool:
    """Whether this person can still write what the change was to say: not what is hidden here by now."""
    kind, person = KINDS.get(refused.kind), session.card.person
    hidden = kind.hidden(person.care) if kind is not None else frozenset()
    return may_change(person.role) and _made_of(refused) and not hidden.intersection(refused.fields)


def may_go_again(session: Session, refused: Attention) -> bool:
    """Whether the same change, made once more, can be taken: one that does not hold is turned away each time."""
    same_answer = refused.code in (Rejection.INVALID, Rejection.GONE)
    return may_write(session, refused) and not same_answer


def may_type_again(session: Session, refused: Attention) -> bool:
    """Whether the record is here again, and what was written only on the server: IT can show it to who types it."""
    if why(refused) == _(rejections.HIDDEN):
        return False  # it would be refused for the same field
    return refused.op is None and refused.here and may_change(session.card.person.role)


def why(refused: Attention) -> str:
    """What the server said, in the reader's language; "" where it said nothing."""
    return rejections.told(refused.hint)


def words_gone(refused: Attention) -> str:
    """Where what was written is, once it is not here any more; "" while it is."""
    if refused.op is not None:
        return ""
    if why(refused) in map(_, rejections.SAY_KEPT):  # so that it is said once
        if refused.here:
            return _("It is not on this device any more: IT can show it to you.")
        return _("The record is not on this device.")
    if refused.here:
        gone = conflicts.nothing_left(here=True)
        return sentences(gone.title, gone.hint)
    return _("The record is not on this device. The server keeps what you wrote.")


def spelled(name: Name) -> str:
    """A refused change as it is named on the command line."""
    incarnation, n = name
    return f"{incarnation.hex()[:8]}-{n}"


def find(session: Session, text: str) -> Attention:
    """The refused change of that name. Raises NotFound."""
    wanted = text.strip().casefold()
    found = [each for each in session.call(conflicts.attention) if spelled(each.name) == wanted]
    if len(found) != 1:
        raise conflicts.not_there()
    return found[0]


def _made_of(refused: Attention) -> bool:
    return refused.op is not None and (refused.here or refused.op.act is Act.ADD)


def _tell(session: Session, refused: Attention) -> None:
    session.tell(Changes(((refused.kind, refused.id),), HERE))

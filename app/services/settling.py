"""What a person does with edits that met: keep what stands, or take the other; and taking that choice back."""

from __future__ import annotations

from app.changes import HERE, Changes
from app.errors import NotFound
from app.services import records
from app.services.session import Session
from app.store import choices, conflicts
from app.store.choices import KEPT, SWAPPED, Settled
from app.store.conflicts import OpenConflict
from sync.protocol.ids import id_text
from sync.protocol.kinds import KINDS
from sync.protocol.merge import DELETED, WHOLE_RECORD
from sync.protocol.texts import gettext as _

_SPELLED = 8  # characters of an id that tell a conflict from others


def keep(session: Session, each: OpenConflict) -> Settled:
    """Let stand what stands. Raises NotFound, AppError where the role may not, Locked, NoSpace."""
    return _settle(session, each, KEPT)


def take(session: Session, each: OpenConflict) -> Settled:
    """Put the other one in its place. Raises as `keep`; FieldProblem where it does not hold any more."""
    return _settle(session, each, SWAPPED)


def reopen(session: Session, made: Settled) -> None:
    """Take a choice back. Raises NotFound, AppError where the role may not, FieldProblem, Locked, NoSpace."""
    records.refuse_role(session, KINDS.get(made.kind))
    session.call(choices.reopen, made)
    session.tell(Changes(_looked(made), HERE))


def offered(each: OpenConflict) -> tuple[str, str]:
    """What the two choices are called: to keep what stands, and to take the other; "" where that stands already."""
    deleted = each.deleted
    if each.remains:
        text = _("Leave it as it is")
        return text, "" if each.conflict.cell == WHOLE_RECORD else _("Take it into the record that remains")
    if each.conflict.cell == WHOLE_RECORD:
        to_delete = each.conflict.kept == DELETED
        if deleted:
            return _("Leave it deleted"), "" if to_delete else _("Bring it back")
        return _("Keep the record"), _("Delete it after all") if to_delete else ""
    if deleted:
        return _("Leave it deleted"), _("Bring it back with this value")
    return _("Keep what stands"), _("Take the other")


def spelled(each: OpenConflict) -> str:
    """A conflict as it is named on the command line."""
    return each.conflict.id.hex()[:_SPELLED]


def find(session: Session, text: str) -> OpenConflict:
    """The open conflict of that name or id. Raises NotFound."""
    wanted = text.strip().casefold()
    found = [
        each
        for each in session.call(conflicts.open_conflicts)
        if wanted in (spelled(each), id_text(each.conflict.id))
    ]
    if len(found) != 1:
        raise NotFound(_("There is no such open conflict."), _("See them with: fieldkeep conflicts"))
    return found[0]


def _settle(session: Session, each: OpenConflict, choice: str) -> Settled:
    records.refuse_role(session, KINDS.get(each.conflict.kind))
    made = session.call(choices.settle, each.conflict.id, choice)
    session.tell(Changes(_looked(made), HERE))
    return made


def _looked(made: Settled) -> tuple[tuple[str, bytes], ...]:
    """The records that look different after a choice."""
    return tuple((made.kind, id_) for id_ in (made.record, made.remains) if id_)

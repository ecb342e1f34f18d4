"""What a journey is for the person who makes it, in words: what it takes along, what cannot be done on it, its end.

Read off the papers and the guarded state alone, so that the window may ask while it paints.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from app.services.session import Session
from app.store.sight import HiddenField
from sync.protocol.fields import Care
from sync.protocol.joins import listed, sentences
from sync.protocol.kinds import KINDS
from sync.protocol.texts import gettext as _
from sync.protocol.travel import most_care


def travels(session: Session) -> bool:
    """Whether this device travels, asked for here or by the policy."""
    return session.state.travelling or session.ruling.policy.travel.always


def ends_here(session: Session) -> bool:
    """Whether this device is on a journey that its person has begun, and may end."""
    return session.state.travelling and not session.ruling.policy.travel.always


def in_short(session: Session) -> str:
    """One sentence for whoever works on it; "" where it does not travel."""
    if session.ruling.policy.travel.always:
        return _("Your organisation keeps what is confidential at home on every device.")
    if not session.state.travelling:
        return ""
    if session.card.person.care > most_care(session.ruling.policy.travel):
        return _(
            "This device is about to travel: what stays at home leaves it at the next contact with the server."
        )
    return _("This device travels: what is confidential is hidden until the journey ends.")


def not_on_it(care: Care) -> str:
    """What nobody can add on a journey that shows up to this class of care; "" where all can be."""
    barred = [
        _(kind.plural).lower()
        for kind in KINDS.values()
        if not kind.from_file and kind.hidden(care) & {field.name for field in kind.fields if field.required}
    ]
    if not barred:
        return ""
    said = _(
        "On the journey you cannot add any of these here: {kinds}. Note them down and add them afterwards."
    )
    return said.format(kinds=listed(barred))


def question(session: Session) -> tuple[str, str]:
    """What the window asks before a journey begins, and what it means."""
    care = most_care(session.ruling.policy.travel)
    more = sentences(
        _("Names and other confidential values leave this computer, and come back when the journey ends."),
        not_on_it(care),
        _("It begins once everything is sent, and both its beginning and its end need the server."),
    )
    return _("Begin a journey?"), more


@contextlib.contextmanager
def explained(session: Session) -> Iterator[None]:
    """Within it, a field that is hidden because of a journey says so, and that ending it is the next step."""
    try:
        yield
    except HiddenField as problem:
        if not ends_here(session):
            raise
        raise on_a_journey(problem) from None


def on_a_journey(problem: HiddenField) -> HiddenField:
    """The same problem on a device that travels."""
    said = _("{field} stays at home while this device travels.")
    return HiddenField(problem.field, said.format(field=problem.label), ends_by(), label=problem.label)


def ends_by() -> str:
    """The next step of whoever wants to see all again, on the command line."""
    return _("To end the journey, with the server in reach: fieldkeep travel off")

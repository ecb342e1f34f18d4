"""An import or an act on many records that a crash or a lock broke off: told once the list is there, with a way on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.services import many
from app.services.many import Asked, Outcome
from app.store import begun
from app.store.reader import Reader
from app.viewmodels.acting import Many
from app.viewmodels.base import ignore
from app.viewmodels.telling import Aside
from sync.protocol.texts import gettext as _

if TYPE_CHECKING:
    from app.viewmodels.desk import Desk

_Begun = tuple[tuple[Asked, Outcome] | None, list[Path]]


def look(desk: Desk) -> None:
    """Tell of one if there is any; of an act first, since records are half one way and half another."""

    def read(store: Reader) -> _Begun:
        return many.broken_off(store), begun.imports(store)

    def take(found: _Begun) -> None:
        act, files = found
        if act is not None:
            _tell_act(desk, *act)
        elif files:
            said = _("An import was broken off, and nothing of it came in.")
            desk.aside = Aside(said, again=tuple(files))
            desk.on_aside.tell()

    desk.errands.read(lambda: desk.session.read(read), take)


def again(desk: Desk) -> list[Path]:
    """The import's files, to be looked at anew; it is told no more."""
    files = list(desk.aside.again) if desk.aside is not None else []
    dismiss(desk)
    return files


def go_on(desk: Desk) -> None:
    """Go on with the act where it was broken off."""

    def take(act: tuple[Asked, Outcome] | None) -> None:
        if act is not None:
            desk.acting.go_on(*act)

    desk.hush()
    desk.errands.read(lambda: desk.session.read(many.broken_off), take)


def dismiss(desk: Desk) -> None:
    """Take the line away: whoever has read it knows. What else was broken off is told next."""
    aside = desk.aside
    desk.hush()
    if aside is not None and aside.stays:
        forget = begun.forget_act if aside.goes_on else begun.forget_import
        desk.errands.run(lambda: desk.session.call(forget), ignore)
        if aside.goes_on:
            look(desk)


def _tell_act(desk: Desk, asked: Asked, outcome: Outcome) -> None:
    from app.viewmodels import act_words  # hardly ever is there anything to tell

    if desk.acting.running:
        return  # it is under way again
    if outcome.spans:
        desk.drafts.may_undo(Many(asked.kind, outcome.spans, outcome.changed))
    desk.say(act_words.broken_off(asked, outcome), undoes=bool(outcome.spans), goes_on=desk.may_change)

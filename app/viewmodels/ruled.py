"""What policy makes of this device, as the window shows it: a line for each thing that is wrong, and what is barred."""

from __future__ import annotations

from app.services import reasons
from app.services.guard import Rung
from app.services.reasons import NotAllowed, Told
from app.services.session import Session
from sync.protocol.joins import sentences
from sync.protocol.quiet import Quiet
from sync.protocol.signals import SILENCE
from sync.protocol.texts import gettext as _
from sync.protocol.uses import COPY, SCREENSHOT

LINES_MAX = 3  # beside each other above the lists; all of them stand on the page of settings


class Ruled(Quiet, frozen=True):
    """As it was judged last. What was copied leaves the clipboard after `clear_s`, 0 for not by time."""

    told: tuple[Told, ...] = ()
    blocked: frozenset[str] = frozenset()
    clear_s: int = 0
    coming: str = ""  # a wipe that waits for its time, in words
    wipe_at: int = 0  # that time (UTC milliseconds), 0 where none waits

    @property
    def silent(self) -> bool:
        """Whether the server has not been met for long."""
        return any(each.signal == SILENCE for each in self.told)

    @property
    def copies(self) -> bool:
        """Whether records may be copied to the clipboard."""
        return COPY not in self.blocked

    @property
    def shields(self) -> bool:
        """Whether screenshots are to be kept away."""
        return SCREENSHOT in self.blocked

    def lines(self, hidden: frozenset[str]) -> list[tuple[str, str]]:
        """Signal and sentence of what is shown above the lists; a warning that somebody has hidden is not."""
        shown = [each for each in self.told if each.rung > Rung.WARN or each.signal not in hidden]
        found = [
            (each.signal if each.rung is Rung.WARN else "", sentences(each.problem, each.step))
            for each in shown
        ]
        restricted = any(each.rung is Rung.RESTRICT for each in self.told)
        taken = reasons.taken_away(sorted(self.blocked)) if restricted else ""
        coming = [("", self.coming)] if self.coming else []
        return [*coming, *found[:LINES_MAX], *([("", taken)] if taken else [])]

    def about(self) -> list[tuple[str, str]]:
        """The same for the page of settings."""
        found = [(_("Policy asks"), sentences(each.problem, each.step)) for each in self.told]
        taken = reasons.taken_away(sorted(self.blocked))
        coming = [(_("Order"), self.coming)] if self.coming else []
        return [*coming, *found, *([(_("Policy"), taken)] if taken else [])]


def ruled(session: Session) -> Ruled:
    """As it was judged last; asks the system nothing. What does not hold is not judged."""
    if session.damage is not None:
        return Ruled()
    verdict = session.ruling.verdict
    clear_s, coming = session.ruling.policy.use.clear_clipboard_s, session.ruling.coming
    return Ruled(tuple(reasons.told(verdict)), verdict.blocked, clear_s, coming, session.ruling.wipe_at)


def refusal(session: Session, use: str) -> str:
    """Why a use is not allowed, and the next step; "" where it is."""
    try:
        session.ruling.refuse_use(use)
    except NotAllowed as problem:
        return sentences(problem.title, problem.hint)
    return ""

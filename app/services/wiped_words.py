"""What a wiped device says: by whom and why, and where the work is that it had not sent."""

from __future__ import annotations

from app.errors import Wiped
from app.services import wipe
from sync.protocol.texts import gettext as _


def wiped_error(left: wipe.Intent | wipe.Tombstone) -> Wiped:
    """What a wiped device says."""
    kept = _kept(handed=isinstance(left, wipe.Tombstone))  # it is laid once the server holds all of it
    if left.because:
        title = _("This device has wiped itself, as the policy of {org} asks after so long a silence.")
        return Wiped(title.format(org=left.org_name), f"{left.reason}.", kept=kept)
    title = _("This device was wiped by {org}.").format(org=left.org_name)
    reason = _("Reason: {reason}").format(reason=left.reason) if left.reason else ""
    return Wiped(title, reason, kept=kept)


def handed_in(problem: Wiped) -> Wiped:
    """The same once the server holds what was not sent."""
    return Wiped(problem.title, problem.hint, kept=_kept(handed=True))


def _kept(*, handed: bool) -> str:
    if handed:
        return _("What you had not sent is sealed, and IT has it.")
    return _("What you had not sent is sealed here, and goes to IT at the next contact with the server.")

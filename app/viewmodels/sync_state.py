"""How syncing stands, in one word for the badge, one sentence and one thing to do."""

from __future__ import annotations

from dataclasses import dataclass

from app.viewmodels import words
from sync.client.status import Phase, SyncStatus
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext


@dataclass(frozen=True, slots=True)
class Standing:
    """What the badge shows; `state` is sent, sending, offline, needs_you or refused."""

    state: str
    words: str
    sentence: str
    action: str = ""


def standing(status: SyncStatus) -> Standing:
    """The status in words. What IT must hear comes first, then a refusal, then a choice, since they need a person."""
    if status.alarm:
        told = _("This device was shown a document that does not hold ({rule}). It was not obeyed. Tell IT.")
        return Standing("refused", _("Tell IT · see why"), told.format(rule=status.alarm), _("Sync now"))
    if status.phase is Phase.REFUSED:
        return Standing(
            "refused",
            _("Not syncing · see why"),
            " ".join(part for part in (status.title, status.hint) if part),
            _("Try now"),
        )
    if status.conflicts:
        text = ngettext("{n} to choose", "{n} to choose", status.conflicts)
        sentence = _("Edits met, or were not accepted. Nothing is lost.")
        return Standing("needs_you", text.format(n=status.conflicts), sentence, _("Show conflicts"))
    if status.phase is Phase.OFFLINE:
        return _offline(status)
    if status.waiting:
        return _waiting(status)
    if not status.last_ok:
        sentence = _("Your customers are on their way to this device.")
        return Standing("sending", _("Fetching …"), sentence)
    done = _("Up to date · {time}").format(time=words.clock(status.last_ok))
    return Standing("sent", done, _("The server has everything that you did here."), _("Sync now"))


def _offline(status: SyncStatus) -> Standing:
    if status.waiting:
        text = ngettext("{n} waiting · offline", "{n} waiting · offline", status.waiting)
        sentence = _("Saved on this device. They go out when there is a connection.")
        return Standing("offline", text.format(n=status.waiting), sentence, _("Try now"))
    sentence = _("You can go on working: everything is on this device.")
    return Standing("offline", _("Offline"), sentence, _("Try now"))


def _waiting(status: SyncStatus) -> Standing:
    if status.phase is Phase.SENDING:
        text = ngettext("Sending {n} …", "Sending {n} …", status.waiting)
        return Standing("sending", text.format(n=status.waiting), _("Your changes are going out."))
    text = ngettext("{n} waiting", "{n} waiting", status.waiting)
    sentence = _("Saved on this device. They go out in a moment.")
    return Standing("sending", text.format(n=status.waiting), sentence, _("Sync now"))

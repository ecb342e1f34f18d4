"""How syncing stands: one word for the badge, one sentence, one thing to do, and the answer to who asked for it."""

from __future__ import annotations

import msgspec

from app.viewmodels import words
from sync.client.status import Phase, SyncStatus
from sync.protocol.joins import sentences
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext


class Standing(msgspec.Struct, frozen=True):
    """What the badge shows; `state` is sent, sending, offline, needs or refused.

    `beside` tells of open conflicts, "" for none: they stay until somebody settles them, and must hide nothing.
    """

    state: str
    words: str
    sentence: str
    action: str = ""
    beside: str = ""


def standing(status: SyncStatus, wipe_at: int = 0, coming: str = "", journey: str = "") -> Standing:
    """The status in words. What IT must hear comes first, then a refusal, since they need a person; then a wipe that
    comes at `wipe_at` (UTC milliseconds, 0 for none), with what is to be said of it.

    `journey` is what is said of a device that travels: its badge says so while nothing else is to be said.
    """
    found = msgspec.structs.replace(_connection(status), beside=_conflicts(status.conflicts))
    if wipe_at and found.state not in ("refused", "needs"):
        text = _("To be wiped · {time}").format(time=f"{words.day_of(wipe_at)} {words.clock(wipe_at)}")
        return msgspec.structs.replace(
            found, state="refused", words=text, sentence=sentences(coming, found.sentence)
        )
    if not journey:
        return found
    shown = found.words
    if found.state == "sent":
        shown = _("Travelling · {time}").format(time=words.clock(status.last_ok))
    elif (found.state, shown) == ("offline", _("Offline")):
        shown = _("Travelling · offline")
    return msgspec.structs.replace(found, words=shown, sentence=sentences(found.sentence, journey))


def counted(status: SyncStatus, unsent: int | None) -> SyncStatus:
    """The status with what waits by now: a save is told before the next exchange has looked at it."""
    if unsent is None or unsent == status.waiting or status.phase not in (Phase.IDLE, Phase.OFFLINE):
        return status
    return msgspec.structs.replace(status, waiting=unsent)


def answer(status: SyncStatus) -> str:
    """One line for a person who asked for an exchange: what came of it."""
    if status.alarm or status.phase is Phase.REFUSED:
        return _connection(status).sentence
    if status.phase is Phase.OFFLINE:
        return sentences(status.title or _("Could not reach the server."), _safe(status.waiting))
    if status.phase is Phase.STOPPED:
        return sentences(_("Syncing has ended. Close Fieldkeep and open it again."), _safe(status.waiting))
    if status.waiting:
        text = ngettext(
            "{n} change is still to be sent.", "{n} changes are still to be sent.", status.waiting
        )
        return text.format(n=words.number(status.waiting))
    if status.files:
        return sentences(_files(status.files), _behind())
    return _("Up to date: the server has everything that you did here.")


def arriving(status: SyncStatus) -> tuple[str, str]:
    """What stands where records will be, on a device that has not had all of them yet: a sentence, and more on it."""
    if status.phase in (Phase.OFFLINE, Phase.REFUSED):
        more = sentences(status.title or _("Could not reach the server."), status.hint)
        return _("Your territory has not been fetched yet"), more
    text = ngettext(
        "{n} record is here so far. You can work with it already.",
        "{n} records are here so far. You can work with them already.",
        status.fetched,
    )
    more = text.format(n=words.number(status.fetched)) if status.fetched else ""
    if more and status.percent:
        more = sentences(
            more, _("That is {percent} of the way.").format(percent=words.percent(status.percent))
        )
    return _("Your territory is still being fetched"), more


def _safe(waiting: int) -> str:
    if not waiting:
        return _("You can go on working: everything is on this device.")
    text = ngettext(
        "Your {n} change is safe on this device.", "Your {n} changes are safe on this device.", waiting
    )
    return text.format(n=words.number(waiting))


def _files(count: int) -> str:
    text = ngettext("{n} attachment waits", "{n} attachments wait", count)
    return text.format(n=words.number(count))


def _behind() -> str:
    return _("The server has all your changes. Attached files go up behind them.")


def _conflicts(count: int) -> str:
    return ngettext("{n} conflict", "{n} conflicts", count).format(n=count) if count else ""


def _connection(status: SyncStatus) -> Standing:
    if status.alarm:
        told = _("This device was shown a document that does not hold ({rule}). It was not obeyed. Tell IT.")
        return Standing("refused", _("Tell IT · see why"), told.format(rule=status.alarm), _("Sync now"))
    if status.phase is Phase.REFUSED:
        return Standing(
            "refused",
            _("Not syncing · see why"),
            sentences(status.title, status.hint),
            _("Try now"),
        )
    if status.phase is Phase.OFFLINE:
        return _offline(status)
    if status.fetched:
        text = ngettext("Fetching {n} …", "Fetching {n} …", status.fetched)
        said = text.format(n=words.number(status.fetched))
        if status.percent:
            said = f"{said} {words.percent(status.percent)}"
        return Standing("sending", said, arriving(status)[1])
    if status.waiting:
        return _waiting(status)
    if status.first or not status.last_ok:
        return Standing("sending", _("Fetching …"), _("Your customers are on their way to this device."))
    if status.attention:
        text = ngettext("{n} not accepted", "{n} not accepted", status.attention)
        return Standing(
            "needs", text.format(n=words.number(status.attention)), _not_accepted(), _("Sync now")
        )
    if status.files:
        return Standing("sending", _files(status.files), _behind(), _("Sync now"))
    done = _("Up to date · {time}").format(time=words.clock(status.last_ok))
    return Standing("sent", done, _("The server has everything that you did here."), _("Sync now"))


def _not_accepted() -> str:
    return _("The server did not accept what you changed here. See why, and what to do.")


def _offline(status: SyncStatus) -> Standing:
    if status.waiting:
        text = ngettext("{n} waiting · offline", "{n} waiting · offline", status.waiting)
        sentence = _("Saved on this device. They go out when there is a connection.")
        return Standing("offline", text.format(n=words.number(status.waiting)), sentence, _("Try now"))
    if status.attention:
        text = ngettext("{n} not accepted · offline", "{n} not accepted · offline", status.attention)
        sentence = sentences(_("Could not reach the server."), _not_accepted())
        return Standing("needs", text.format(n=words.number(status.attention)), sentence, _("Try now"))
    if status.first:
        return Standing("offline", _("Offline"), sentences(*arriving(status)), _("Try now"))
    if status.files:
        sentence = _("They are safe on this device and go up when there is a connection.")
        return Standing("offline", _files(status.files), sentence, _("Try now"))
    sentence = _("You can go on working: everything is on this device.")
    return Standing("offline", _("Offline"), sentence, _("Try now"))


def _waiting(status: SyncStatus) -> Standing:
    if status.phase is Phase.SENDING:
        text = ngettext("Sending {n} …", "Sending {n} …", status.waiting)
        return Standing(
            "sending", text.format(n=words.number(status.waiting)), _("Your changes are going out.")
        )
    text = ngettext("{n} waiting", "{n} waiting", status.waiting)
    sentence = _("Saved on this device. They go out in a moment.")
    return Standing("sending", text.format(n=words.number(status.waiting)), sentence, _("Sync now"))

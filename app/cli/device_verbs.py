"""The verbs of a device: join, exchange, lock, unlock, choose a PIN, examine it.

Each imports by itself what it alone needs: a script that asks for the status shall not wait for the network's parts.
"""

from __future__ import annotations

import contextlib
import getpass
import sys
from typing import TYPE_CHECKING

from app.cli import hints, pins, roles, show
from app.cli.status_verb import named
from app.cli.verb import Arguments, aside, done, read_text, say, tell_problem
from app.errors import AppError, KeyMissing, Locked, StoreDamaged, Wiped
from app.paths import Profile
from app.services.opening import open_damaged, open_session
from app.services.session import ACTIVE, LOCK_CRYPTO, Session
from app.services.wiped import finish_wipe, refuse_wiped
from app.store.store import Store
from sync.protocol.errors import KnownError
from sync.protocol.roles import IT
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

if TYPE_CHECKING:
    from app.services.rounds import Round  # with the network's parts

CODE_MAX = 4_096  # characters


def enrol(profile: Profile, args: Arguments) -> int:
    """Join an organisation. The code never comes by argv, where every process could read it."""
    from app.services import enrolment

    code = _code()
    if (
        sys.stdin.isatty() and not args.json
    ):  # somebody is there who can compare them, before anything is sent
        aside(_("Words of the organisation, to compare with IT: {words}").format(words=enrolment.words(code)))
    card = enrolment.enrol(profile, code, args.name)
    if args.json:
        show.emit(named(card))
    else:
        say(
            _("{device} is enrolled for {person} at {org}.").format(
                device=card.name, person=card.person.email, org=card.org_name
            )
        )
        if card.person.role == IT:
            say(roles.no_customers())
        else:
            say(hints.filled(_("Fetch your customers with: fieldkeep sync")))
    return 0


def sync(profile: Profile, args: Arguments) -> int:
    """Exchange with the server; while wiped, hand in the receipt; where the store is damaged, hear what IT orders."""
    from app.services import duplicates
    from app.services.hearing import open_heard
    from app.services.syncing import Syncing

    if args.explain is not None:
        from app.cli import story

        return story.explain(profile, args)
    try:
        session = open_heard(profile)
    except Wiped:
        _hand_in(profile)
        refuse_wiped(profile)  # says where unsent work is by now
        raise
    with session:
        pins.open_by_pin(session, wanted=False)
        syncing = Syncing(session)
        syncing.let_go = args.let_go
        try:
            brought = syncing.round()
        except (Locked, StoreDamaged):
            _carry_all(session)
            raise
        finally:
            syncing.close()
        unsent = session.call(Store.unsent)
        pairs = duplicates.look_a_while(session)
        files, unsent_files, problem = _carry(session)
    taken = max(0, brought.sent - brought.rejected)
    if args.json:
        show.emit(
            {
                "sent": taken,
                "received": brought.received,
                "left": brought.left,
                "conflicts": brought.conflicts,
                "refused": brought.rejected,
                "recovered": brought.recovered,
                "set_aside": brought.lost,
                "unsent": unsent,
                "duplicates": pairs,
                "attachments": files,
                "unsent_attachments": unsent_files,
            }
        )
    else:
        _tell(brought, taken)
        _tell_beside(files, pairs)
    if problem is not None:
        raise problem
    return 0


def _tell_beside(files: int, pairs: int) -> None:
    """What went up beside the records, and what seems to be there twice."""
    if files:
        text = ngettext("{n} attachment has gone up.", "{n} attachments have gone up.", files)
        say(text.format(n=files))
    if pairs:
        text = ngettext(
            "{n} pair of records seems to be one. See: fieldkeep duplicates",
            "{n} pairs of records seem to be one. See: fieldkeep duplicates",
            pairs,
        )
        say(hints.filled(text.format(n=pairs)))


def _carry_all(session: Session) -> None:
    """Attached files need no store to go up: they are encrypted, and the device key signs for them."""
    from app.services.carrying import Carrying

    with contextlib.suppress(KnownError, OSError):
        Carrying(session).all()


def _carry(session: Session) -> tuple[int, int, KnownError | None]:
    """Attached files go up, behind everything else: how many went, how many wait, and why."""
    from app.services import attachments, carrying
    from app.store.blobs import Blobs

    blobs, problem = Blobs(session.profile), None
    before = len(blobs.unsent())
    try:
        carrying.Carrying(session).all()
    except KnownError as stopped:
        problem = stopped
    attachments.keep_within(session)
    left = len(blobs.unsent())
    return max(0, before - left), left, problem


def _tell(brought: Round, taken: int) -> None:
    """What an exchange has sent and brought, and what to look at now."""
    if brought.rejected:
        text = _("Sent {sent}, received {received}, {refused} not accepted.")
        say(text.format(sent=taken, received=brought.received, refused=brought.rejected))
    else:
        say(_("Sent {sent}, received {received}.").format(sent=taken, received=brought.received))
    left = ngettext(
        "{n} record left this device: it is not yours to see any more.",
        "{n} records left this device: they are not yours to see any more.",
        brought.left,
    )
    recovered = ngettext(
        "{n} change recovered from another device.",
        "{n} changes recovered from another device.",
        brought.recovered,
    )
    lost = ngettext(
        "{n} sealed record of work that the store has lost is with IT. Ask IT to give it back to this device.",
        "{n} sealed records of work that the store has lost are with IT. Ask IT to give them back to this device.",
        brought.lost,
    )
    for n, text in ((brought.left, left), (brought.recovered, recovered), (brought.lost, lost)):
        if n:
            say(text.format(n=n))
    if brought.conflicts:
        say(hints.filled(_("Some edits met. See both values with: fieldkeep conflicts")))
    if brought.rejected:
        say(hints.filled(_("Some changes were not accepted. See them with: fieldkeep conflicts")))


def lock(profile: Profile, args: Arguments) -> int:
    """Close the store and forget its key."""
    with open_session(profile) as session:
        session.lock()
    return done(args, {"state": "locked"}, _("Fieldkeep is locked."))


def unlock(profile: Profile, args: Arguments) -> int:
    """Open the store again; what IT locked stays shut."""
    with open_session(profile) as session:
        if session.pin.wants_new():
            raise session.locked_error()
        session.unlock(pins.ask() if session.stage != LOCK_CRYPTO and session.pin.has_pin else None)
        if session.stage != ACTIVE:
            raise session.locked_error()
    return done(args, {"state": "active"}, _("Fieldkeep is unlocked."))


def pin(profile: Profile, args: Arguments) -> int:
    """Choose a PIN, change it or take it off; or say that nobody knows it any more."""
    with open_session(profile) as session:
        if session.stage == LOCK_CRYPTO or session.damage is not None:
            raise session.locked_error()
        if args.forgotten:
            if not session.pin.has_pin:
                raise AppError(_("This store asks for no PIN."), _("Unlock it with: fieldkeep unlock"))
            session.give_up_pin()
            raise session.locked_error()
        known = session.state.pin_reset or not session.pin.has_pin
        current = None if known else pins.ask()
        new = None if args.remove else pins.ask_new(session.pin.rule)
        session.choose_pin(new, current)
        said = {"pin": session.pin.has_pin, "state": "active"}
    text = (
        _("The PIN is taken off.") if args.remove else _("From now on this store opens with this PIN alone.")
    )
    return done(args, said, text)


def doctor(profile: Profile, args: Arguments) -> int:
    """Look at everything that must hold here."""
    from app.cli import pace
    from app.services import doctor as examination

    at_work = examination.AtWork()
    try:
        with open_damaged(profile) as session, pace.line(lambda: at_work.said(), wanted=not args.json):
            mended = examination.mend(session, at_work) if args.repair else []
            findings = [*mended, *examination.examine(session, at_work)]
    except (StoreDamaged, KeyMissing) as damage:
        findings = examination.examine_ruin(damage)
    sound = all(finding.level != examination.FAULT for finding in findings)
    if args.json:
        checks = [
            {"name": f.name, "ok": f.ok, "level": f.level, "found": hints.filled(f.found)} for f in findings
        ]
        show.emit({"ok": sound, "checks": checks})
    else:
        say(_verdict({finding.level for finding in findings}))
        signs = {examination.OK: "✓", examination.WARNING: "!", examination.FAULT: "✗"}
        for finding in findings:
            say(f"{signs[finding.level]} {finding.name}: {hints.filled(finding.found)}")
    return 0 if sound else 1


def _verdict(levels: set[str]) -> str:
    """What all findings come to, above them."""
    if "fault" in levels:
        return _("Something does not hold; it is marked with ✗, and says what to do.")
    if "warning" in levels:
        return _("All that was looked at holds; what is marked with ! is worth a look.")
    return _("All that was looked at holds.")


def _code() -> str:
    if not sys.stdin.isatty():
        return read_text(CODE_MAX)
    try:
        return getpass.getpass(_("Enrolment code: "))
    except EOFError:
        return ""


def _hand_in(profile: Profile) -> None:
    try:
        finish_wipe(profile)
    except KnownError as problem:
        tell_problem(problem)

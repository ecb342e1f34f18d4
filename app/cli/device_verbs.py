"""The verbs of a device: join, exchange, lock, unlock, and how it stands.

Each imports by itself what it alone needs: a script that asks for the status shall not wait for the network's parts.
"""

from __future__ import annotations

import contextlib
import getpass
import sys
from typing import TYPE_CHECKING, Any, Final

from app.cli import hints, pins, roles, show
from app.cli.verb import Arguments, aside, done, read_text, say, tell_problem
from app.errors import AppError, KeyMissing, Locked, StoreDamaged, Wiped
from app.paths import Profile
from app.services import reasons
from app.services.card import Card, read_card
from app.services.opening import open_damaged, open_session
from app.services.session import ACTIVE, LOCK_CRYPTO, Session
from app.services.wiped import finish_wipe
from app.store import conflicts as met
from app.store.blobs import unsent_in
from app.store.store import Store
from sync.protocol.errors import KnownError
from sync.protocol.ids import id_text
from sync.protocol.joins import labelled
from sync.protocol.ladder import WORDS
from sync.protocol.roles import IT
from sync.protocol.texts import gettext as _
from sync.protocol.texts import mark as N_
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
        show.emit(_named(card))
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


def status(profile: Profile, args: Arguments) -> int:
    """How this device stands; answers while locked or damaged and after a wipe too."""
    found: dict[str, Any] = dict.fromkeys(_STATUS_FIELDS)
    try:
        session = open_damaged(profile)
    except Wiped as wiped:
        found.update(state="wiped", message=str(wiped))
    except (StoreDamaged, KeyMissing) as damage:
        if profile.wipe_intent.exists():
            raise  # somebody laid it there: nothing in this folder says who the device is
        found.update(_named(read_card(profile)), state=_DAMAGED, message=str(damage))
    else:
        with session:
            found = _standing(session)
    if found["message"]:
        found["message"] = hints.filled(found["message"])
    if args.json:
        show.emit(found)
    else:
        for name, value in found.items():
            if value is not None and value != []:
                say(labelled(_(_STATUS_FIELDS[name]), _said(name, value)))
        if found["state"] == "wiped":
            say(hints.next_after_wipe())
    return 0


def _said(name: str, value: Any) -> str:
    """A line of the status as a person reads it."""
    if name == "state":
        return _(_STATES[value])
    if name == "policy":
        return "".join(f"\n  {each['problem']} {hints.filled(each['step'])}" for each in value)
    if name == "not_allowed":
        return reasons.listed_uses(value)
    if isinstance(value, dict):
        return " · ".join(map(str, value.values()))
    return (
        f"{value[:16].replace('T', ' ')} UTC"
        if name in ("last_sync", "lease_until", "wipe_at")
        else str(value)
    )


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


_STATUS_FIELDS: Final = {
    "state": N_("state"),
    "device": N_("device"),
    "device_id": N_("device id"),
    "enrolment": N_("enrolment"),
    "person": N_("person"),
    "role": N_("role"),
    "team": N_("team"),
    "organisation": N_("organisation"),
    "server": N_("server"),
    "unsent": N_("unsent"),
    "unsent_attachments": N_("unsent attachments"),
    "last_sync": N_("last sync"),
    "policy_version": N_("policy version"),
    "lease_until": N_("lease until"),
    "customers": N_("customers"),
    "conflicts": N_("conflicts"),
    "refused": N_("refused"),
    "wipe_at": N_("to be wiped at"),
    "warning": N_("warning"),
    "policy": N_("policy asks"),
    "not_allowed": N_("not allowed"),
    "alarm": N_("alarm"),
    "message": N_("message"),
}
_DAMAGED: Final = "damaged"
_STATES: Final = {
    "active": N_("active"), "locked": N_("locked"), _DAMAGED: N_("damaged"), "wiped": N_("wiped"),
}  # fmt: skip


def _standing(session: Session) -> dict[str, Any]:
    state, alarm, verdict = session.state, session.ruling.alarm(), session.ruling.verdict
    found: dict[str, Any] = dict.fromkeys(_STATUS_FIELDS)
    found.update(
        _named(session.card),
        state="active" if session.stage == ACTIVE else "locked",
        unsent=state.unsent,
        unsent_attachments=len(unsent_in(session.profile.unsent_blobs)),
        last_sync=show.when_iso(state.last_contact),
        policy_version=session.papers.held.policy.version,
        lease_until=show.when_iso(state.lease_until),
        warning=session.ruling.coming or session.ruling.warning() or None,
        wipe_at=show.when_iso(session.ruling.wipe_at),
        policy=[
            {"action": WORDS[each.rung], "signal": each.signal, "problem": each.problem, "step": each.step}
            for each in reasons.told(verdict)
        ],
        not_allowed=sorted(verdict.blocked),
        alarm={"rule": alarm.rule, "time": show.when_iso(alarm.at)} if alarm is not None else None,
    )
    if session.damage is not None:
        found["state"] = _DAMAGED
    if session.stage != ACTIVE:
        found["message"] = str(session.locked_error())
        return found
    try:
        found.update(
            unsent=session.call(Store.unsent),
            customers=session.call(Store.counts).get("customer", 0),
            conflicts=session.call(met.open_count),
            refused=session.call(met.attention_count),
        )
    except StoreDamaged as damage:
        found.update(state=_DAMAGED, message=str(damage))
    return found


def _named(card: Card) -> dict[str, Any]:
    return {
        "device": card.name,
        "device_id": id_text(bytes.fromhex(card.device)),
        "enrolment": card.enrolment,
        "person": card.person.email,
        "role": card.person.role,
        "team": card.person.team,
        "organisation": card.org_name,
        "server": card.server_url,
    }

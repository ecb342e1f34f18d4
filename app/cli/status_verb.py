"""The verb `status`: how this device stands, in lines for people or as JSON."""

from __future__ import annotations

from typing import Any, Final

from app.cli import hints, show
from app.cli.verb import Arguments, say
from app.errors import KeyMissing, StoreDamaged, Wiped
from app.paths import Profile
from app.services import journey_words, reasons
from app.services.card import Card, read_card
from app.services.opening import open_damaged
from app.services.session import ACTIVE, Session
from app.store import conflicts as met
from app.store.blobs import unsent_in
from app.store.store import Store
from sync.protocol.ids import id_text
from sync.protocol.joins import labelled, sentences
from sync.protocol.ladder import WORDS
from sync.protocol.texts import gettext as _
from sync.protocol.texts import mark as N_


def status(profile: Profile, args: Arguments) -> int:
    """How this device stands; answers while locked or damaged and after a wipe too."""
    found: dict[str, Any] = dict.fromkeys(_STATUS_FIELDS)
    journey = kept = ""
    try:
        session = open_damaged(profile)
    except Wiped as wiped:
        found.update(state="wiped", message=str(wiped))
        kept = wiped.kept
    except (StoreDamaged, KeyMissing) as damage:
        if profile.wipe_intent.exists():
            raise  # somebody laid it there: nothing in this folder says who the device is
        found.update(named(read_card(profile)), state=_DAMAGED, message=str(damage))
    else:
        with session:
            found = _standing(session)
            journey = _journey(session)
    if found["message"]:
        found["message"] = hints.filled(found["message"])
    if args.json:
        show.emit(found)
    else:
        told = {each["signal"] for each in found["policy"] or ()}
        for name, value in found.items():
            if name == "warning" and value in told:
                continue  # a signal's own word is for scripts: below it stands in words, with the next step
            if value is not None and value != [] and value is not False:
                text = journey if name == "travelling" else _said(name, value)
                say(labelled(_(_STATUS_FIELDS[name]), text))
        if found["state"] == "wiped":
            for line in filter(None, (kept, hints.next_after_wipe())):
                say(line)
    return 0


def _journey(session: Session) -> str:
    """What is said of a journey, and how it ends."""
    ends = journey_words.ends_by() if session.state.travelling else ""
    return hints.filled(sentences(journey_words.in_short(session), ends))


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
    moment = name in ("last_sync", "lease_until", "wipe_at")
    return f"{value[:16].replace('T', ' ')} UTC" if moment else str(value)


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
    "travelling": N_("travel"),
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
    state, alarm = session.state, session.ruling.alarm()
    found: dict[str, Any] = dict.fromkeys(_STATUS_FIELDS)
    found.update(
        named(session.card),
        state="active" if session.stage == ACTIVE else "locked",
        unsent=state.unsent,
        unsent_attachments=len(unsent_in(session.profile.unsent_blobs)),
        last_sync=show.when_iso(state.last_contact),
        travelling=journey_words.travels(session),
        policy_version=session.papers.held.policy.version,
        lease_until=show.when_iso(state.lease_until),
        warning=session.ruling.coming or session.ruling.warning() or None,
        wipe_at=show.when_iso(session.ruling.wipe_at),
        policy=[
            {"action": WORDS[each.rung], "signal": each.signal, "problem": each.problem, "step": each.step}
            for each in reasons.told(session.ruling.verdict)
        ],
        not_allowed=sorted(session.ruling.verdict.blocked),
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


def named(card: Card) -> dict[str, Any]:
    """Which device it is, whose, and where it belongs, by the names of the fields of the status."""
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

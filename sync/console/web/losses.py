"""The report on a lost laptop: what lay on it, how likely it is that somebody reads it, and a draft of the notice.

What counts as the risk is said reason by reason. No name and no value of a customer stands in it: the console is IT's.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from sync.console.web import answering, wording
from sync.console.web.answering import HOUR_MS, lasting, page, when
from sync.console.web.asking import Ask
from sync.console.web.devices import dossier_of
from sync.console.web.wording import BAD, OK, WARN, Word
from sync.protocol import documents, signing
from sync.protocol.consoles import Dossier, Proof
from sync.protocol.desk import HoldsView
from sync.protocol.documents import LOCK, Policy
from sync.protocol.kinds import KINDS
from sync.protocol.roles import GRANTED
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

NOTICE_MS: Final = 72 * HOUR_MS
CLASSES: Final = ("public", *GRANTED)
_HARMFUL: Final = ("confidential", "restricted")
NONE, LOW, MEDIUM, HIGH = range(4)


@dataclass(frozen=True, slots=True)
class Risk:
    """One of four levels, and why."""

    level: int
    reasons: list[str]

    @property
    def word(self) -> Word:
        """The level in words."""
        return (
            Word(_("Hardly any"), OK),
            Word(_("Low"), OK),
            Word(_("Medium"), WARN),
            Word(_("High"), BAD),
        )[self.level]


def report(ask: Ask) -> Response:
    """The report on one device."""
    dossier, holds = _read(ask)
    lost = _moment(ask.query("lost"))
    risk = risk_of(dossier, holds, lost, ask.now, pin=_pin(ask))
    return page(
        ask, "report.html", here="devices", d=dossier, row=dossier.row, holds=holds, risk=risk, classes=_classes(),
        kinds={name: _(kind.label) for name, kind in KINDS.items()}, lost=ask.query("lost")[:16], lost_at=lost,
        state=wording.state(dossier.row), alarms=ask.house.gate.alarms(), about=_about(holds),
        notice=_notice(ask, dossier, holds, risk, lost),
    )  # fmt: skip


def notice(ask: Ask) -> Response:
    """The draft as a text to be kept."""
    dossier, holds = _read(ask)
    lost = _moment(ask.query("lost"))
    risk = risk_of(dossier, holds, lost, ask.now, pin=_pin(ask))
    return answering.file(ask, "notice.txt", _notice(ask, dossier, holds, risk, lost))


def ids(ask: Ask) -> Response:
    """Which records lay on it, by id, as a table to be kept."""
    dossier = dossier_of(ask)
    view = ask.house.office.holds(dossier.row.enrolment, "", True)
    rows = [f"{each.kind},{id_}" for each in view.kinds for id_ in each.ids]
    return answering.file(ask, "records.csv", "\n".join(["kind,id", *rows]) + "\n", "text/csv")


def risk_of(dossier: Dossier, holds: HoldsView | None, lost: int, now: int, *, pin: bool) -> Risk:
    """How likely it is that somebody reads what lay on a device, and what that would be.

    `holds` is None where that is not known any more: then it is never hardly any.
    """
    row, proof = dossier.row, dossier.proof
    known = lost or now
    reasons = [_("The records lie encrypted on the device; without its keys nothing of them can be read.")]
    if holds is None:
        reasons.append(_("What lay on it is not known any more."))
    if proof is not None and proof.keys_gone == proof.keys:
        reasons.append(
            _("Its keys are destroyed, under its own signature: {at}.").format(at=when(proof.finished))
        )
        if lost and proof.finished > lost:
            reasons.append(
                _("Until then it was lost for {span}.").format(span=lasting(proof.finished - lost))
            )
            early = proof.finished - lost < HOUR_MS
            return Risk(NONE if early and holds is not None else LOW, reasons)
        return Risk(NONE if holds is not None else LOW, reasons)
    if holds is not None and not any(each.records or each.deleted for each in holds.kinds):
        return Risk(NONE, [*reasons, _("By what the server knows, no record lay on it.")])
    level = MEDIUM
    locked = [o for o in dossier.orders if o.op == LOCK and o.state == "done"]
    if row.state == "locked" and locked:
        since = locked[0].reported
        text = _(
            "It has obeyed a lock: a part of its keys is gone from it, and the server alone has it. {at}."
        )
        reasons.append(text.format(at=when(since)))
        if lost and since > lost:
            reasons.append(_("Until then it was lost for {span}.").format(span=lasting(since - lost)))
        level = LOW
    elif row.state == "wiped":
        reasons.append(_not_proven(proof))
    elif row.lease_left <= 0:
        reasons.append(_("It has had no contact for so long that it has locked itself, as its policy asks."))
        level = LOW
    else:
        span = lasting(row.lease_left)
        reasons.append(
            _("It is not locked yet; without contact it locks itself in {span}.").format(span=span)
        )
    if row.pending:
        reasons.append(_("An order waits for it: {op}.").format(op=row.pending))
    disk = row.posture.get("disk_encryption")
    reasons += _opening(disk, pin=pin)
    harmful = holds is None or bool(_most(holds, _HARMFUL))
    if holds is not None and harmful:
        reasons.append(_("Confidential or restricted fields lie on it."))
    if row.last_seen > known:
        reasons.append(_("It was in contact after it was lost: {at}.").format(at=when(row.last_seen)))
    if level == MEDIUM and not pin and disk is not True and harmful:
        level = HIGH
    return Risk(level, reasons)


def _opening(disk: object, *, pin: bool) -> list[str]:
    """What stands in the way of somebody who has the device: the PIN, and the encryption of its disk."""
    if pin:
        asked = _("Opening needs a PIN as well.")
    else:
        asked = _("Opening needs no PIN: who can sign in to the system can open it.")
    if disk is True:
        return [asked, _("Its disk is encrypted, by its own word.")]
    if disk is False:
        return [asked, _("Its disk is not encrypted: the system's keyring rests on the password alone.")]
    return [asked, _("Whether its disk is encrypted is not known.")]


def _not_proven(proof: Proof | None) -> str:
    """What of the wipe of a wiped device is not proven."""
    if proof is None:
        return _("It says that it is wiped, and no receipt of its own proves it.")
    return _("It has wiped itself, but of {m} keys only {n} are proven gone.").format(
        m=proof.keys, n=proof.keys_gone
    )


def _most(holds: HoldsView, classes: tuple[str, ...]) -> int:
    return sum(each.classes.get(name, 0) for each in holds.kinds for name in classes)


def _about(holds: HoldsView | None) -> str:
    """How many are concerned: about as many as there are records about a person or a company."""
    if holds is None:
        return _("not known")
    n = sum(each.records for each in holds.kinds if each.kind in ("customer", "contact"))
    return ngettext("about {n} person or company", "about {n} people and companies", n).format(n=n)


def _classes() -> dict[str, str]:
    names = {
        "public": _("Public"),
        "internal": _("Internal"),
        "confidential": _("Confidential"),
        "restricted": _("Restricted"),
    }
    return {name: names.get(name, name) for name in CLASSES}


def _read(ask: Ask) -> tuple[Dossier, HoldsView | None]:
    """The device, and what lies on it; of a wiped one, what lay on it until then."""
    dossier = dossier_of(ask)
    ask.note("report on a loss", dossier.row.enrolment)
    if dossier.row.state == "wiped":
        return dossier, dossier.lay
    return dossier, ask.house.office.holds(dossier.row.enrolment, "", False)


def _pin(ask: Ask) -> bool:
    """Whether the policy in force asks for a PIN."""
    envelope = ask.house.gate.policy()
    return documents.parse(signing.open_envelope(envelope, Policy.TYPE).payload, Policy).pin.required


def _moment(text: str) -> int:
    """When it was lost, as a form says it, in UTC; 0 where it is not known."""
    try:
        return int(dt.datetime.fromisoformat(text[:16]).replace(tzinfo=dt.UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0


def _notice(ask: Ask, dossier: Dossier, holds: HoldsView | None, risk: Risk, lost: int) -> str:
    """A draft of the notice to the authority; what only people know stands in brackets."""
    row, known = dossier.row, ask.now
    kinds, classes = _counts(holds)
    done = [
        _("{verb}, {state}, {at}").format(
            verb=wording.verb(each.op),
            state=wording.order_state(each).text,
            at=when(each.reported or each.filed),
        )
        for each in dossier.orders
    ]
    lines = [
        _("DRAFT: notice of a personal data breach"),
        "",
        _("Organisation: {name}").format(name=ask.house.org),
        _("Contact: [name, telephone and e-mail of the data protection officer]"),
        _("Known since: {at}. To be sent by: {by}").format(at=when(known), by=when(known + NOTICE_MS)),
        "",
        _("1. What happened"),
        _("A laptop with customer records was [lost / stolen] on {at} in [place].").format(
            at=when(lost) if lost else _("[day and time]")
        ),
        _("Device: {name}, {platform}, Fieldkeep {version}.").format(
            name=row.name, platform=row.platform, version=row.app_version
        ),
        "",
        _("2. Whom it concerns, and what data"),
        _("Concerned: {about}.").format(about=_about(holds)),
        _("Records: {kinds}.").format(kinds=kinds),
        _("By care class: {classes}.").format(classes=classes),
        ""
        if holds is None or holds.exact
        else _("The device was under way when it was last in contact; this counts all that may lie on it."),
        _("3. What may follow"),
        _("Risk: {level}.").format(level=risk.word.text),
        *(f"- {reason}" for reason in risk.reasons),
        "",
        _("4. What was done"),
        *(f"- {each}" for each in done or [_("[nothing yet]")]),
        _("- [what else was done, such as a report to the police]"),
        "",
        _("5. Whether the people concerned are told: [yes / no, and why]"),
    ]
    return "\n".join(lines) + "\n"


def _counts(holds: HoldsView | None) -> tuple[str, str]:
    """How many records by kind, and by care class."""
    if holds is None:
        return _("not known"), _("not known")
    kinds = ", ".join(
        _("{kind}: {n}").format(
            kind=_(KINDS[each.kind].label) if each.kind in KINDS else each.kind, n=each.records
        )
        for each in holds.kinds
    )
    classes = ", ".join(
        _("{kind}: {n}").format(kind=text, n=_most(holds, (name,))) for name, text in _classes().items()
    )
    return kinds or _("none"), classes

"""How the console says what a device is like: state, posture, the steps of an order; a word to each colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sync.console.web.answering import DAY_MS, lasting, when
from sync.protocol.consoles import Dossier, FleetRow, Proof
from sync.protocol.desk import OrderView
from sync.protocol.documents import CANCEL, LOCK, UNLOCK, WIPE
from sync.protocol.texts import gettext as _
from sync.protocol.texts import mark as N_
from sync.protocol.texts import ngettext

OK: Final = "ok"
WARN: Final = "warn"
BAD: Final = "bad"
PLAIN: Final = "plain"
SOON_MS: Final = 5 * DAY_MS
QUIET_MS: Final = 7 * DAY_MS

# What a device may say of itself, by the names under which it says it.
POSTURE: Final = {
    "os_version": N_("System's version"),
    "updates_day": N_("Last updates"),
    "disk_encryption": N_("Disk encryption"),
    "screen_lock": N_("Screen lock"),
    "clock": N_("Clock"),
    "keyring": N_("Keyring"),
}


@dataclass(frozen=True, slots=True)
class Word:
    """A word and how it is meant."""

    text: str
    tone: str = PLAIN


@dataclass(frozen=True, slots=True)
class Step:
    """A step of an order: whether it is done, and when or how."""

    text: str
    done: bool
    detail: str = ""
    failed: bool = False


def state(row: FleetRow) -> Word:
    """How a device stands, in two or three words."""
    if row.state == "wiped":
        if not row.proven:
            return Word(_("Called wiped, its receipt does not hold"), BAD)
        return Word(_("Wiped, receipt verified"))
    if "refused" in row.pending:
        return Word(_("Refuses an order"), BAD)
    if row.state == "wiping" and row.wiping_for > QUIET_MS:
        return Word(_("Wipe not confirmed for {span}").format(span=lasting(row.wiping_for)), BAD)
    if row.state == "wiping":
        return Word(_("Wiping"), BAD)
    if row.aside:
        return Word(_("Retired, locked"), WARN)
    if row.state == "locked":
        return Word(_("Unlock on its way"), WARN) if row.pending == UNLOCK else Word(_("Locked"), BAD)
    if row.pending == LOCK:
        return Word(_("Lock on its way"), WARN)
    if row.lease_left <= 0:
        return Word(_("Locked, lease over"), BAD)
    if row.lease_left < SOON_MS:
        return Word(_("Lease ends in {span}").format(span=lasting(row.lease_left)), WARN)
    return Word(_("Healthy"), OK)


def posture(row: FleetRow) -> list[tuple[str, Word]]:
    """What a device says of itself, line by line; what it has not said is said to be so."""
    found = [(_("Version"), Word(row.app_version or "–"))]
    if row.policy:
        text = _("version {n}").format(n=row.policy)
        found.append(
            (_("Policy"), Word(_("{text}, behind").format(text=text), WARN) if row.behind else Word(text, OK))
        )
    else:
        found.append((_("Policy"), Word(_("not said"))))
    found.extend((_(label), _said(row.posture.get(key))) for key, label in POSTURE.items())
    return found


def _said(value: Any) -> Word:
    if value is True:
        return Word(_("yes"), OK)
    if value is False:
        return Word(_("no"), BAD)
    return Word(str(value)[:60]) if isinstance(value, str | int) else Word(_("not said"))


def steps(dossier: Dossier, order: OrderView) -> list[Step]:
    """The steps of an order, from signed to verified."""
    signers = ", ".join(order.signers)
    signed = _("{at}, by {who}, no. {n}").format(at=when(order.filed), who=signers, n=order.number)
    came = dossier.row.last_seen > order.filed or bool(order.reported)
    found = [
        Step(_("Order signed"), True, signed),
        Step(_("Fetched by the device"), came, when(dossier.row.last_seen) if came else ""),
    ]
    if order.state in ("calling off", "cancelled"):
        # One that was called off before it was fetched is shown to the device no more.
        fetched = found if order.reported else found[:1]
        return [*fetched, Step(_("Wipe called off"), order.state == "cancelled", when(order.reported))]
    if order.state.startswith("refused"):
        rule = order.state.partition(":")[2]
        found.append(Step(_("Refused by the device"), True, rule, failed=True))
        return found
    if order.op != WIPE:
        texts = {LOCK: _("Locked"), UNLOCK: _("Unlocked"), CANCEL: _("Wipe called off")}
        text = texts.get(order.op, order.op)
        found.append(Step(text, order.state == "done", when(order.reported)))
        return found
    proof = dossier.proof
    if proof is None:
        names = (
            _("Unsent work handed in, sealed"),
            _("Keys destroyed"),
            _("Files removed"),
            _("Receipt verified"),
        )
        return [*found, *(Step(each, False) for each in names)]
    return [*found, *of_proof(proof)]


def of_proof(proof: Proof) -> list[Step]:
    """The steps that a device's own receipt vouches for."""
    n = proof.records
    work = (
        ngettext("{n} sealed change", "{n} sealed changes", n).format(n=n) if n else _("nothing was unsent")
    )
    keys = _("{gone} of {all}, looked for again").format(gone=proof.keys_gone, all=proof.keys)
    files = _("{n} removed").format(n=proof.files)
    if proof.files_failed:
        files = _("{files}, {n} would not go").format(files=files, n=proof.files_failed)
    return [
        Step(_("Unsent work handed in, sealed"), True, work),
        Step(
            _("Keys destroyed"), True, f"{when(proof.finished)} · {keys}", failed=proof.keys_gone < proof.keys
        ),
        Step(_("Files removed"), True, files, failed=bool(proof.files_failed)),
        Step(_("Receipt verified"), True, when(proof.received)),
    ]


def under_way(dossier: Dossier) -> OrderView | None:
    """The order to be shown with its steps: the newest; none where the device has wiped itself."""
    if dossier.proof is not None and dossier.proof.because:
        return None
    return dossier.orders[0] if dossier.orders else None


def verb(op: str) -> str:
    """What an order does."""
    names = {LOCK: _("Lock"), UNLOCK: _("Unlock"), WIPE: _("Wipe"), CANCEL: _("Call off the wipe")}
    return names.get(op, op)


def order_state(order: OrderView) -> Word:
    """How an order stands."""
    if order.state == "done":
        return Word(_("done"), OK)
    if order.state == "expired":
        return Word(_("expired"), WARN)
    if order.state == "cancelled":
        return Word(_("called off"), PLAIN)
    if order.state == "calling off":
        return Word(_("being called off"), WARN)
    if order.state == "too late":
        return Word(_("too late"), BAD)
    if order.state.startswith("refused"):
        return Word(_("refused"), BAD)
    return Word(_("on its way"), WARN)

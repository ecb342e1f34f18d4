"""Pages of devices: the list with its filters, one device with its orders, and what an admin does to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from starlette.responses import Response

from sync.console import desk
from sync.console.places import Place
from sync.console.web import answering, asking, wording
from sync.console.web.answering import go, page
from sync.console.web.asking import Ask
from sync.protocol import documents, signing
from sync.protocol.consoles import Dossier, FleetRow
from sync.protocol.documents import LOCK, UNLOCK, WIPE, Credential, Root, Target
from sync.protocol.errors import KnownError
from sync.protocol.fields import clean_text
from sync.protocol.texts import gettext as _

PAGE: Final = 50
SIGNING: Final = "order"  # what a ticket is for

Fits = Callable[[FleetRow, int], bool]

FILTERS: Final[dict[str, Fits]] = {
    "": lambda row, now: not row.aside and row.state != "wiped",
    "locked": lambda row, now: not row.aside and (row.state == "locked" or row.pending == LOCK),
    "lease": lambda row, now: not row.aside and row.state == "active" and row.lease_left < wording.SOON_MS,
    "behind": lambda row, now: not row.aside and row.state != "wiped" and row.behind,
    "quiet": lambda row, now: (
        not row.aside and row.state != "wiped" and now - row.last_seen > wording.QUIET_MS
    ),
    "unsent": lambda row, now: not row.aside and row.state != "wiped" and row.unsent > 0,
    "wiping": lambda row, now: row.state == "wiping",
    "wiped": lambda row, now: row.state == "wiped",
    "aside": lambda row, now: bool(row.aside),
    "all": lambda row, now: True,
}

_KEYS: Final[dict[str, Callable[[FleetRow], tuple[int, str]]]] = {
    "": lambda row: (-row.enrolled, ""),
    "name": lambda row: (0, row.name.casefold()),
    "person": lambda row: (0, row.person.casefold()),
    "seen": lambda row: (-row.last_seen, ""),
    "unsent": lambda row: (-row.unsent, ""),
}


def labels() -> dict[str, str]:
    """The filters in words."""
    return {
        "": _("In use"),
        "locked": _("Locked"),
        "lease": _("Lease over or ending"),
        "behind": _("Behind on policy"),
        "quiet": _("Not seen for 7 days"),
        "unsent": _("Unsent work"),
        "wiping": _("Wiping"),
        "wiped": _("Wiped"),
        "aside": _("Retired"),
        "all": _("All"),
    }


def listed(ask: Ask) -> Response:
    """The list, of a filter and a word, a page of it."""
    fleet = ask.house.gate.fleet()
    chosen = ask.query("state") if ask.query("state") in FILTERS else ""
    sort = ask.query("sort") if ask.query("sort") in _KEYS else ""
    word = ask.query("q").strip()[:80]
    counts = {name: sum(fits(row, ask.now) for row in fleet) for name, fits in FILTERS.items()}
    # A word is looked for among all of them: who looks for one laptop does not know how it stands.
    among = [row for row in fleet if _fits(row, word)] if word else fleet
    found = [row for row in among if (word and not chosen) or FILTERS[chosen](row, ask.now)]
    found.sort(key=_KEYS[sort])
    number = ask.query("page", "1")
    last = max(1, -(-len(found) // PAGE))
    at = min(max(1, int(number)), last) if number.isascii() and number.isdigit() and len(number) < 7 else 1
    seen = sum(1 for row in fleet if FILTERS[""](row, ask.now) and ask.now - row.last_seen < answering.DAY_MS)
    rows = found[(at - 1) * PAGE : at * PAGE]

    def link(**changed: object) -> str:
        words = {"q": word, "state": chosen, "sort": sort, "page": at, **changed}
        return "/devices?" + urlencode({k: v for k, v in words.items() if v not in ("", 1)})

    fragment = ask.request.headers.get("hx-request") == "true" and not ask.request.headers.get("hx-boosted")
    return page(
        ask, "_devices.html" if fragment else "devices.html", here="devices", rows=rows, counts=counts,
        labels=labels(), chosen=chosen, word=word, sort=sort, at=at, last=last, found=len(found), seen=seen,
        state=wording.state, link=link, alarms=ask.house.gate.alarms(),
    )  # fmt: skip


def _fits(row: FleetRow, word: str) -> bool:
    text = "\n".join((row.name, row.person, row.team, row.id, row.enrolment, row.platform)).casefold()
    return all(each in text for each in word.casefold().split())


def dossier_of(ask: Ask) -> Dossier:
    """The device that the path names. Raises KnownError."""
    found = ask.house.gate.dossier(ask.path("enrolment"))
    if found is None:
        raise asking.NotHere(_("There is no such device."), _("Look for it in the list."))
    return found


def shown(ask: Ask) -> Response:
    """One device."""
    dossier = dossier_of(ask)
    return page(ask, "device.html", here="devices", alarms=ask.house.gate.alarms(), **_about(ask, dossier))


def progress(ask: Ask) -> Response:
    """The part of that page that changes while an order is under way."""
    return page(ask, "_progress.html", **_about(ask, dossier_of(ask)))


def _about(ask: Ask, dossier: Dossier) -> dict[str, Any]:
    order = wording.under_way(dossier)
    row = dossier.row
    again = row.state == "wiping" and desk.standing_wipe(row.enrolment, dossier.orders, ask.now) is None
    return {
        "again": again,
        "d": dossier,
        "row": dossier.row,
        "state": wording.state(dossier.row),
        "posture": wording.posture(dossier.row),
        "order": order,
        "steps": wording.steps(dossier, order)
        if order
        else wording.of_proof(dossier.proof)
        if dossier.proof
        else [],
        "verb": wording.verb,
        "order_state": wording.order_state,
        "live": order is not None and order.state == "filed",
        "successors": _successors(ask, dossier.row) if ask.acts else [],
        "signable": bool(keys_of(ask)) if ask.acts else False,
    }


def _successors(ask: Ask, row: FleetRow) -> list[FleetRow]:
    """Newer devices of the same person that have everything: this one can go."""
    gate = ask.house.gate
    newer = [
        each
        for each in gate.fleet()
        if each.person == row.person
        and each.enrolled > row.enrolled
        and each.state == "active"
        and not each.aside
    ]
    found = [(each, gate.dossier(each.enrolment)) for each in newer[:4]]
    return [
        each for each, d in found if d is not None and d.read_seq and d.read_seq >= d.head and each.confirmed
    ]


def lock(ask: Ask) -> Response:
    """Have it locked, by the server's own key."""
    return _by_server(ask, LOCK)


def unlock(ask: Ask) -> Response:
    """Have it unlocked; one that was put aside is in use again."""
    answer = _by_server(ask, UNLOCK)
    if dossier_of(ask).row.aside:
        ask.house.gate.put_aside(ask.path("enrolment"), aside=False)
    return answer


def retire(ask: Ask) -> Response:
    """Lock it for good and put it aside; one that was wiped is only put aside. Unsent work is still taken."""
    asking.refuse_looker(ask)
    row = dossier_of(ask).row
    ask.note("retire", row.enrolment)
    if row.state not in ("wiped", "wiping"):
        _sign_here(ask, LOCK, _("retired"))
    ask.house.gate.put_aside(row.enrolment, aside=True)
    return go(ask, f"/devices/{row.enrolment}")


def _by_server(ask: Ask, op: str) -> Response:
    asking.refuse_looker(ask)
    row = dossier_of(ask).row
    if (
        row.state == "wiped"
    ):  # one that waits for its wipe can be closed meanwhile; the office says when it is too late
        raise KnownError(
            _("“{name}” is wiped or about to be; no other order reaches it.").format(name=row.name)
        )
    _sign_here(ask, op, ask.form.get("reason", ""))
    return go(ask, f"/devices/{row.enrolment}")


def _sign_here(ask: Ask, op: str, reason: str) -> None:
    office, enrolment = ask.house.office, ask.path("enrolment")
    device = next(each for each in office.devices() if each.enrolment == enrolment)
    if op == LOCK and desk.standing_lock(device, office.orders()) is not None:
        return
    ask.note(f"asks for: {op}", enrolment)
    office.sign_here(op, enrolment, clean_text(reason)[: desk.REASON_MAX])


# -- a wipe, which is signed on the host of its own


def keys_of(ask: Ask) -> list[Credential]:
    """The passkeys of who asks that the root in force takes for orders signed here."""
    root = root_of(ask)
    site, wanted = root.console, ask.house.sites.signing
    if site is None or Place(site.rp_id, wanted.origin) != wanted or wanted.origin not in site.origins:
        return []
    return [
        credential
        for admin in root.admins
        for credential in admin.credentials
        if admin.admin_id == ask.me.admin_id
        and ask.me.admin_id
        and (credential.alg, credential.purpose) == (signing.WEBAUTHN, "order")
    ]


def root_of(ask: Ask) -> Root:
    """The root in force."""
    return documents.parse(signing.open_envelope(ask.house.office.root(), Root.TYPE).payload, Root)


def wipe(ask: Ask) -> Response:
    """Draw up the order for exactly this device, and go where it is signed."""
    asking.refuse_looker(ask)
    row = dossier_of(ask).row
    reason = clean_text(ask.form.get("reason", ""))[: desk.REASON_MAX]
    if row.state == "wiped":
        raise KnownError(_("“{name}” is wiped already.").format(name=row.name))
    if ask.form.get("name", "").strip() != row.name:
        raise KnownError(
            _("This is not the name of the device."),
            _("Type “{name}” to say which one.").format(name=row.name),
        )
    if not reason:
        raise KnownError(_("A wipe needs a reason."), _("Say why; it is kept with the order."))
    if not keys_of(ask):
        raise KnownError(
            _("No passkey of yours may sign a wipe here yet."),
            _("Register one under “My account”, or sign it with: fieldkeep-admin wipe"),
        )
    target = Target(enrolment=row.enrolment, name=row.name)
    order = desk.drawn_up(ask.house.office.draft(), WIPE, [target], reason, root_of(ask).wipe.delay_ms)
    payload = order.to_bytes()
    ask.note("draws up: wipe", row.enrolment)
    ticket = ask.house.tickets.give(
        SIGNING, ask.me.id, ask.now, challenge=signing.challenge(payload), payload=payload,
        about=row.enrolment, language=ask.language,
    )  # fmt: skip
    return go(ask, f"{ask.house.sites.signing.origin}/sign/{ticket.code}")

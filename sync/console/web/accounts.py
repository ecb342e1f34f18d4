"""Pages of one's own account and of what was done: passkeys, visits, the audit table."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from sync.console.web import asking, passkeys
from sync.console.web.answering import go, page
from sync.console.web.asking import Ask
from sync.console.web.challenges import read, written
from sync.console.web.devices import root_of
from sync.console.web.signing import REGISTER
from sync.protocol.consoles import ORDER, SIGN_IN, Passkey
from sync.protocol.errors import KnownError
from sync.protocol.fields import clean_text
from sync.protocol.texts import gettext as _

LINES: Final = 100
_ADD: Final = "passkey"
_LABEL_MAX: Final = 60
_HIGHEST: Final = 2**62


def mine(ask: Ask) -> Response:
    """My passkeys and visits."""
    gate = ask.house.gate
    keys = gate.passkeys(ask.me.id)
    root = root_of(ask)
    named = {credential.spki for admin in root.admins for credential in admin.credentials}
    ticket = ask.house.tickets.give(_ADD, ask.me.id, ask.now)
    known = [each.id for each in keys if each.purpose == SIGN_IN]
    options = passkeys.wish(
        ask.house.sites.console, ask.house.org, ask.me.email, b"visit" + ask.me.id, ticket.challenge, known
    )
    return page(
        ask, "account.html", here="account", options=options, ticket=ticket.code, alarms=gate.alarms(),
        sign_in=[each for each in keys if each.purpose == SIGN_IN],
        orders=[(each, passkeys.fingerprint(each.public), each.public in named)
                for each in keys if each.purpose == ORDER],
        visits=[(each, written(each.digest), ask.visit is not None and each.digest == ask.visit.digest)
                for each in gate.visits(ask.me.id) if ask.now - each.seen < asking.IDLE_MS],
        written=written,
    )  # fmt: skip


def add_passkey(ask: Ask) -> Response:
    """Keep a passkey for signing in."""
    ticket = ask.house.tickets.take(ask.form.get("ticket", ""), _ADD, ask.now)
    if ticket is None or ticket.account != ask.me.id:
        raise KnownError(_("This page is too old."), _("Open it again and repeat."))
    made = passkeys.made(ask.house.sites.console, ticket.challenge, ask.form.get("answer", ""))
    ask.note("adds a passkey", ask.me.person.hex())
    passkey = Passkey(
        id=made.id, account=ask.me.id, purpose=SIGN_IN, public=made.cose, label=_label(ask), counter=made.counter,
        synced=made.synced, made=ask.now,
    )  # fmt: skip
    ask.house.gate.put_passkey(passkey)
    return go(ask, "/account")


def order_key(ask: Ask) -> Response:
    """Go and make a passkey for orders, on the host of its own."""
    asking.refuse_looker(ask)
    ticket = ask.house.tickets.give(REGISTER, ask.me.id, ask.now, about=_label(ask), language=ask.language)
    return go(ask, f"{ask.house.sites.signing.origin}/key/{ticket.code}")


def drop_passkey(ask: Ask) -> Response:
    """Forget a passkey of mine; one that the root names stays named there."""
    known = ask.house.gate.passkey(read(ask.form.get("passkey", "")))
    if known is None or known.account != ask.me.id:
        raise KnownError(_("You have no such passkey."))
    ask.note("removes a passkey", ask.me.person.hex())
    ask.house.gate.drop_passkey(known.id)
    return go(ask, "/account")


def end_visits(ask: Ask) -> Response:
    """End one visit of mine, or all but this one."""
    gate, wanted = ask.house.gate, read(ask.form.get("visit", ""))
    ask.note("ends visits", ask.me.person.hex())
    for each in gate.visits(ask.me.id):
        if each.digest == wanted or (
            not wanted and ask.visit is not None and each.digest != ask.visit.digest
        ):
            gate.drop_visit(each.digest)
    return go(ask, "/account")


def audit(ask: Ask) -> Response:
    """What was done, the newest first."""
    before, word = ask.query("before"), ask.query("q").strip()[:80]
    at = int(before) if before.isascii() and before.isdigit() and len(before) < 18 else _HIGHEST
    lines = ask.house.gate.lines(at, LINES + 1, word)
    more = lines[LINES - 1].n if len(lines) > LINES else 0
    return page(
        ask, "audit.html", here="audit", lines=lines[:LINES], more=more, word=word, first=at == _HIGHEST,
        alarms=ask.house.gate.alarms(),
    )  # fmt: skip


def _label(ask: Ask) -> str:
    return clean_text(ask.form.get("label", ""))[:_LABEL_MAX] or _("Passkey")

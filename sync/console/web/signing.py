"""Pages of the host on which orders are signed: one order in words and one passkey, or a new passkey for orders.

No cookie comes here and no script but that of passkeys. What is signed is parsed from the very bytes whose digest is
the challenge; whoever came here brings a ticket of the console's, which is good once and for minutes.
"""

from __future__ import annotations

from typing import Final

from starlette.responses import RedirectResponse, Response
from webauthn.helpers import base64url_to_bytes

from sync.console.web import answering, passkeys
from sync.console.web.answering import page
from sync.console.web.asking import Ask
from sync.console.web.devices import SIGNING, keys_of
from sync.console.web.tickets import Ticket
from sync.protocol import documents, signing
from sync.protocol.consoles import ORDER, Passkey
from sync.protocol.documents import Order
from sync.protocol.errors import KnownError
from sync.protocol.signing import Envelope, Signature
from sync.protocol.texts import gettext as _

REGISTER: Final = "key"  # what a ticket for a new passkey is for


def _ticket(ask: Ask, purpose: str, *, take: bool) -> Ticket:
    """The ticket of the path, and its account as who asks. Raises KnownError."""
    tickets = ask.house.tickets
    code = ask.path("ticket")
    found = tickets.take(code, purpose, ask.now) if take else tickets.look(code, purpose, ask.now)
    account = ask.house.gate.account(found.account) if found else None
    if found is None or account is None:
        raise KnownError(
            _("This page was used or is too old; nothing was signed."), _("Begin again on the device's page.")
        )
    ask.account = account
    if not ask.acts:
        raise KnownError(_("Your role may look at this and not change it."))
    return found


def order(ask: Ask) -> Response:
    """The order in words, to be signed."""
    ticket = _ticket(ask, SIGNING, take=False)
    found = documents.parse(ticket.payload, Order)
    among = [base64url_to_bytes(each.credential_id) for each in keys_of(ask)]
    options = passkeys.question(ask.house.sites.signing, ticket.challenge, among)
    return page(
        ask, "sign.html", signing=True, order=found, payload=ticket.payload.decode(), options=options,
        ticket=ticket, digest=passkeys.fingerprint(ticket.payload),
        console=ask.house.sites.console.origin,
    )  # fmt: skip


def sign(ask: Ask) -> Response:
    """File the order that a passkey has signed."""
    ticket = _ticket(ask, SIGNING, take=True)
    answer = passkeys.asserted(ask.form.get("answer", ""))
    by_id = {base64url_to_bytes(each.credential_id): each for each in keys_of(ask)}
    credential = by_id.get(answer.id)
    if credential is None:
        raise KnownError(_("This passkey may not sign orders."), _("Begin again on the device's page."))
    signature = Signature(
        keyid=signing.keyid(credential.spki),
        alg=signing.WEBAUTHN,
        sig=answer.signature,
        admin_id=ask.me.admin_id,
        authenticator_data=answer.authenticator_data,
        client_data_json=answer.client_data_json,
    )
    envelope = Envelope(type=Order.TYPE, payload=ticket.payload, signatures=[signature])
    # The office holds it against the root as a device does; what it refuses is not filed.
    ask.house.office.file(envelope.to_bytes())
    ask.note("signed with a passkey: wipe", ticket.about)
    return _back(ask, f"/devices/{ticket.about}")


def new_key(ask: Ask) -> Response:
    """Make a passkey for orders."""
    ticket = _ticket(ask, REGISTER, take=False)
    known = [each.id for each in ask.house.gate.passkeys(ask.me.id) if each.purpose == ORDER]
    options = passkeys.wish(
        ask.house.sites.signing, ask.house.org, ask.me.email, b"order" + ask.me.id, ticket.challenge, known
    )
    return page(
        ask, "key.html", signing=True, options=options, ticket=ticket, console=ask.house.sites.console.origin
    )


def register(ask: Ask) -> Response:
    """Keep it; it signs nothing until the root names it."""
    ticket = _ticket(ask, REGISTER, take=True)
    made = passkeys.made(ask.house.sites.signing, ticket.challenge, ask.form.get("answer", ""))
    ask.note("registers a passkey for orders", ask.me.person.hex())
    passkey = Passkey(
        id=made.id, account=ask.me.id, purpose=ORDER, public=made.spki, label=ticket.about, counter=made.counter,
        synced=made.synced, made=ask.now,
    )  # fmt: skip
    ask.house.gate.put_passkey(passkey)
    return _back(ask, "/account")


def _back(ask: Ask, path: str) -> Response:
    """To the console, which is another host."""
    to = f"{ask.house.sites.console.origin}{path}"
    return RedirectResponse(to, status_code=303, headers=answering.heads(ask.house.sites, signing=True))

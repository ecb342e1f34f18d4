"""What the web console and the server's store tell each other: accounts, passkeys, visits, devices as IT looks at them.

Times are UTC milliseconds, 0 for never.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from sync.protocol.desk import HoldsView, OrderView
from sync.protocol.roles import IT, PRIVACY

SIGN_IN: Final = "sign-in"  # purposes of a passkey
ORDER: Final = "order"
ACTS: Final = IT  # the role that may act; the others that come in may look
ROLES: Final = (ACTS, PRIVACY)
_ACTOR: Final = "console:"


def actor_of(person: bytes) -> str:
    """Who did something at the console, as the audit table says it."""
    return f"{_ACTOR}{person.hex()}"


def person_of(actor: str) -> str:
    """The id of the person, where it was done at the console; any other actor as it is."""
    return actor.removeprefix(_ACTOR)


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may sign in at the console; `email` and `role` are the person's, as they are now.

    Without a password it was invited and nobody has come yet.
    """

    id: bytes
    person: bytes
    email: str = ""
    role: str = ""
    password: str = ""  # Argon2id in PHC form
    totp: bytes = b""  # the secret of the second factor, in clear here and sealed in the store
    totp_last: int = 0  # the last step of time whose number was used
    failed: int = 0  # second factors that did not fit, in a row, behind a password that did
    invite: bytes = b""  # SHA-256 of the code of an invitation
    invite_ends: int = 0
    admin_id: str = ""  # under which the root names the person's keys


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey or security key of an account: for signing in, or for orders. The root decides which signs orders."""

    id: bytes
    account: bytes
    purpose: str
    public: bytes  # COSE for signing in, SPKI for orders
    label: str
    counter: int = 0
    synced: bool = False  # it may leave its hardware
    made: int = 0
    used: int = 0


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """One browser that has signed in, known by the SHA-256 of its cookie."""

    digest: bytes
    account: bytes
    begun: int
    seen: int
    way: str  # "passkey" | "password"
    browser: str = ""


class FleetRow(msgspec.Struct, frozen=True, kw_only=True):
    """A device in the list."""

    enrolment: str
    id: str
    name: str
    person: str
    team: str
    state: str  # "active" | "locked" | "wiping" | "wiped"
    pending: str
    last_seen: int
    unsent: int
    platform: str
    app_version: str
    enrolled: int
    wiped: int = 0
    aside: int = 0  # since when it is put aside
    policy: int = 0  # the policy in force there, 0 where it has not said
    behind: bool = False  # an older policy than the newest
    lease_left: int = 0  # milliseconds until silence locks it; 0 or less: it has locked itself
    confirmed: bool = True
    held_back: int = 0
    posture: dict[str, Any] = {}
    proven: bool = True  # a wiped one: its receipt is its own
    wiping_for: int = 0  # milliseconds since a wipe was ordered that nothing confirms


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What a device says of its own wipe, under its own signature."""

    received: int
    finished: int
    keys: int
    keys_gone: int
    files: int
    files_failed: int
    records: int  # in the sealed outbox that it handed in
    because: str = ""  # the rule of policy by which it wiped itself, "" where an order did


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """All that the server knows of one device, what lies on it now apart."""

    row: FleetRow
    orders: list[OrderView]
    sealed_records: int
    refused: int
    proof: Proof | None = None
    read_seq: int = 0
    head: int = 0
    lay: HoldsView | None = None  # of a wiped one: what lay on it, where that is known


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the audit table; `who` and `what` are names where the ids are known."""

    n: int
    at: int
    actor: str
    verb: str
    object: str
    who: str = ""
    what: str = ""


class PolicyDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that somebody works on at the console; nothing of it rules until it comes back signed.

    `rev` counts its changes, so that two people who edit it do not undo each other; the names are those of the people.
    """

    id: str  # 32 hex digits
    body: bytes  # the parts that IT decides, as JSON (policy_form.py)
    base: int  # the number of the policy that was in force when it was begun
    note: str = ""
    rev: int = 1
    made: int = 0
    author: bytes = b""
    changed: int = 0
    editor: bytes = b""
    author_name: str = ""
    editor_name: str = ""


class OrderKey(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey for orders that somebody registered at the console, and under which name the root may know it."""

    email: str
    admin_id: str
    credential: bytes
    spki: bytes
    label: str
    synced: bool
    made: int


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """An account of the console, as IT lists it: whose, until when an invitation stands, and what it signs in by.

    `ways` are of "password" (with a number of an app) and "passkey"; with none of them and no invitation it is closed.
    """

    person: str
    role: str
    invited: int = 0  # until then; 0 where no invitation stands
    ways: list[str] = []
    orders: int = 0  # passkeys for wipes that are registered


class ConsoleSite(msgspec.Struct, frozen=True, kw_only=True):
    """Where the console is, and the host of its own on which orders are signed."""

    url: str
    rp_id: str
    origin: str

"""What the console's pages ask of the server beside the office: accounts, visits, the audit table, devices in full."""

from __future__ import annotations

from typing import Protocol

from sync.protocol.consoles import Account, Dossier, FleetRow, Line, Passkey, PolicyDraft, Visit
from sync.protocol.desk import OrderView


class Tries(Protocol):
    """Counts failed tries per key within a minute."""

    def exhausted(self, key: str, now: int) -> bool:
        """Whether this key has failed too often."""

    def failed(self, key: str, now: int) -> None:
        """One more."""


class Gate(Protocol):
    """The server's side of the console."""

    def now(self) -> int:
        """UTC milliseconds."""

    def derived(self, about: bytes) -> bytes:
        """Twenty bytes that only this server can draw again."""

    def account(self, id_: bytes) -> Account | None:
        """The account of that id."""

    def account_by_email(self, email: str) -> Account | None:
        """The account of that address."""

    def invited(self, code: bytes) -> Account | None:
        """The account that this code invites, until it ends."""

    def accounts(self) -> list[Account]:
        """Every account."""

    def put_account(self, account: Account) -> None:
        """Keep an account."""

    def used(self, account: Account) -> bool:
        """Keep that a number was used; False where somebody was quicker with it."""

    def refused(self, id_: bytes) -> None:
        """Count a number that did not fit."""

    def renewed(self, account: Account) -> None:
        """Keep an account whose secrets are new, and end what stood on the old ones."""

    def passkey(self, id_: bytes) -> Passkey | None:
        """The passkey of that credential id."""

    def passkeys(self, account: bytes) -> list[Passkey]:
        """The passkeys of an account."""

    def put_passkey(self, passkey: Passkey) -> None:
        """Keep a passkey. Raises KnownError where somebody else has it."""

    def drop_passkey(self, id_: bytes) -> None:
        """Forget a passkey."""

    def visit(self, digest: bytes) -> Visit | None:
        """The visit of that cookie."""

    def visits(self, account: bytes) -> list[Visit]:
        """The visits of an account."""

    def put_visit(self, visit: Visit) -> None:
        """Keep a visit."""

    def drop_visit(self, digest: bytes) -> None:
        """End a visit."""

    def forget_visits(self, seen_before: int, begun_before: int) -> None:
        """Forget visits that have ended by time."""

    def note(self, actor: str, verb: str, object_: str) -> None:
        """Append a line to the audit table."""

    def lines(self, before: int, most: int, word: str) -> list[Line]:
        """A page of the audit table, the newest first."""

    def alarms(self) -> list[OrderView]:
        """Wipes that were ordered lately, for every admin to see."""

    def put_aside(self, enrolment: str, *, aside: bool) -> None:
        """Put a device aside, or take it back."""

    def policy(self) -> bytes:
        """The policy envelope in force."""

    def policy_filed(self, number: int) -> Line | None:
        """The line of the audit table that says who filed this policy; None for one that came otherwise."""

    def file_policy(self, envelope: bytes, actor: str) -> int:
        """File a signed policy in this name; its number. Raises Refused."""

    def drafts(self) -> list[PolicyDraft]:
        """Every policy that is worked on, the last changed first, with the names of its people."""

    def policy_draft(self, id_: str) -> PolicyDraft | None:
        """The draft of that id."""

    def put_draft(self, draft: PolicyDraft) -> bool:
        """Keep a draft; False where it was changed meanwhile: `rev` has to be the next one. Raises KnownError where
        there are too many.
        """

    def drop_draft(self, id_: str) -> None:
        """Forget a draft."""

    def fleet(self) -> list[FleetRow]:
        """Every enrolment ever, the newest first."""

    def dossier(self, enrolment: str) -> Dossier | None:
        """One device."""

"""The contract of the console's book in a server store: accounts, passkeys, visits, devices put aside, audit lines."""

from __future__ import annotations

from typing import Protocol

from sync.protocol.consoles import Account, Passkey, PolicyDraft, Visit
from sync.server.db.kept import AuditLine


class Consoles(Protocol):
    """The book of the web console. Secrets of second factors come and go as they lie there: sealed."""

    def account(self, id_: bytes) -> Account | None:
        """The account of that id, with its person's address and role."""

    def account_of(self, person: bytes) -> Account | None:
        """The account of that person."""

    def account_invited(self, digest: bytes) -> Account | None:
        """The account with an invitation of that digest."""

    def accounts(self) -> list[Account]:
        """Every account, by address."""

    def put_account(self, account: Account) -> None:
        """Keep an account, new or changed."""

    def passkey(self, id_: bytes) -> Passkey | None:
        """The passkey of that credential id."""

    def passkeys(self, account: bytes) -> list[Passkey]:
        """The passkeys of an account, the oldest first."""

    def put_passkey(self, passkey: Passkey) -> None:
        """Keep a passkey, new or used."""

    def drop_passkey(self, id_: bytes) -> None:
        """Forget a passkey."""

    def visit(self, digest: bytes) -> Visit | None:
        """The visit of that cookie."""

    def visits(self, account: bytes) -> list[Visit]:
        """The visits of an account, the newest first."""

    def put_visit(self, visit: Visit) -> None:
        """Keep a visit, new or seen."""

    def drop_visit(self, digest: bytes) -> None:
        """End a visit."""

    def drop_visits(self, seen_before: int, begun_before: int) -> None:
        """Forget visits that have ended by time."""

    def aside(self) -> dict[str, int]:
        """The devices put aside, and since when."""

    def put_aside(self, enrolment: str, at: int) -> None:
        """Put a device aside; 0 takes it back."""

    def lain(self, enrolment: str) -> bytes | None:
        """What lay on a device as it was wiped, as it was kept (a HoldsView); None where that is not known."""

    def put_lain(self, enrolment: str, body: bytes) -> None:
        """Keep what lay on a device."""

    def drafts(self) -> list[PolicyDraft]:
        """Every policy that is worked on, the last changed first."""

    def draft(self, id_: str) -> PolicyDraft | None:
        """The draft of that id."""

    def put_draft(self, draft: PolicyDraft) -> None:
        """Keep a draft, new or changed."""

    def drop_draft(self, id_: str) -> None:
        """Forget a draft."""

    def audit_before(self, n: int, most: int, word: str) -> list[tuple[int, AuditLine]]:
        """Lines with a lower number, the newest first, those with that actor, verb or object alone; "" for all."""

"""The web console's accounts, passkeys, visits and devices put aside, in SQL that both stores speak."""

# Only lists of our own columns are put into statements; every value is bound.
# ruff: noqa: S608

from __future__ import annotations

from typing import Any

from sync.protocol.consoles import Account, Passkey, PolicyDraft, Visit
from sync.server.db.kept import AuditLine
from sync.server.db.sql import Sql

_ACCOUNT = "id, person, password, totp, totp_last, failed, invite, invite_ends, admin_id"
_NAMED = (
    "SELECT "
    + ", ".join(f"a.{each}" for each in _ACCOUNT.split(", "))
    + ", p.email, p.role FROM console_account a JOIN person p ON p.id = a.person"
)
_PASSKEY = "id, account, purpose, public, label, counter, synced, made, used"
_DRAFT = "id, body, base, note, rev, made, author, changed, editor"
_VISIT = "digest, account, begun, seen, way, browser"


class SqlConsoles:
    """The console's book on one connection."""

    def __init__(self, sql: Sql) -> None:
        self._db = sql

    def account(self, id_: bytes) -> Account | None:
        """The account of that id, with its person's address and role."""
        return self._account("a.id", id_)

    def account_of(self, person: bytes) -> Account | None:
        """The account of that person."""
        return self._account("a.person", person)

    def account_invited(self, digest: bytes) -> Account | None:
        """The account with an invitation of that digest."""
        return self._account("a.invite", digest) if digest else None

    def accounts(self) -> list[Account]:
        """Every account, by address."""
        return [_account(row) for row in self._db.execute(f"{_NAMED} ORDER BY p.folded")]

    def put_account(self, account: Account) -> None:
        """Keep an account, new or changed."""
        self._db.execute(
            f"INSERT INTO console_account ({_ACCOUNT}) VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET "
            "password = excluded.password, totp = excluded.totp, totp_last = excluded.totp_last, "
            "failed = excluded.failed, invite = excluded.invite, invite_ends = excluded.invite_ends, "
            "admin_id = excluded.admin_id",
            (
                account.id, account.person, account.password, account.totp, account.totp_last, account.failed,
                account.invite, account.invite_ends, account.admin_id,
            ),
        )  # fmt: skip

    def _account(self, column: str, value: bytes) -> Account | None:
        row = self._db.execute(f"{_NAMED} WHERE {column} = ?", (value,)).fetchone()
        return _account(row) if row else None

    def passkey(self, id_: bytes) -> Passkey | None:
        """The passkey of that credential id."""
        row = self._db.execute(f"SELECT {_PASSKEY} FROM console_passkey WHERE id = ?", (id_,)).fetchone()
        return _passkey(row) if row else None

    def passkeys(self, account: bytes) -> list[Passkey]:
        """The passkeys of an account, the oldest first."""
        asked = f"SELECT {_PASSKEY} FROM console_passkey WHERE account = ? ORDER BY made, id"
        return [_passkey(row) for row in self._db.execute(asked, (account,))]

    def put_passkey(self, passkey: Passkey) -> None:
        """Keep a passkey, new or used."""
        self._db.execute(
            f"INSERT INTO console_passkey ({_PASSKEY}) VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET "
            "counter = excluded.counter, synced = excluded.synced, used = excluded.used",
            (
                passkey.id, passkey.account, passkey.purpose, passkey.public, passkey.label, passkey.counter,
                int(passkey.synced), passkey.made, passkey.used,
            ),
        )  # fmt: skip

    def drop_passkey(self, id_: bytes) -> None:
        """Forget a passkey."""
        self._db.execute("DELETE FROM console_passkey WHERE id = ?", (id_,))

    def visit(self, digest: bytes) -> Visit | None:
        """The visit of that cookie."""
        row = self._db.execute(f"SELECT {_VISIT} FROM console_visit WHERE digest = ?", (digest,)).fetchone()
        return _visit(row) if row else None

    def visits(self, account: bytes) -> list[Visit]:
        """The visits of an account, the newest first."""
        asked = f"SELECT {_VISIT} FROM console_visit WHERE account = ? ORDER BY begun DESC, digest"
        return [_visit(row) for row in self._db.execute(asked, (account,))]

    def put_visit(self, visit: Visit) -> None:
        """Keep a visit, new or seen."""
        self._db.execute(
            f"INSERT INTO console_visit ({_VISIT}) VALUES (?,?,?,?,?,?) "
            "ON CONFLICT (digest) DO UPDATE SET seen = excluded.seen",
            (visit.digest, visit.account, visit.begun, visit.seen, visit.way, visit.browser),
        )

    def drop_visit(self, digest: bytes) -> None:
        """End a visit."""
        self._db.execute("DELETE FROM console_visit WHERE digest = ?", (digest,))

    def drop_visits(self, seen_before: int, begun_before: int) -> None:
        """Forget visits that have ended by time."""
        self._db.execute("DELETE FROM console_visit WHERE seen < ? OR begun < ?", (seen_before, begun_before))

    def aside(self) -> dict[str, int]:
        """The devices put aside, and since when."""
        return {row[0]: row[1] for row in self._db.execute("SELECT enrolment, at FROM put_aside")}

    def put_aside(self, enrolment: str, at: int) -> None:
        """Put a device aside; 0 takes it back."""
        self._db.execute("DELETE FROM put_aside WHERE enrolment = ?", (enrolment,))
        if at:
            self._db.execute("INSERT INTO put_aside (enrolment, at) VALUES (?, ?)", (enrolment, at))

    def lain(self, enrolment: str) -> bytes | None:
        """What lay on a device as it was wiped, as it was kept (a HoldsView); None where that is not known."""
        row = self._db.execute("SELECT body FROM lain WHERE enrolment = ?", (enrolment,)).fetchone()
        return row[0] if row else None

    def put_lain(self, enrolment: str, body: bytes) -> None:
        """Keep what lay on a device."""
        self._db.execute(
            "INSERT INTO lain (enrolment, body) VALUES (?, ?) "
            "ON CONFLICT (enrolment) DO UPDATE SET body = excluded.body",
            (enrolment, body),
        )

    def drafts(self) -> list[PolicyDraft]:
        """Every policy that is worked on, the last changed first."""
        asked = f"SELECT {_DRAFT} FROM policy_draft ORDER BY changed DESC, id"
        return [_draft(row) for row in self._db.execute(asked)]

    def draft(self, id_: str) -> PolicyDraft | None:
        """The draft of that id."""
        row = self._db.execute(f"SELECT {_DRAFT} FROM policy_draft WHERE id = ?", (id_,)).fetchone()
        return _draft(row) if row else None

    def put_draft(self, draft: PolicyDraft) -> None:
        """Keep a draft, new or changed."""
        self._db.execute(
            f"INSERT INTO policy_draft ({_DRAFT}) VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET "
            "body = excluded.body, note = excluded.note, rev = excluded.rev, changed = excluded.changed, "
            "editor = excluded.editor",
            (
                draft.id, draft.body, draft.base, draft.note, draft.rev, draft.made, draft.author, draft.changed,
                draft.editor,
            ),
        )  # fmt: skip

    def drop_draft(self, id_: str) -> None:
        """Forget a draft."""
        self._db.execute("DELETE FROM policy_draft WHERE id = ?", (id_,))

    def audit_before(self, n: int, most: int, word: str) -> list[tuple[int, AuditLine]]:
        """Lines with a lower number, the newest first, those with that actor, verb or object alone; "" for all."""
        some = " AND (actor = ? OR verb = ? OR object = ?)" if word else ""
        rows = self._db.execute(
            f"SELECT n, at, actor, verb, object, digest FROM audit WHERE n < ?{some} ORDER BY n DESC LIMIT ?",
            (n, *([word] * 3 if word else ()), most),
        )
        return [
            (row[0], AuditLine(at=row[1], actor=row[2], verb=row[3], object=row[4], digest=row[5]))
            for row in rows
        ]


def _account(row: Any) -> Account:
    return Account(
        id=row[0], person=row[1], password=row[2], totp=row[3], totp_last=row[4], failed=row[5], invite=row[6],
        invite_ends=row[7], admin_id=row[8], email=row[9], role=row[10],
    )  # fmt: skip


def _passkey(row: Any) -> Passkey:
    return Passkey(
        id=row[0], account=row[1], purpose=row[2], public=row[3], label=row[4], counter=row[5], synced=bool(row[6]),
        made=row[7], used=row[8],
    )  # fmt: skip


def _draft(row: Any) -> PolicyDraft:
    return PolicyDraft(
        id=row[0], body=row[1], base=row[2], note=row[3], rev=row[4], made=row[5], author=row[6], changed=row[7],
        editor=row[8],
    )  # fmt: skip


def _visit(row: Any) -> Visit:
    return Visit(digest=row[0], account=row[1], begun=row[2], seen=row[3], way=row[4], browser=row[5])

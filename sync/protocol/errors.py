"""What may be told to a person, and the answers that travel as codes.

KnownError                 the world's fault or the person's: a title and a next step
├── Refused                a signed document or a request that our rules do not let in
│   └── Equivocation       the same number with other bytes: somebody shows two histories
├── BadFrames              a body that is cut, altered or too large
├── UpgradeNeeded          the other end speaks something newer than we know
└── FieldProblem           a value that a field cannot hold
"""

from __future__ import annotations

import enum


class KnownError(Exception):
    """An error with a `title` (what happened) and a `hint` (the next step), both shown to people."""

    def __init__(self, title: str, hint: str = "") -> None:
        super().__init__(title)
        self.title = title
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.title} {self.hint}".strip()


class Refused(KnownError):
    """A document or request that was not let in; `rule` names the rule that stopped it."""

    def __init__(self, rule: str, title: str, hint: str = "") -> None:
        super().__init__(title, hint)
        self.rule = rule


class Equivocation(Refused):
    """Two different documents carry one number."""


class BadFrames(KnownError):
    """A body whose frames, count or hash do not hold; nothing of it was used."""


class UpgradeNeeded(KnownError):
    """The other end sent an entry this version does not know."""


class FieldProblem(KnownError):
    """A value that its field cannot hold; `field` is the name in the table of kinds."""

    def __init__(self, field: str, title: str, hint: str = "") -> None:
        super().__init__(title, hint)
        self.field = field


class Outcome(enum.StrEnum):
    """What became of one op."""

    OK = "ok"  # taken as sent
    MERGED = "merged"  # taken, and the row differs from what the device has: the row comes along
    CONFLICT = "conflict"  # at least one value met another: both are kept, one is shown
    REJECTED = "rejected"  # not taken; `code` says why; stays with its author


class Rejection(enum.StrEnum):
    """Why an op was not taken."""

    FORBIDDEN = "forbidden"
    INVALID = "invalid"
    GONE = "gone"
    SCHEMA = "schema"


class Problem(enum.StrEnum):
    """Why a request failed as a whole; the status beside it is `STATUS[problem]`."""

    UNSIGNED = "unsigned"  # no session, or its mac does not hold: open a session and try again once
    UNKNOWN_DEVICE = "unknown_device"
    BAD_CODE = "bad_code"  # enrolment code used, expired or never given
    BAD_REQUEST = "bad_request"
    TOO_BIG = "too_big"
    GAP = "gap"  # op numbers are not contiguous; `expected` says the next one
    EPOCH = "epoch"  # the server's history changed; up to `expected` both are one, 0 where nobody knows
    ROLLBACK = "rollback"  # this device's numbering went back: a restored copy or a clone
    UPGRADE = "upgrade"
    BUSY = "busy"
    NOT_HERE = "not_here"


STATUS: dict[Problem, int] = {
    Problem.UNSIGNED: 401,
    Problem.UNKNOWN_DEVICE: 403,
    Problem.BAD_CODE: 403,
    Problem.BAD_REQUEST: 400,
    Problem.TOO_BIG: 413,
    Problem.GAP: 409,
    Problem.EPOCH: 409,
    Problem.ROLLBACK: 409,
    Problem.UPGRADE: 426,
    Problem.BUSY: 503,
    Problem.NOT_HERE: 404,
}

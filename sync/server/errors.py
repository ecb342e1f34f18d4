"""What can go wrong on the server, as its rooms tell each other and as the wire tells a device.

KnownError
├── RequestProblem   the request is answered with a Trouble of this `problem`
├── StoreError       the store cannot be read or written
│   └── StoreBusy    somebody else writes for too long: try again
└── SetupError       folders, keys or settings that the server will not start with
"""

from __future__ import annotations

from sync.protocol.errors import KnownError, Problem
from sync.protocol.messages import Trouble


class RequestProblem(KnownError):
    """The request as a whole is refused; `why` is for the log and names a rule, never data."""

    def __init__(
        self,
        problem: Problem,
        title: str = "",
        hint: str = "",
        *,
        why: str = "",
        expected: int = 0,
        retry_after: int = 0,
        server_time: int = 0,
    ) -> None:
        super().__init__(title or problem.value, hint)
        self.why = why or problem.value
        self.trouble = Trouble(
            problem=problem,
            title=title,
            hint=hint,
            expected=expected,
            retry_after=retry_after,
            server_time=server_time,
        )


class StoreError(KnownError):
    """The store cannot be read or written; nothing was changed."""


class StoreBusy(StoreError):
    """Somebody else writes for too long."""


class SetupError(KnownError):
    """Folders, keys or settings that the server will not start with."""

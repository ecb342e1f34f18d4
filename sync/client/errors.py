"""What can go wrong between a device and the server, as the engine tells it.

KnownError
└── ExchangeError
    ├── Unreachable      no network, no server, no answer in time, a portal in between: try again later
    ├── NotOurServer     somebody answered whom the organisation's certificates do not name
    └── ServerRefused    the server answered: no, because of `problem`
"""

from __future__ import annotations

from sync.protocol.errors import KnownError, Problem
from sync.protocol.messages import Trouble
from sync.protocol.texts import gettext as _


class ExchangeError(KnownError):
    """An exchange did not happen; nothing on the device changed."""


class Unreachable(ExchangeError):
    """No usable answer; everything stays on this device and goes out later."""


class NotOurServer(ExchangeError):
    """The other end could not prove that it is the organisation's server."""


class ServerRefused(ExchangeError):
    """The server said no; `trouble` says why and what to do next."""

    def __init__(self, trouble: Trouble, title: str, hint: str = "") -> None:
        super().__init__(title, hint)
        self.trouble = trouble

    @property
    def problem(self) -> Problem:
        """Why."""
        return self.trouble.problem


def unreachable() -> Unreachable:
    """No usable answer, in words."""
    return Unreachable(
        _("Could not reach the server."),
        _("Your changes are safe on this device and go out when there is a connection."),
    )

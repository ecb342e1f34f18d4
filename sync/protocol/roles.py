"""The roles people have, and which of them change records: one rule for device and server."""

from __future__ import annotations

from typing import Final

REP: Final = "rep"
OFFICE: Final = "office"
MANAGER: Final = "manager"
IT: Final = "it"
PRIVACY: Final = "privacy"
ROLES: Final = (REP, OFFICE, MANAGER, IT, PRIVACY)
EDITING: Final = frozenset({REP, OFFICE, MANAGER})


def may_change(role: str) -> bool:
    """Whether people of this role make, change and delete records at all; which ones is the server's to say."""
    return role in EDITING

"""The roles people have, which of them change records, and up to which care class they see: one rule for both sides."""

from __future__ import annotations

from typing import Final

from sync.protocol.fields import Care

REP: Final = "rep"
OFFICE: Final = "office"
MANAGER: Final = "manager"
IT: Final = "it"
PRIVACY: Final = "privacy"
ROLES: Final = (REP, OFFICE, MANAGER, IT, PRIVACY)
EDITING: Final = frozenset({REP, OFFICE, MANAGER})

# The highest care class that a role can see; whoever is not named here sees every one.
_CEILINGS: Final = {PRIVACY: Care.INTERNAL, IT: Care.PUBLIC}
# What a person may be granted, by name. Below these nothing is left that a record could be worked with.
GRANTED: Final = {"internal": Care.INTERNAL, "confidential": Care.CONFIDENTIAL, "restricted": Care.RESTRICTED}


def may_change(role: str) -> bool:
    """Whether people of this role make, change and delete records at all; which ones is the server's to say."""
    return role in EDITING


def hides_names(role: str, care: int) -> bool:
    """Whether somebody who holds records is not told whom they are about."""
    return role != IT and (role == PRIVACY or care < Care.CONFIDENTIAL)


def upto(role: str, granted: str = "") -> Care:
    """The highest care class that a person sees: what was granted, "" for all that the role can see."""
    ceiling = _CEILINGS.get(role, Care.RESTRICTED)
    return min(ceiling, GRANTED.get(granted, ceiling))

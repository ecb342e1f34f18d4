"""A word about owners that nobody here knows: a device does not know all accounts, so nothing is refused for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from app.cli.verb import aside
from app.services.session import Session
from app.store import lists
from app.store.reader import Reader
from sync.protocol.fields import Person, Value
from sync.protocol.kinds import KINDS
from sync.protocol.texts import gettext as _

_OWNER: Final = "owner"
_TOLD_MAX: Final = 5


def strange(session: Session, many: Iterable[Mapping[str, Value]]) -> list[str]:
    """The owners among these values whom neither this person nor any record here knows; asked before they are kept."""
    named = dict.fromkeys(
        owner for values in many if isinstance(owner := values.get(_OWNER), str) and owner.strip()
    )
    own = session.card.person.email.casefold()
    return [
        owner
        for owner in named
        if owner.strip().casefold() != own and not session.read(lambda s, o=owner: _is_known(s, o))
    ]


def tell(owners: list[str]) -> None:
    """Say whom nobody here knows."""
    for owner in owners[:_TOLD_MAX]:
        aside(
            _("No record here had the owner “{owner}” before; it is kept as you wrote it.").format(
                owner=owner
            )
        )
    if owners:
        aside(
            _(
                "Check the spelling. Unless IT knows somebody by this e-mail, the record stays with whoever made it."
            )
        )


def _is_known(store: Reader, owner: str) -> bool:
    return any(
        lists.page(store, kind, where={_OWNER: owner}, limit=1).records
        for kind in KINDS.values()
        if _OWNER in kind.by_name and isinstance(kind.by_name[_OWNER].type, Person)
    )

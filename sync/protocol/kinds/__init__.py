"""The table of kinds: every kind of record and every field, declared once for all rooms."""

from __future__ import annotations

from typing import Final

from sync.protocol.errors import FieldProblem
from sync.protocol.joins import listed
from sync.protocol.kinds.attached import ATTACHMENT
from sync.protocol.kinds.customer import CUSTOMER
from sync.protocol.kinds.doing import ACTIVITY, TASK
from sync.protocol.kinds.people import CONSENT, CONTACT
from sync.protocol.kinds.selling import DEAL, PRODUCT
from sync.protocol.kinds.table import Kind, same_header, same_name
from sync.protocol.texts import gettext as _

KINDS: Final[dict[str, Kind]] = {
    kind.name: kind for kind in (CUSTOMER, CONTACT, DEAL, PRODUCT, TASK, ACTIVITY, CONSENT, ATTACHMENT)
}


def typed_kinds() -> list[Kind]:
    """The kinds whose records a person types or brings in from files of records: all but those that are files."""
    return [kind for kind in KINDS.values() if not kind.from_file]


def kind_of(name: str) -> Kind:
    """The kind of that name, plural or label. Raises FieldProblem when there is none."""
    wanted = same_header(name)
    for kind in KINDS.values():
        if wanted in {same_header(word) for word in (kind.name, kind.plural, kind.label)}:
            return kind
    raise FieldProblem(
        "kind",
        _("There is no kind “{name}”.").format(name=name[:60]),
        _("Kinds: {names}").format(names=listed(KINDS)),
    )


__all__ = ["KINDS", "Kind", "kind_of", "same_header", "same_name", "typed_kinds"]

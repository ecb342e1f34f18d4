"""Records that are part of records of their own kind: none is part of itself, directly or in a circle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sync.protocol.errors import FieldProblem
from sync.protocol.fields import Field
from sync.protocol.kinds.table import Kind
from sync.protocol.texts import gettext as _

STEPS_MAX: Final = 64  # upwards; a company that is nested deeper is none

# The values of the record of that id, None when it is not here.
ValuesOf = Callable[[bytes], Mapping[str, Any] | None]


def refuse_itself(kind: Kind, id_: bytes, values: Mapping[str, Any]) -> None:
    """Raises FieldProblem where the values make a record part of itself."""
    for field in kind.upward:
        if values.get(field.name) == id_:
            raise _problem(field)


def refuse_circle(kind: Kind, id_: bytes, values: Mapping[str, Any], values_of: ValuesOf) -> None:
    """Raises FieldProblem where the values close a circle with the records that are here."""
    for field in closing(kind, id_, values, values_of):
        raise _problem(field)


def closing(kind: Kind, id_: bytes, values: Mapping[str, Any], values_of: ValuesOf) -> list[Field]:
    """The fields whose values close a circle with the records that are here."""
    return [field for field in kind.upward if _comes_back(field.name, id_, values.get(field.name), values_of)]


def _comes_back(name: str, id_: bytes, above: Any, values_of: ValuesOf) -> bool:
    """Whether the way up from `above` leads to the record."""
    for _step in range(STEPS_MAX):
        if above == id_:
            return True
        found = values_of(above) if isinstance(above, bytes) else None
        if found is None:
            return False
        above = found.get(name)
    return False


def _problem(field: Field) -> FieldProblem:
    return FieldProblem(
        field.name,
        _("{field}: a record cannot be part of itself, nor of one that is part of it.").format(
            field=_(field.label)
        ),
        _("Choose another record, or leave it empty."),
    )

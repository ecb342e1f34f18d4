"""What two values of one cell come to by the rule of its field: which one stands, notes put together, the stricter."""

from __future__ import annotations

from typing import Any

from sync.protocol.fields import Choice, Date, Merge
from sync.protocol.kinds import Kind


def join_notes(base: Any, theirs: Any, mine: Any) -> str:
    """Both texts: what the author of `mine` added below `base` goes below theirs; the whole of both otherwise."""
    first, second, start = str(theirs or ""), str(mine or ""), str(base or "")
    if _holds(first, second):
        return first
    if _holds(second, first):
        return second
    if start and second.startswith(start + "\n"):
        return first + second[len(start) :]
    return f"{first}\n\n{second}"


def _holds(text: str, part: str) -> bool:
    """Whether whole lines of `text` are `part`: the word "no" is not held by "I know"."""
    return not part or f"\n{part}\n" in f"\n{text}\n"


def wins(rule: Merge, kind: Kind | None, cell: str, there: Any, value: Any, *, later: bool) -> bool:
    """Whether `value`, `later` by its author's clock or not, stands in the place of `there`, which was not seen."""
    if rule in (Merge.HOLD, Merge.NOTES):
        return False
    return stricter(kind, cell, there, value) if rule is Merge.STRICTER else later


def stricter(kind: Kind | None, cell: str, there: Any, value: Any) -> bool:
    """Whether `value` protects the person more than `there`: yes over no, the later choice, the earlier day."""
    field_ = kind.by_name.get(cell) if kind else None
    if isinstance(there, bool) or isinstance(value, bool):
        return value is True
    if field_ is not None and isinstance(field_.type, Choice):
        order = field_.type.values
        rank = {word: place for place, word in enumerate(order)}
        return rank.get(value, -1) > rank.get(there, -1)
    if field_ is not None and isinstance(field_.type, Date):
        return there is None or (value is not None and value < there)
    return False

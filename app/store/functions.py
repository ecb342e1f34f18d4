"""Functions of ours that statements call: text folded as search folds it, and whether a field has given words."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from app.store.words import fold, held_by, query, searched
from sync.protocol.fields import Value
from sync.protocol.kinds import KINDS


def folded(text: str | None) -> str | None:
    """`words.fold`: filters see case and accents as search does."""
    return text and fold(text)


def _holding() -> Callable[..., bool]:
    # It goes with the connection: what a person filters by must not outlive a lock.
    asked = lru_cache(maxsize=16)(query)

    def holding(kind: str, field: str, held: str | None, text: str, part: str = "") -> bool:
        """Whether what the column of a field, or a part of it, holds has every word of a text, as search finds them."""
        if held is None:
            return False
        how, texts_of = _field(kind, field, part)
        return held_by(how, texts_of(held), asked(text))

    return holding


@lru_cache(maxsize=64)
def _field(kind: str, name: str, part: str = "") -> Any:
    """How a field is searched, and what gives the texts of what its column holds."""
    field = KINDS[kind].by_name[name]
    (words,) = [each[2] for each in searched(KINDS[kind]) if each[0] == name]
    if words is None:
        return field.find, lambda held: (held,)
    return field.find, lambda held: words(_only(field.type.from_columns((held,)), part))


def _only(value: Value, part: str) -> Value:
    """A value with this part of it alone: of an address its part, of several those with this label."""
    if not part:
        return value
    if isinstance(value, dict):
        return {name: text for name, text in value.items() if name == part}
    return [element for element in value if element["label"] == part]


def functions() -> tuple[tuple[str, int, Callable[..., Any]], ...]:
    """Name, number of arguments and function, for one connection; each gives the same for the same."""
    holding = _holding()
    return (("folded", 1, folded), ("holding", 4, holding), ("holding", 5, holding))

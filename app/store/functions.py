"""Functions of ours that statements call: text folded as search folds it, and whether a field has given words."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from app.store.words import fold, held_by, query, searched
from sync.protocol.kinds import KINDS


def folded(text: str | None) -> str | None:
    """`words.fold`: filters see case and accents as search does."""
    return text and fold(text)


def _holding() -> Callable[[str, str, str | None, str], bool]:
    # It goes with the connection: what a person filters by must not outlive a lock.
    asked = lru_cache(maxsize=16)(query)

    def holding(kind: str, field: str, held: str | None, text: str) -> bool:
        """Whether what the column of a field holds has every word of a text, by the rule of search."""
        if held is None:
            return False
        how, texts_of = _field(kind, field)
        return held_by(how, texts_of(held), asked(text))

    return holding


@lru_cache(maxsize=64)
def _field(kind: str, name: str) -> Any:
    """How a field is searched, and what gives the texts of what its column holds."""
    field = KINDS[kind].by_name[name]
    (words,) = [each[2] for each in searched(KINDS[kind]) if each[0] == name]
    if words is None:
        return field.find, lambda held: (held,)
    return field.find, lambda held: words(field.type.from_columns((held,)))


def functions() -> tuple[tuple[str, int, Callable[..., Any]], ...]:
    """Name, number of arguments and function, for one connection; each gives the same for the same."""
    return (("folded", 1, folded), ("holding", 4, _holding()))

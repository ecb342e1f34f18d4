"""From the headings of a file to a kind of record and its fields; what finds no place is listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Final

from app.services.exchange import words
from app.services.exchange.cells import EMPTY
from app.services.exchange.headings import Column, meaning
from app.services.exchange.read import Table
from sync.protocol.fields import Address, Notes, Several, Tags
from sync.protocol.kinds import KINDS, Kind, same_header, typed_kinds

# Titles that every kind of file may have: they do not tell a customer from a product.
_GENERIC: Final = frozenset(
    same_header(word) for word in ("name", "title", "subject", "名称", "标题", "主题")
)
_FILLED_ROWS: Final = 2000


@dataclass(frozen=True, slots=True)
class Mapping:
    """The columns of a file as fields of a kind. `unmapped` lists headings that found no place."""

    kind: Kind
    columns: tuple[Column, ...]
    unmapped: tuple[str, ...]
    doubled: tuple[tuple[str, str], ...] = ()  # a heading left out, and the one taken for its field

    @property
    def titled(self) -> bool:
        """Whether records get a name: from a column, or for deals and contacts made from others."""
        names = {column.field.name for column in self.columns if column.field is not None}
        if self.kind.title in names:
            return True
        return bool(self.kind.name == "deal" and names & {"product", "customer", "number"}) or bool(
            self.kind.name == "contact" and "emails" in names
        )

    @property
    def score(self) -> int:
        """How many columns found a place, not counting bare numbers, which fit everywhere."""
        return sum(
            column.field is not None and column.field.name != "number" and column.part != "currency"
            for column in self.columns
        )

    @property
    def specific(self) -> bool:
        """Whether the title's heading belongs to this kind alone."""
        return any(
            column.field is not None
            and column.field.name == self.kind.title
            and (column.part in ("first", "last") or _bare(column.heading) not in _GENERIC)
            for column in self.columns
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """What a file was taken for: a mapping, or the word of `words.reason` that says why there is none."""

    mapping: Mapping | None
    reason: str = ""


def map_columns(kind: Kind, table: Table) -> Mapping:
    """The columns of a table as fields of a kind."""
    columns = [meaning(kind, index, heading) for index, heading in enumerate(table.headings)]
    filled = _filled(table)
    columns = _one_address(columns, filled)
    columns, doubled = _one_each(columns, filled)
    taken = tuple(column for column in columns if column.taken)
    left = {heading for heading, _kept in doubled}
    unmapped = tuple(c.heading for c in columns if not c.taken and c.heading and c.heading not in left)
    return Mapping(kind, taken, unmapped, doubled)


def choose(table: Table, *, kind: Kind | None = None) -> Choice:
    """The kind that a file holds, by its headings and its name; `kind` decides where a person named it."""
    if kind is not None:
        mapping = map_columns(kind, table)
        return Choice(mapping) if mapping.titled else Choice(None, "untitled")
    ours = {same_header(words.our_id(each)): each for each in typed_kinds()}
    own = next((ours[key] for heading in table.headings[:1] if (key := same_header(heading)) in ours), None)
    if own is not None:
        return choose(table, kind=own)
    stranger = _stranger(table)
    if stranger:
        return Choice(None, stranger)
    mappings = [map_columns(each, table) for each in typed_kinds()]
    ranked = sorted(((_evidence(each, table), each) for each in mappings), key=lambda pair: -pair[0])
    evidence, best = ranked[0]
    if evidence <= 0:
        return Choice(None, "unknown")
    if ranked[1][0] == evidence:
        return Choice(None, "ambiguous")
    return Choice(best)


def people_beside(mapping: Mapping, table: Table) -> tuple[Mapping, Mapping, Table] | None:
    """The customers of a file that names people beside them, these as contacts of the customers, and the rows that name
    one; None where no column does.
    """
    if mapping.kind.name != "customer":
        return None
    own = {column.index for column in mapping.columns}
    found = map_columns(KINDS["contact"], table)
    columns = tuple(
        column
        for column in found.columns
        if column.index not in own or (column.field is not None and column.field.name == "customer")
    )
    names = {column.field.name: column for column in columns if column.field is not None}
    if "name" not in names or "customer" not in names or names["name"].part:
        return None
    at = names["name"].index
    rows = tuple(row for row in table.rows if row[1][at].strip() and row[1][at] not in EMPTY)
    taken = {column.heading for column in columns}
    customers = replace(mapping, unmapped=tuple(each for each in mapping.unmapped if each not in taken))
    people = Mapping(KINDS["contact"], columns, ())
    return customers, people, replace(table, rows=rows, findings=(), left_out=0)


def _evidence(mapping: Mapping, table: Table) -> int:
    """How well a kind fits; 0 when it does not."""
    if not mapping.titled or not mapping.score:
        return 0
    named = _named_for(mapping.kind, table.name)
    parts = {column.part for column in mapping.columns}
    names = {column.field.name for column in mapping.columns if column.field is not None}
    title = mapping.kind.title in names
    # Few columns of many under headings that every list has: another program's table of something else.
    share = mapping.score / sum(bool(heading) for heading in table.headings)
    doubtful = mapping.score == 1 or not (mapping.specific or named) or not title
    if doubtful and named < 2 and share < 1 / 3:
        return 0
    if not title and mapping.kind.name == "deal" and mapping.score < 3:
        return 0
    if mapping.score == 1 and not (mapping.specific or named == 2 or share == 1):
        return 0
    person = mapping.kind.name == "contact" and {"first", "last"} <= parts
    return (
        mapping.score
        + 2 * named
        + mapping.specific
        + title
        + (20 if person and "customer" in names else 2 * person)
    )


def _bare(heading: str) -> str:
    return same_header(heading).removeprefix("property")


def _named_for(kind: Kind, name: str) -> int:
    """2 when the file is named by a word of the kind, 1 when such a word is within its name, else 0."""
    stem = PurePath(name).stem
    known = {same_header(w) for w in (kind.name, kind.plural, kind.label, *kind.synonyms.split("; "))}
    known |= {word.removesuffix("s") for word in known if word.isascii()}
    if same_header(stem) in known:
        return 2
    return int(bool(_runs(stem) & known or any(not w.isascii() and w in same_header(stem) for w in known)))


def _runs(stem: str) -> set[str]:
    """Each run of one to three words of a file's name, joined."""
    tokens = [same_header(token) for token in "".join(c if c.isalnum() else " " for c in stem).split()]
    return {"".join(tokens[at : at + n]) for n in (1, 2, 3) for at in range(len(tokens) - n + 1)}


def _stranger(table: Table) -> str:
    """Why a file holds no records of ours: a log, the team's own people, suppliers."""
    stem = PurePath(table.name).stem
    found = {words.STRANGERS[run] for run in _runs(stem) if run in words.STRANGERS}
    found |= {
        why for word, why in words.STRANGERS.items() if not word.isascii() and word in same_header(stem)
    }
    if "log" in found:
        return "log"
    if any(_named_for(kind, table.name) for kind in typed_kinds()):
        return ""
    if found:
        return min(found)
    first = same_header(table.headings[0]) if table.headings else ""
    titled = any(map_columns(kind, table).titled for kind in typed_kinds())
    return "people" if first in words.PEOPLE_ID and not titled else ""


def _filled(table: Table) -> list[int]:
    """How many of the first rows have something in each column."""
    counts = [0] * len(table.headings)
    for _number, cells in table.rows[:_FILLED_ROWS]:
        for index, cell in enumerate(cells):
            counts[index] += bool(cell and cell not in EMPTY)
    return counts


def _one_address(columns: list[Column], filled: Sequence[int]) -> list[Column]:
    """Of several addresses in a row, the one that counts most and is filled.

    Beside a city or a country, "address" is a street and "region" no sales region.
    """
    parts = [c for c in columns if c.field is not None and isinstance(c.field.type, Address)]
    if not parts:
        return columns
    field = parts[0].field
    cut = any(c.part in ("street", "postcode", "city", "country") for c in parts)
    order = {word: rank for rank, word in enumerate(words.ADDRESS_GROUPS)}
    groups = {c.group for c in parts if filled[c.index]} or {c.group for c in parts}
    best = min(groups, key=lambda group: (order.get(group.split(" ")[0], len(order)), group))
    result = []
    for column in columns:
        part = words.ADDRESS_PARTS.get(same_header(column.heading), "")
        if column in parts and column.group != best:
            result.append(Column(column.index, column.heading))
        elif column in parts and cut and not column.part:
            result.append(replace(column, part="street", rank=column.rank + 1))
        elif column not in parts and cut and best == "" and part == "region":
            result.append(replace(column, field=field, part=part))
        else:
            result.append(column)
    return result


def _one_each(
    columns: list[Column], filled: Sequence[int]
) -> tuple[list[Column], tuple[tuple[str, str], ...]]:
    """One column for each field that holds one value: a filled one before an empty one, then the nearest heading."""
    best: dict[tuple[str, str], Column] = {}
    for column in columns:
        if column.field is None or _many(column):
            continue
        key = (column.field.name, column.part)
        rival = best.get(key)
        if rival is None or _rank(column, filled) < _rank(rival, filled):
            best[key] = column
    result, doubled = [], []
    for column in columns:
        winner = best.get((column.field.name, column.part)) if column.field is not None else None
        if winner is None or winner.index == column.index or _many(column):
            result.append(column)
        else:
            result.append(Column(column.index, column.heading))
            doubled.append((column.heading, winner.heading))
    return result, tuple(doubled)


def _many(column: Column) -> bool:
    """Whether several columns may go to the field together."""
    return column.field is not None and isinstance(column.field.type, Several | Tags | Notes)


def _rank(column: Column, filled: Sequence[int]) -> tuple[bool, int, int]:
    return (filled[column.index] == 0, column.rank, column.index)

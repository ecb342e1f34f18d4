"""Which rows mean a record that is there already, so that a file imported twice does not double anything.

A record is known by our id or by its number; without these, by its title, what it points to, and for kinds
other than customers and products its days and amounts. Of several that fit, the one that says nothing else is
meant. Two persons of one name are the same when they share an e-mail, a phone or else the address. A row that
means a known record fills its empty fields and changes none that is filled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from app.services.exchange.ports import Catalogue
from app.services.exchange.relate import Index, light
from app.services.exchange.rows import Draft
from app.store.alike import is_person, share_a_way
from sync.protocol.fields import Date, Instant, Money, Ref, Several, Value
from sync.protocol.ids import new_record_id
from sync.protocol.kinds import Kind

_BY_TITLE: Final = ("customer", "product")
_NAMED: Final = (*_BY_TITLE, "contact")  # of other kinds many have one title
_LOOK_AT: Final = 200  # records of one title that are compared one by one
_READ_MOST: Final = 20_000  # values of records that are read ahead and held at once


class Known:
    """The records of one kind that a row may mean: those of the book and the rows before."""

    def __init__(self, kind: Kind, index: Index, book: Catalogue) -> None:
        self._kind = kind
        self._index = index
        self._book = book
        self._in_book = frozenset(index.titles)
        self._drafts: dict[bytes, Draft] = {}
        self._values: dict[bytes, Mapping[str, Value]] = {}
        self._pointing = [f.name for f in kind.fields if isinstance(f.type, Ref) and f.type.to != kind.name]
        self._telling = [f.name for f in kind.fields if isinstance(f.type, Date | Instant | Money)]
        self._by_key: dict[tuple[Any, ...], list[bytes]] = {}
        self._new: set[str] = set()  # titles of new records, as `light` leaves them
        self._keyed: set[str] = set()  # titles whose records of the book stand in `_by_key`

    def settle(self, draft: Draft) -> Draft | None:
        """Give the draft its id: that of the record it means, or a new one. Gives back an earlier row it repeats."""
        found = self._find(draft)
        if found in self._drafts:
            draft.id = found
            return self._drafts[found]
        if found:
            draft.id, draft.before = found, self.values(found)
        else:
            draft.id = bytes(new_record_id())
            if self._kind.name in _NAMED and draft.own_id is None:
                title = light(draft.values[self._kind.title])
                draft.namesake = title in self._new
                self._new.add(title)
            self._index.add(draft.id, draft.values[self._kind.title], draft.values.get("number"))
            self._by_key.setdefault(self._key(draft.values), []).append(draft.id)
        if draft.own_id is not None:
            self._index.own[draft.own_id] = draft.id
        self._drafts[draft.id] = draft
        return None

    def read_ahead(self, drafts: Iterable[Draft]) -> None:
        """Read the values of the records that these rows may mean in one go, and forget those of the rows before."""
        wanted: dict[bytes, None] = {}
        for draft in drafts:
            wanted.update(dict.fromkeys(self._may_mean(draft)))
            if len(wanted) >= _READ_MOST:
                break
        self._values = {record: self._values[record] for record in wanted if record in self._values}
        self._read(record for record in wanted if record not in self._values)

    def values(self, record: bytes) -> Mapping[str, Value]:
        """The values of a record of the book."""
        if record not in self._values:
            self._read([record])
        return self._values[record]

    def _read(self, records: Iterable[bytes]) -> None:
        wanted = list(records)
        found = self._book.values(self._kind, wanted)
        # One that was deleted since its title was read is made anew by its row.
        self._values.update((record, found.get(record, {})) for record in wanted)

    def _may_mean(self, draft: Draft) -> Iterable[bytes]:
        """The records of the book whose values tell whether a draft means them."""
        if draft.own_id is not None and draft.own_id in self._in_book:
            return [draft.own_id]
        number = draft.values.get("number")
        found = self._index.numbers.get(number, ()) if number else ()
        if found:
            return [record for record in found if record in self._in_book]
        title = light(draft.values[self._kind.title])
        alike = [record for record in self._index.by_light.get(title, ()) if record in self._in_book]
        if self._kind.name not in _BY_TITLE:
            return [] if title in self._keyed else alike
        if number:
            alike = [record for record in alike if record not in self._index.numbered]
        return alike if len(alike) <= _LOOK_AT else alike[:1]

    def _find(self, draft: Draft) -> bytes:
        """The record that a draft means, b"" for none."""
        if draft.own_id is not None and draft.own_id in self._in_book:
            return draft.own_id
        number = draft.values.get("number")
        found = self._index.numbers.get(number, []) if number else []
        if found and draft.own_id is None:
            return found[0]
        candidates = found or self._candidates(draft)
        free = [record for record in candidates if record in self._in_book and record not in self._drafts]
        if draft.own_id is not None:
            candidates = free  # rows of an export are records of their own, whatever their names and numbers
        if len(candidates) <= _LOOK_AT:
            for record in candidates:
                if not differing(self._kind, draft.values, self._of(record)):
                    return record
        if is_person(self._kind.name, draft.values) and len(candidates) <= _LOOK_AT:
            free = [record for record in free if share_a_way(draft.values, self._of(record))]
        return free[0] if free else b""

    def _candidates(self, draft: Draft) -> list[bytes]:
        """Records that a draft may mean by its title and what tells it apart."""
        number = draft.values.get("number")
        title = light(draft.values[self._kind.title])
        alike = self._index.by_light.get(title, ())
        found: list[bytes] = []
        if self._kind.name in _BY_TITLE:
            found += alike
        else:
            found += self._exactly(draft, title, alike)
            if not found and not draft.made_title and len(alike) <= _LOOK_AT:
                found += (record for record in alike if self._agree(draft.values, self._of(record)))
        # The same name under another number is another record.
        return [record for record in found if not number or not self._has_number(record)]

    def _has_number(self, record: bytes) -> bool:
        draft = self._drafts.get(record)
        if draft is not None and draft.before is None:
            return bool(draft.values.get("number"))
        return record in self._index.numbered

    def _exactly(self, draft: Draft, title: str, alike: Sequence[bytes]) -> Sequence[bytes]:
        """Records with the draft's title that point to the same and have the same days and amounts."""
        if title not in self._keyed:
            self._keyed.add(title)
            for record in alike:
                if record in self._in_book:
                    self._by_key.setdefault(self._key(self.values(record)), []).append(record)
        return self._by_key.get(self._key(draft.values), ())

    def _key(self, values: Mapping[str, Value]) -> tuple[Any, ...]:
        """What tells records of one title apart."""
        told = [values.get(name) for name in (*self._pointing, *self._telling)]
        plain = [tuple(sorted(each.items())) if isinstance(each, dict) else each for each in told]
        return (light(str(values.get(self._kind.title, ""))), *plain)

    def _of(self, record: bytes) -> Mapping[str, Value]:
        draft = self._drafts.get(record)
        return draft.values if draft is not None and draft.before is None else self.values(record)

    def _agree(self, values: Mapping[str, Value], other: Mapping[str, Value]) -> bool:
        """Whether two records of one title point to the same, and no day or amount of theirs differs."""
        if any(values.get(name) != other.get(name) for name in self._pointing):
            return False
        return all(
            values.get(name) is None or other.get(name) is None or values[name] == other[name]
            for name in self._telling
        )


def missing(values: Mapping[str, Value], before: Mapping[str, Value]) -> dict[str, Value]:
    """The values that fill empty fields of a record that is there."""
    return {name: value for name, value in values.items() if before.get(name) in (None, "", [])}


def differing(kind: Kind, values: Mapping[str, Value], before: Mapping[str, Value]) -> list[str]:
    """Names of fields in which a record that is there says something else; these stay as they are."""
    return [
        name
        for name, value in values.items()
        if before.get(name) not in (None, "", []) and not _alike(kind, name, value, before[name])
    ]


def _alike(kind: Kind, name: str, one: Value, other: Value) -> bool:
    """Whether two values of a field say the same; ids and order of several values do not count."""
    if isinstance(kind.by_name[name].type, Several):
        return {element["value"] for element in one} <= {element["value"] for element in other}
    return bool(one == other)

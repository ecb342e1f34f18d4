"""A book in memory with the store's promises: checked values, ids taken once, a batch whole or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping

from app.errors import NotFound
from app.services.exchange.ports import Named
from app.store.words import fold_key
from sync.protocol.fields import Value
from sync.protocol.kinds import Kind


class TwinBook:
    """Records by id, in the order in which they were made; `fail_at` breaks a batch at that step."""

    def __init__(self) -> None:
        self.kept: dict[bytes, tuple[Kind, dict[str, Value]]] = {}
        self.fail_at = 0
        self._steps = 0

    def titles(self, kind: Kind, /) -> Iterable[Named]:
        return [(id_, values[kind.title], values.get("number")) for id_, values in self.records(kind)]

    def titled(self, kind: Kind, titles: Collection[str], /) -> Iterable[Named]:
        wanted = {fold_key(title) for title in titles}
        return [named for named in self.titles(kind) if fold_key(named[1]) in wanted]

    def numbered(self, kind: Kind, numbers: Collection[str], /) -> Iterable[Named]:
        return [named for named in self.titles(kind) if named[2] in numbers]

    def named(self, kind: Kind, ids: Collection[bytes], /) -> Iterable[Named]:
        return [named for named in self.titles(kind) if named[0] in ids]

    def values(self, kind: Kind, ids: Collection[bytes], /) -> Mapping[bytes, Mapping[str, Value]]:
        return {id_: values for id_, values in self.records(kind) if id_ in ids}

    def hidden(self, _kind: Kind, /) -> frozenset[str]:
        return frozenset()

    def turn(self, kind: Kind, /) -> int:
        return hash(frozenset(self.titles(kind)))

    def get(self, record_id: bytes, /) -> Mapping[str, Value]:
        if record_id not in self.kept:
            raise NotFound("no such record")
        return self.kept[record_id][1]

    def records(self, kind: Kind, /) -> Iterable[tuple[bytes, Mapping[str, Value]]]:
        return [(id_, values) for id_, (its, values) in self.kept.items() if its is kind]

    @contextlib.contextmanager
    def batch(self, _rows: int, /) -> Iterator[TwinBook]:
        before = {id_: (kind, dict(values)) for id_, (kind, values) in self.kept.items()}
        self._steps = 0
        try:
            yield self
        except BaseException:
            self.kept = before
            raise

    def add(self, kind: Kind, values: Mapping[str, Value], record_id: bytes, /) -> None:
        self._step()
        assert record_id not in self.kept
        defaults = {field.name: field.default for field in kind.fields if field.default is not None}
        self.kept[record_id] = (kind, kind.check({**defaults, **values}, whole=True))

    def edit(self, record_id: bytes, values: Mapping[str, Value], /) -> None:
        self._step()
        kind, before = self.kept[record_id]
        before.update(kind.check(values))

    def of(self, kind: Kind) -> list[dict[str, Value]]:
        """The values of a kind's records."""
        return [values for its, values in self.kept.values() if its is kind]

    def one(self, kind: Kind, title: str) -> dict[str, Value]:
        """The one record of that title."""
        (found,) = (values for values in self.of(kind) if values[kind.title] == title)
        return found

    def _step(self) -> None:
        self._steps += 1
        if self._steps == self.fail_at:
            raise NotFound("the batch breaks here")

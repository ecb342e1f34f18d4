"""An act on many records, done piece by piece by whichever process: what is asked, how far it is, and each piece.

A piece is one transaction, and how far the act is then is written with it. So whatever ends the act, the store knows
to the record what was done, and it can go on from there or be taken back whole.
"""

from __future__ import annotations

import os
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from app.paths import Profile
from app.store import begun, bulk, sight
from app.store.bulk import Did, Selection, Setting, Span
from app.store.filters import Filter
from app.store.reader import Reader
from app.store.rowset import RowSet
from app.store.store import Store
from sync.protocol.kinds import KINDS, Kind
from sync.protocol.quiet import Quiet

if TYPE_CHECKING:
    from app.services.exchange.selected import SelectedFile

MANY: Final = (
    1_000  # records: above this an act is asked about first, done beside this process, and remembered
)


class Chosen(Quiet, frozen=True):
    """A selection as it travels and is kept."""

    kind: str
    every: bool
    rows: bytes
    filter: Filter
    last: int
    count: int

    def selection(self) -> Selection:
        """As the store takes it."""
        kind, rows = KINDS[self.kind], RowSet.unpacked(self.rows)
        return Selection(kind, self.every, rows, self.filter, self.last, self.count)


def chosen(selection: Selection) -> Chosen:
    """A selection, to be sent or kept."""
    return Chosen(
        selection.kind.name, selection.every, selection.rows.packed(), selection.filter, selection.last,
        selection.count,
    )  # fmt: skip


class _OfChosen(Quiet, frozen=True):
    """Something is to be done with all that is chosen."""

    chosen: Chosen

    @property
    def kind(self) -> Kind:
        """Of which kind the records are."""
        return KINDS[self.chosen.kind]

    @property
    def total(self) -> int:
        """How many records it goes through."""
        return self.chosen.count


class Doing(_OfChosen, frozen=True, tag=True):
    """A field is to be set for all that is chosen; without a setting, all of it is to be deleted."""

    setting: Setting | None


class Undoing(Quiet, frozen=True, tag=True):
    """These ops are to be taken back, the last ones first."""

    of: str
    spans: tuple[Span, ...]
    total: int

    @property
    def kind(self) -> Kind:
        """Of which kind the records are."""
        return KINDS[self.of]


class Exporting(_OfChosen, frozen=True, tag=True):
    """All that is chosen is to be written to a file. Half a file is of no use: it is never gone on with."""

    path: bytes  # names of files need not be texts


Asked = Doing | Undoing | Exporting


class Outcome(msgspec.Struct, frozen=True):
    """What an act has come to so far: records gone through, changed ones, those that were so already, those left and
    why, and the ops that did it. `after` is the last rowid that is done, `rest` what is still to be taken back.
    """

    at: int = 0
    changed: int = 0
    same: int = 0
    left: dict[str, int] = {}
    spans: tuple[Span, ...] = ()
    after: int = 0
    rest: tuple[Span, ...] = ()

    __repr__ = object.__repr__

    def with_piece(self, count: int, did: Did, *, after: int = 0, rest: tuple[Span, ...] = ()) -> Outcome:
        """What it has come to with one more piece."""
        left = dict(self.left)
        for why, more in did.left.items():
            left[why] = left.get(why, 0) + more
        changed, same = self.changed + len(did.ids), self.same + did.same
        return Outcome(self.at + count, changed, same, left, _joined(self.spans, did.span), after, rest)


def _joined(spans: tuple[Span, ...], span: Span | None) -> tuple[Span, ...]:
    """One more span; one that goes on where the last one ends is the same."""
    if span is None:
        return spans
    if spans and spans[-1][0] == span[0] and spans[-1][2] + 1 == span[1]:
        return (*spans[:-1], (span[0], spans[-1][1], span[2]))
    return (*spans, span)


class Piece(msgspec.Struct, frozen=True):
    """A piece that is done: whose records changed, and what the act has come to with it."""

    ids: list[bytes]
    outcome: Outcome

    __repr__ = object.__repr__


class Doer:
    """Does the pieces of one act in the store that it is given. `kept` says that the store remembers how far it is."""

    def __init__(self, profile: Profile, asked: Asked, outcome: Outcome, *, kept: bool) -> None:
        self.outcome = outcome
        self._profile = profile
        self._asked = asked
        self._kept = kept
        self._selection = None if isinstance(asked, Undoing) else asked.chosen.selection()
        self._found = array("q")
        self._after = outcome.after  # how far rowids were looked up
        self._at_end = False
        self._file: SelectedFile | None = None

    def piece(self, store: Store, most: int) -> Piece | None:
        """Do the next records, at most so many; None at the end. Raises NoSpace, and then did nothing of it."""
        if isinstance(self._asked, Undoing):
            return self._take_back(store, most)
        rowids = self._next(store, most)
        if not rowids:
            return None
        if isinstance(self._asked, Exporting):
            return self._write(store, rowids)
        return self._do(store, self._asked, rowids)

    @property
    def writes(self) -> bool:
        """Whether pieces write to the store."""
        return not isinstance(self._asked, Exporting)

    def end(self, *, whole: bool) -> None:
        """It has come to its end, or is left: what was done stays, but half a file.

        Raises AppError, NoSpace where a file cannot be put in its place.
        """
        if self._file is not None:
            if whole:
                self._file.finish()
            else:
                self._file.leave()

    # -- inside

    def _do(self, store: Store, asked: Doing, rowids: array[int]) -> Piece:
        reached = self.outcome

        def note(did: Did) -> None:
            nonlocal reached
            reached = reached.with_piece(len(rowids), did, after=rowids[-1])
            self._keep(store, reached)

        did = bulk.do(store, asked.kind, rowids, asked.setting, note)
        self.outcome = reached
        return Piece(did.ids, reached)

    def _take_back(self, store: Store, most: int) -> Piece | None:
        asked, reached = self._asked, self.outcome
        spans = reached.rest if reached.at else asked.spans if isinstance(asked, Undoing) else ()
        if not spans:
            return None
        span = spans[-1]

        def note(did: Did, rest: Span | None) -> None:
            nonlocal reached
            count = span[2] - (rest[2] if rest is not None else span[1] - 1)
            left = spans[:-1] if rest is None else (*spans[:-1], rest)
            reached = reached.with_piece(count, did, rest=left)
            self._keep(store, reached)

        did, _rest = bulk.undo(store, span, most, note)
        self.outcome = reached
        return Piece(did.ids, reached)

    def _write(self, store: Store, rowids: array[int]) -> Piece:
        if self._file is None:
            from app.services.exchange.selected import SelectedFile  # reading and writing files is large

            assert isinstance(self._asked, Exporting)  # noqa: S101 - the caller has looked
            path, hidden = Path(os.fsdecode(self._asked.path)), sight.hidden(store, self._asked.kind)
            self._file = SelectedFile(self._profile, self._asked.kind, path, hidden)
        written = self._file.write(store, rowids)
        before = self.outcome
        self.outcome = msgspec.structs.replace(
            before, at=before.at + len(rowids), changed=before.changed + written
        )
        return Piece([], self.outcome)

    def _next(self, store: Store, most: int) -> array[int]:
        """The next rowids of the selection; none at the end."""
        assert self._selection is not None  # noqa: S101 - an act on a selection
        while not self._found and not self._at_end:
            self._found, after = bulk.taken(store, self._selection, self._after)
            self._after, self._at_end = after, not after
        some, self._found = self._found[:most], self._found[most:]
        return some

    def _keep(self, store: Store, reached: Outcome) -> None:
        if self._kept:
            begun.keep_far(store, msgspec.msgpack.encode(reached))


def keep(store: Store, asked: Asked, outcome: Outcome) -> None:
    """Remember an act until it has come to its end or somebody knows how far it came."""
    begun.keep_act(store, msgspec.msgpack.encode(asked), msgspec.msgpack.encode(outcome))


def broken_off(store: Reader) -> tuple[Asked, Outcome] | None:
    """The act that was broken off, and what it had come to; None where none was, or a newer program has begun it."""
    found = begun.act(store)
    if found is None:
        return None
    try:
        asked: Asked = msgspec.msgpack.decode(found[0], type=Asked)
        outcome = msgspec.msgpack.decode(found[1], type=Outcome)
        fields = asked.kind.by_name
        setting = asked.setting if isinstance(asked, Doing) else None
        return (asked, outcome) if setting is None or setting.field in fields else None
    except (msgspec.MsgspecError, KeyError):
        return None

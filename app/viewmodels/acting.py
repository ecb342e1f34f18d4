"""Acts on all that is selected: in pieces and in the background, with progress, a way to stop and one way back.

A piece is one transaction that takes a few hundredths of a second, so that rows, searches and saves come in between.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from app.changes import HERE, Changes
from app.services.session import Session
from app.store import bulk
from app.store.bulk import Deed, Did, Selection, Span
from app.store.store import Store
from app.viewmodels import words
from app.viewmodels.base import Errands, Watched
from sync.protocol.errors import KnownError
from sync.protocol.joins import sentences
from sync.protocol.kinds import Kind
from sync.protocol.quiet import Quiet
from sync.protocol.roles import may_change
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

if TYPE_CHECKING:
    from app.services.exchange.selected import SelectedFile

PIECE_S: Final = 0.04  # how long a piece may hold the store
LEAST: Final = 8
MOST: Final = 2_000
TOLD_S: Final = 1.0  # views hear of changes this often at first, and ever less often
TOLD_MOST_S: Final = 10.0
TOLD_MAX: Final = 5_000  # records in one piece of news; with more, everything is looked at again
SURE_S: Final = 2.0  # before this, nobody knows how long it takes


class Outcome(msgspec.Struct):
    """What an act has come to so far: changed records, those that were so already, those left and why."""

    changed: int = 0
    same: int = 0
    left: dict[str, int] = msgspec.field(default_factory=dict)
    spans: list[Span] = msgspec.field(default_factory=list)

    __repr__ = object.__repr__

    def add(self, did: Did) -> None:
        """Count a piece."""
        self.changed += len(did.ids)
        self.same += did.same
        for why, count in did.left.items():
            self.left[why] = self.left.get(why, 0) + count
        if did.span is None:
            return
        if self.spans and self.spans[-1][0] == did.span[0] and self.spans[-1][2] + 1 == did.span[1]:
            self.spans[-1] = (did.span[0], self.spans[-1][1], did.span[2])
        else:
            self.spans.append(did.span)


class Many(Quiet, frozen=True):
    """An act on many records that can be taken back: the numbers of its ops say how."""

    kind: Kind
    spans: tuple[Span, ...]
    count: int


class _Job(Protocol):
    kind: Kind
    total: int
    going: str  # what is being done, in words

    def piece(self, store: Store, most: int) -> tuple[int, Did] | None:
        """Do the next records, at most so many: how many those were, and what came of it; None at the end."""

    def finish(self) -> None:
        """It came to its end."""

    def leave(self) -> None:
        """It was stopped, or cannot go on."""

    def done(self, outcome: Outcome) -> str:
        """What was done, in words."""


class Acting(Watched):
    """One act at a time. `told(text, undoes=...)` hears what came of it, `may_undo` takes the way back."""

    def __init__(
        self,
        session: Session,
        errands: Errands,
        told: Callable[..., None],
        may_undo: Callable[[Many], None],
    ) -> None:
        super().__init__()
        self.total = 0
        self.at = 0
        self.going = ""
        self._session = session
        self._errands = errands
        self._told = told
        self._may_undo = may_undo
        self._job: _Job | None = None
        self._stopping = False
        self._outcome = Outcome()
        self._size = LEAST
        self._began = 0.0
        self._news: dict[bytes, None] = {}
        self._told_at = 0.0
        self._told_every = TOLD_S

    @property
    def running(self) -> bool:
        """Whether an act is under way."""
        return self._job is not None

    def seconds_left(self) -> float | None:
        """How long it will take by what it took so far; None while that says nothing."""
        taken = time.monotonic() - self._began
        if not self.running or not self.at or taken < SURE_S:
            return None
        return max(0.0, (self.total - self.at) * taken / self.at)

    def do(self, selection: Selection, deed: Deed) -> None:
        """Set a field of all that is selected, or delete it."""
        if self._may_change():
            self._begin(_Doing(selection, deed))

    def export(self, selection: Selection, path: Path) -> None:
        """Write all that is selected to a CSV file."""
        self._begin(_Exporting(selection, path))

    def undo(self, act: Many) -> None:
        """Take an act on many records back."""
        if self._may_change():
            self._begin(_Undoing(act))

    def cancel(self) -> None:
        """Stop after the piece under way; what was done stays, and can be taken back."""
        self._stopping = True
        self.tell()

    # -- inside

    def _may_change(self) -> bool:
        """Whether the role may, as the server last told it; if not, it is said."""
        if may_change(self._session.card.person.role):
            return True
        self._told(_("Your role may look at records, but not change them. Ask IT if it should."))
        return False

    def _begin(self, job: _Job) -> None:
        if self._job is not None:
            self._told(_("Something is still being done. Wait for it, or stop it."))
            return
        self._job, self._outcome, self._stopping = job, Outcome(), False
        self.total, self.at, self.going = job.total, 0, job.going
        self._size = LEAST
        self._began = self._told_at = time.monotonic()
        self._told_every = TOLD_S
        self.tell()
        self._next(job)

    def _next(self, job: _Job) -> None:
        if self._stopping:
            self._errands.run(
                lambda: self._close(job, whole=False), lambda _n: self._end(job, None), self._failed
            )
            return
        self._errands.run(lambda: self._piece(job), lambda found: self._took(job, found), self._failed)

    def _piece(self, job: _Job) -> tuple[int, Did] | None:
        """One piece, on the background's thread."""

        def work(store: Store) -> tuple[int, Did] | None:
            begun = time.perf_counter()
            found = job.piece(store, self._size)
            if found is not None and found[0]:
                # Half way to what would fit: one slow disk write says little about the next piece.
                fits = self._size * PIECE_S / max(time.perf_counter() - begun, 1e-6)
                self._size = min(MOST, max(LEAST, round((self._size + min(fits, 4 * self._size)) / 2)))
            return found

        found = self._session.call(work)
        if found is not None:
            self._news.update(dict.fromkeys(found[1].ids))
        if found is None:
            self._close(job, whole=True)
        elif time.monotonic() - self._told_at >= self._told_every:
            self._tell_news(job.kind)
        return found

    def _close(self, job: _Job, *, whole: bool) -> None:
        """The end of it, on the background's thread."""
        if whole:
            job.finish()
        else:
            job.leave()
        self._tell_news(job.kind)

    def _tell_news(self, kind: Kind) -> None:
        ids, self._news = list(self._news), {}
        if ids:
            records = tuple((kind.name, id_) for id_ in ids) if len(ids) <= TOLD_MAX else ()
            self._session.tell(Changes(records, HERE))
        self._told_at = time.monotonic()
        self._told_every = min(TOLD_MOST_S, self._told_every * 1.5)

    def _took(self, job: _Job, found: tuple[int, Did] | None) -> None:
        if found is None:
            self._end(job, None)
            return
        count, did = found
        self.at += count
        self._outcome.add(did)
        self.tell()
        self._next(job)

    def _failed(self, problem: KnownError) -> None:
        job = self._job
        if job is not None:
            self._errands.run(lambda: self._close(job, whole=False), lambda _n: self._end(job, problem))

    def _end(self, job: _Job, problem: KnownError | None) -> None:
        outcome, stopped = self._outcome, self._stopping
        self._job = None
        self.total = self.at = 0
        self.tell()
        if outcome.spans:
            self._may_undo(Many(job.kind, tuple(outcome.spans), outcome.changed))
        said = [_("Stopped.")] if stopped else []
        if problem is not None:
            said.append(problem.title)
        if not (stopped or problem) or outcome.changed:
            said.append(job.done(outcome))
        if problem is not None and problem.hint:
            said.append(problem.hint)
        self._told(sentences(*said), undoes=bool(outcome.spans))


class _Taking:
    """Rowids of a selection, some at a time."""

    def __init__(self, selection: Selection) -> None:
        self.selection = selection
        self._found = array("q")
        self._after: int | None = 0

    def next(self, store: Store, most: int) -> array[int]:
        """The next ones; none at the end."""
        while not self._found and self._after is not None:
            self._found, after = bulk.taken(store, self.selection, self._after)
            self._after = after or None
        some, self._found = self._found[:most], self._found[most:]
        return some


class _Doing:
    def __init__(self, selection: Selection, deed: Deed) -> None:
        self.kind, self.total = selection.kind, selection.count
        self._deed = deed
        self._taking = _Taking(selection)
        if deed is None:
            self.going = _("Deleting")
        else:
            self.going = _("Setting {field}").format(field=_(self.kind.by_name[deed.field].label))

    def piece(self, store: Store, most: int) -> tuple[int, Did] | None:
        rowids = self._taking.next(store, most)
        return (len(rowids), bulk.do(store, self.kind, rowids, self._deed)) if rowids else None

    def finish(self) -> None:
        """Every piece is in the store already."""

    leave = finish

    def done(self, outcome: Outcome) -> str:
        if self._deed is None:
            said = ngettext("{n} record deleted.", "{n} records deleted.", outcome.changed)
        else:
            said = ngettext("{field} set for {n} record.", "{field} set for {n} records.", outcome.changed)
        label = _(self.kind.by_name[self._deed.field].label) if self._deed is not None else ""
        return sentences(said.format(n=words.number(outcome.changed), field=label), *_rest(outcome))


class _Undoing:
    def __init__(self, act: Many) -> None:
        self.kind, self.total = act.kind, act.count
        self.going = _("Undoing")
        self._spans: list[Span] = list(act.spans)

    def piece(self, store: Store, most: int) -> tuple[int, Did] | None:
        if not self._spans:
            return None
        span = self._spans.pop()
        did, rest = bulk.undo(store, span, most)
        if rest is not None:
            self._spans.append(rest)
        return span[2] - (rest[2] if rest is not None else span[1] - 1), did

    def finish(self) -> None:
        """Every piece is in the store already."""

    leave = finish

    def done(self, outcome: Outcome) -> str:
        said = ngettext("Undone for {n} record.", "Undone for {n} records.", outcome.changed)
        same = outcome.same
        outcome.same = 0
        more = ngettext("{n} was changed since and stays.", "{n} were changed since and stay.", same)
        rest = [more.format(n=words.number(same))] if same else []
        return sentences(said.format(n=words.number(outcome.changed)), *rest, *_rest(outcome))


class _Exporting:
    def __init__(self, selection: Selection, path: Path) -> None:
        self.kind, self.total = selection.kind, selection.count
        self.going = _("Exporting")
        self._path = path
        self._taking = _Taking(selection)
        self._file: SelectedFile | None = None
        self._written = 0

    def piece(self, store: Store, most: int) -> tuple[int, Did] | None:
        if self._file is None:
            from app.services.exchange.selected import SelectedFile  # reading and writing files is large

            self._file = SelectedFile(self.kind, self._path)
        rowids = self._taking.next(store, most)
        if not rowids:
            return None
        self._written += self._file.write(store, rowids)
        return len(rowids), Did()

    def finish(self) -> None:
        if self._file is not None:
            self._file.finish()

    def leave(self) -> None:
        if self._file is not None:
            self._file.leave()

    def done(self, _outcome: Outcome) -> str:
        said = ngettext("{n} record written to the file.", "{n} records written to the file.", self._written)
        return said.format(n=words.number(self._written))


def _rest(outcome: Outcome) -> list[str]:
    """What else there is to say: those that were so already, those left and why."""
    said = []
    if outcome.same:
        text = ngettext("{n} was so already.", "{n} were so already.", outcome.same)
        said.append(text.format(n=words.number(outcome.same)))
    said += [left_words(count, why) for why, count in _most(outcome.left)]
    return said


def left_words(count: int, why: str) -> str:
    """That some records were left as they are, and why."""
    text = ngettext("{n} was left: {why}", "{n} were left: {why}", count)
    return text.format(n=words.number(count), why=why)


def _most(left: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(left.items(), key=lambda each: -each[1])[:3]

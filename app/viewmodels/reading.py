"""What screens read from the store, shaped on the store's own thread: list rows, found rows, names for references.

Every function here takes the store first and runs through `Session.call`, never on the screen's thread.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from app.store import duplicates, indexing, lists, records, search
from app.store.asking import Asking
from app.store.conflicts import attention_count, open_count
from app.store.reader import Reader
from app.store.records import Record
from app.viewmodels import words
from sync.protocol.fields import Choice, Date, Field, Instant, Money, Ref
from sync.protocol.ids import id_text
from sync.protocol.kinds import KINDS, Kind
from sync.protocol.quiet import Quiet
from sync.protocol.texts import gettext as _

FOUND_FIRST = 30  # hits shown at once: a screen full of rows
FOUND_MAX = 200  # hits shown; more letters find better than more rows


class RowText(Quiet, frozen=True):
    """What one list row says; `word` is in the tone of `alarm` ("plain" or "warn")."""

    title: str
    second: str = ""
    right: str = ""
    figure: str = ""
    word: str = ""
    alarm: str = "warn"


class Shown(Quiet, frozen=True):
    """A record's place in a list: which record, and what its row says."""

    kind: str
    id: bytes
    text: RowText


class Titles:
    """Titles of records by id, each read once."""

    def __init__(self, store: Reader) -> None:
        self._store = store
        self._known: dict[bytes, str] = {}

    def __call__(self, id_: bytes) -> str:
        """The title; a dash when the record is not on this device."""
        if id_ not in self._known:
            self._known[id_] = lists.name_of(self._store, id_) or words.DASH
        return self._known[id_]


def ids(store: Reader, kind: Kind, where: Mapping[str, str], order: str) -> array[int]:
    """The rowids of a list, in order."""
    return lists.ids(store, kind, where, order)


def rows(store: Reader, kind: Kind, rowids: Sequence[int], now_ms: int) -> dict[int, Shown]:
    """What these rows say, by rowid; those that are gone are left out."""
    found = lists.by_rowids(store, kind, rowids)
    if len(found) == len(rowids):
        pairs: Iterable[tuple[int, Record]] = zip(rowids, found, strict=True)
    else:
        pairs = [(rowid, one[0]) for rowid in rowids if (one := lists.by_rowids(store, kind, [rowid]))]
    titles = Titles(store)
    there = list(pairs)
    marked = duplicates.marked(store, [record.id for _rowid, record in there]) if kind.alike else ()
    return {rowid: shown(record, titles, now_ms, doubled=record.id in marked) for rowid, record in there}


def shown(
    record: Record, titles: Titles, now_ms: int, *, with_kind: bool = False, doubled: bool = False
) -> Shown:
    """A record as a row; `with_kind` puts the kind first in the second line, for lists of several kinds."""
    kind = record.kind
    second = [_(kind.label)] if with_kind else []
    second += [words.brief(kind.by_name[n], record.values.get(n), titles, now_ms) for n in kind.subtitle]
    side = kind.by_name.get(kind.side)
    figure = words.brief(side, record.values.get(kind.side), titles, now_ms) if side else ""
    word, alarm = standing(record, doubled=doubled)
    text = RowText(
        title=title(record),
        second=words.DOT.join(part for part in second if part),
        right=words.ago(record.changed_ms, now_ms),
        figure=figure,
        word=word,
        alarm=alarm,
    )
    return Shown(kind.name, record.id, text)


def title(record: Record) -> str:
    """A record's title in words: a choice by its label."""
    field = record.kind.by_name[record.kind.title]
    held = record.values.get(field.name)
    if isinstance(field.type, Choice) and held is not None:
        return field.type.label(held)
    return record.title or _("Without a name")


def standing(record: Record, *, doubled: bool = False) -> tuple[str, str]:
    """The word that a row shows, and its tone: what waits to be sent, then that edits of it met, then that it is
    `doubled`: another record seems to be about the same.

    Nothing can be done about two values but look at them and write the right one, so they alarm nobody for ever.
    """
    if record.waiting:
        return _("waiting"), "warn"
    if record.conflicts:
        return _("conflict"), "plain"
    return (_("duplicate?"), "plain") if doubled else ("", "warn")


def find(
    store: Reader,
    text: str,
    now_ms: int,
    limit: int = FOUND_MAX,
    asking: Asking | None = None,
    *,
    glance: bool = False,
) -> list[Shown]:
    """What a search over all kinds finds, as `search.find` gives it. Raises Stopped once `asking` is taken back."""
    with (asking or Asking()).under_way(store.db):
        hits = search.find(store, text, limit=limit, glance=glance)
        titles = Titles(store)
        found = []
        for hit in hits:
            row = shown(hit.record, titles, now_ms, with_kind=True)
            place = _where_found(hit, titles, now_ms)
            if place:
                row = Shown(row.kind, row.id, _with_second(row.text, place))
            found.append(row)
        return found


def prepared(store: Reader) -> int:
    """How much of the book is in search, in per cent: less than 100 only for some time after an update."""
    missing, whole = indexing.left(store)
    return 100 if not missing else 100 * (whole - missing) // whole


def preparing(prepared: int) -> str:
    """What to say while search does not look in the whole book yet; "" once it does."""
    if prepared >= 100:
        return ""
    return _("Search is being prepared: {share} %").format(share=prepared)


def glance(store: Reader, text: str, now_ms: int, asking: Asking) -> list[Shown]:
    """The first of what `find` finds, while one types: nothing only when there is nothing."""
    return find(store, text, now_ms, FOUND_FIRST, asking, glance=True)


def _where_found(hit: search.Hit, titles: Titles, now_ms: int) -> str:
    """The text of a field that is in neither line of the row, when more was found there than in them."""
    kind = hit.record.kind
    if not hit.fields or hit.fields[0] in (kind.title, *kind.subtitle):
        return ""
    field = kind.by_name[hit.fields[0]]
    text = words.value(field, hit.record.values.get(field.name), titles)
    return f"{_(kind.label)}{words.DOT}{_(field.label)}: {' '.join(text.split())[:120]}"


def _with_second(text: RowText, second: str) -> RowText:
    return RowText(text.title, second, text.right, text.figure, text.word, text.alarm)


def rowid_of(store: Reader, kind: Kind, id_: bytes) -> int | None:
    """The rowid of a record, None when it is not here."""
    return lists.rowid_of(store, kind, id_)


class Counts(msgspec.Struct, frozen=True):
    """How many records of each kind are kept, how many conflicts are open, how many changes were not accepted.

    `due` says how many tasks of this person are due by today, `unsent` how many changes wait to be sent, `pairs` how
    many pairs of records seem to be one.
    """

    kinds: Mapping[str, int]
    conflicts: int
    refused: int
    due: int = 0
    unsent: int = 0
    pairs: int = 0


def counts(store: Reader, now_ms: int, has_tasks: bool = True) -> Counts:
    """The figures of the rail."""
    from app.viewmodels import day  # nobody waits for them before the first list

    words.warm()  # what writes them is loaded here, and not in the thread of the screen
    due = day.due(store, now_ms) if has_tasks else 0
    return Counts(
        store.counts(),
        open_count(store),
        attention_count(store),
        due,
        store.unsent(),
        duplicates.count(store),
    )


class Sheet(Quiet, frozen=True):
    """A record with the names that its references need."""

    record: Record
    names: Mapping[bytes, str]


def sheet(store: Reader, id_: bytes) -> Sheet:
    """A record for its form. Raises NotFound."""
    return sheet_of(store, records.get(store, id_))


def sheet_of(store: Reader, record: Record) -> Sheet:
    """A record that was just read or written, for its form."""
    titles = Titles(store)
    names = {
        held: titles(held)
        for field in record.kind.fields
        if isinstance(field.type, Ref) and (held := record.values.get(field.name)) is not None
    }
    return Sheet(record, names)


class Proposal(Quiet, frozen=True):
    """A record that a reference may point to."""

    id: bytes
    title: str
    second: str


def proposals(store: Reader, kind: Kind, text: str, limit: int = 8) -> list[Proposal]:
    """Records of a kind that a person may mean; the last changed ones while nothing is typed."""
    titles = Titles(store)
    if text.strip():
        found = [hit.record for hit in search.find(store, text, kinds=(kind,), limit=limit)]
    else:
        found = lists.page(store, kind, order="-changed", limit=limit).records
    return [Proposal(record.id, title(record), _second(record, titles)) for record in found]


def _second(record: Record, titles: Titles) -> str:
    kind = record.kind
    parts = (words.brief(kind.by_name[name], record.values.get(name), titles, 0) for name in kind.subtitle)
    return words.DOT.join(part for part in parts if part)


def referring(kind: Kind) -> list[tuple[Kind, Field]]:
    """Kinds that point to records of this kind, and by which field, in the order of the rail."""
    found: list[tuple[Kind, Field]] = []
    for other in in_order():
        if other is not kind:
            found += [(other, f) for f in other.fields if isinstance(f.type, Ref) and f.type.to == kind.name]
    return found


def where_referring(kind: Kind, record: Record) -> dict[str, str]:
    """The filter for records of a kind that refer to a record."""
    fields = {other.name: by.name for other, by in referring(record.kind)}
    return {fields[kind.name]: id_text(record.id)}


def orders(kind: Kind) -> list[str]:
    """The orders that a list offers, the one it begins with first; sums and moments begin with the largest."""
    side = kind.by_name.get(kind.side)
    offered = ["", "-changed"]
    if side is None:
        return offered
    if isinstance(side.type, (Date, Instant)):
        return [f"-{side.name}" if isinstance(side.type, Instant) else side.name, *offered]
    return [*offered, f"-{side.name}" if isinstance(side.type, Money) else side.name]


def in_order() -> list[Kind]:
    """All kinds in the order of the rail."""
    return sorted(KINDS.values(), key=lambda kind: kind.order)

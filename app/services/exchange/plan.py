"""What an import would do, decided whole before a byte is written: `prepare` reads, decides and reports."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from app.services.exchange import words
from app.services.exchange.circles import leave_open
from app.services.exchange.columns import decide
from app.services.exchange.dictionary import describes, with_units
from app.services.exchange.mapping import Mapping as ColumnMap
from app.services.exchange.mapping import choose, people_beside
from app.services.exchange.ports import Catalogue
from app.services.exchange.progress import PIECE, Stage, Told, quiet
from app.services.exchange.read import Table, read_all
from app.services.exchange.relate import Index, Mentions, in_order, know, resolve
from app.services.exchange.report import FileReport, Finding, Gathered, Level, Report, State
from app.services.exchange.rows import Builder, Draft
from app.services.exchange.same import Known, differing, missing
from app.services.exchange.unreadable import EmptyFile, Unreadable
from sync.protocol.fields import TEXT_MAX, Ref, Value
from sync.protocol.kinds import KINDS, Kind
from sync.protocol.money import DEFAULT_CURRENCY
from sync.protocol.texts import gettext as _

TABLES: Final = (".csv", ".tsv", ".tab", ".psv", ".ssv", ".xlsx", ".xlsm")  # looked at when a folder is given
SHEETS: Final = (".xls", ".ods")


@dataclass(frozen=True, slots=True)
class Step:
    """One record to add, or the empty fields of one that is there to fill."""

    kind: Kind
    record: bytes
    values: Mapping[str, Value]
    new: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of an import, in the order in which they are done, and what is to be said about the files.

    `seen` is the turn of each kind's records for which the plan was made.
    """

    steps: tuple[Step, ...]
    files: tuple[FileReport, ...]
    seen: Mapping[str, int]

    def report(self, *, done: bool = False) -> Report:
        """What the import brings, or brought."""
        return Report(self.files, done)


@dataclass(slots=True)
class _File:
    """A file on its way through the plan."""

    name: str
    state: State = State.READ
    reason: str = ""
    table: Table | None = None
    mapping: ColumnMap | None = None
    rows: int = 0
    drafts: list[Draft] = field(default_factory=list)  # a row each, later those alone that are records
    headings: dict[str, str] = field(default_factory=dict)  # by field
    gathered: Gathered = field(default_factory=Gathered)
    added: int = 0
    updated: int = 0
    here: int = 0
    skipped: int = 0
    passed: bool = False  # something else that lies in the same folder


def prepare(
    paths: Sequence[Path],
    book: Catalogue,
    *,
    kind: Kind | None = None,
    today: dt.date,
    currency: str = DEFAULT_CURRENCY,
    told: Told = quiet,
    headings: bool | None = None,
    sheets: Sequence[str] = (),
) -> Plan:
    """The plan for some files, or for the tables of a folder; nothing is written.

    `headings` says whether the first row is one of headings, None that the content tells; `sheets` names those of
    workbooks that are read, where it is not all of them.

    `kind` names the kind where the files do not tell it; `today` settles years of two digits; `currency` is
    taken where a file names none. Files that cannot be read are in the report as refused. `told` hears how far it
    is; what it raises ends the plan.
    """
    files = [
        file
        for path, found in _expanded(paths)
        for file in _opened(path, kind, partial(read_all, headings=headings, only=sheets), found)
    ]
    _find_dictionaries(files)
    for file in files:
        _leave_hidden_out(file, book)
    taken = [file for file in files if file.mapping is not None]
    _build(taken, today, currency, told)
    kinds = in_order(_with_targets(file.mapping.kind for file in taken if file.mapping is not None))
    seen = {each.name: book.turn(each) for each in kinds}
    work = _Work(book, told, sum(len(file.drafts) for file in taken))
    steps: list[Step] = []
    for each in kinds:
        own = [file for file in taken if file.mapping is not None and file.mapping.kind is each]
        steps += _of_kind(each, own, taken, work)
    return Plan(tuple(steps), tuple(_reported(file) for file in files), seen)


@dataclass(slots=True)
class _Work:
    """What the kinds share on the way through the plan: the book, what is known of it, and how far it is."""

    book: Catalogue
    told: Told
    total: int
    at: int = 0
    indexes: dict[str, Index] = field(default_factory=dict)

    def done(self, count: int) -> None:
        """So many rows more."""
        self.at += count
        self.told(Stage.COMPARING, self.at, self.total)


def _build(files: Sequence[_File], today: dt.date, currency: str, told: Told) -> None:
    """Turn the rows of the files into drafts and let go of the tables, which are large."""
    total, at = sum(len(file.table.rows) for file in files if file.table is not None), 0
    for file in files:
        assert file.table is not None and file.mapping is not None  # noqa: S101 - the caller has looked
        file.headings = {c.field.name: c.heading for c in file.mapping.columns if c.field is not None}
        decisions = decide(file.table, file.mapping, today=today, currency=currency)
        file.gathered.order.extend((*file.table.findings, *decisions.findings))
        builder = Builder(file.mapping, decisions, file.gathered)
        for begin in range(0, len(file.table.rows), PIECE):
            told(Stage.READING, at + begin, total)
            file.drafts += builder.build(file.table.rows[begin : begin + PIECE])
        at += len(file.table.rows)
        file.skipped += builder.skipped + file.table.left_out
        file.rows = len(file.table.rows) + file.table.left_out
        file.table = replace(file.table, rows=())


def _expanded(paths: Sequence[Path]) -> Iterable[tuple[Path, bool]]:
    """The files that are meant, and whether one was only found: a folder stands for the visible files in it."""
    for path in paths:
        if path.is_dir():
            inside = (p for p in path.iterdir() if p.is_file() and not p.name.startswith("."))
            yield from ((p, True) for p in sorted(inside))
        else:
            yield path, False


def _opened(path: Path, kind: Kind | None, read: Callable[[Path], list[Table]], found: bool) -> list[_File]:
    """The tables of a file as read and mapped, or with the reason why not; `found` in a folder, nobody named it."""
    try:
        tables = read(path)
    except Unreadable as problem:
        if found and isinstance(problem, EmptyFile):
            return [_File(path.name, State.LEFT_OUT, problem.title)]
        refused = path.suffix.casefold() in TABLES
        told = refused or path.suffix.casefold() in SHEETS  # a next step that helps
        reason = str(problem) if told else words.reason("no_table")
        return [_File(path.name, State.REFUSED if refused else State.LEFT_OUT, reason, passed=found > told)]
    files = [file for table in tables for file in _mapped(path, table, kind)]
    for file in files:
        file.passed = found and file.mapping is None and path.suffix.casefold() not in TABLES
    return files


def _mapped(path: Path, table: Table, kind: Kind | None) -> list[_File]:
    """A table with what its columns mean, and once more with the people it names beside its customers."""
    name = f"{path.name} · {table.sheet}" if table.sheet else path.name
    chosen = choose(table, kind=kind)
    if chosen.mapping is None:
        known = path.suffix.casefold() in (*TABLES, ".txt")
        reason = words.reason(chosen.reason if known else "no_table")
        return [_File(name, State.LEFT_OUT, reason, table)]
    if kind is not None or (found := people_beside(chosen.mapping, table)) is None:
        return [_File(name, table=table, mapping=chosen.mapping)]
    customers, people, named = found
    return [_File(name, table=table, mapping=customers), _File(name, table=named, mapping=people)]


def _find_dictionaries(files: list[_File]) -> None:
    """Say of a file that lists the headings and names of the others that it describes them, and believe its units."""
    for file in files:
        if file.table is None or file.mapping is not None:
            continue
        others = [other for other in files if other is not file]
        tables = [other.table for other in others if other.table is not None]
        if not describes(file.table, tables):
            continue
        file.reason = words.reason("dictionary")
        for other in others:
            if other.table is not None and other.mapping is not None:
                other.mapping = with_units(other.mapping, other.table, file.table, tables)


def _leave_hidden_out(file: _File, book: Catalogue) -> None:
    """Take no column of a field that is hidden from this device's person, and no file whose records need one."""
    mapping = file.mapping
    if mapping is None or not (hidden := book.hidden(mapping.kind)):
        return
    if any(field.required and field.name in hidden for field in mapping.kind.fields):
        file.mapping, file.state, file.reason = None, State.REFUSED, words.reason("hidden")
        return
    left = [each for each in mapping.columns if each.field is not None and each.field.name in hidden]
    kept = tuple(each for each in mapping.columns if each not in left)
    file.mapping = replace(mapping, columns=kept)
    said = _("This field is hidden on this device: the column was not taken.")
    file.gathered.order.extend(Finding(said, column=each.heading) for each in left)


def _with_targets(kinds: Iterable[Kind]) -> set[Kind]:
    """Kinds and those that their records may point to."""
    found: dict[str, Kind] = {}
    for kind in kinds:
        found[kind.name] = kind
        for each in kind.fields:
            if isinstance(each.type, Ref):
                found[each.type.to] = KINDS[each.type.to]
    return set(found.values())


def _of_kind(kind: Kind, files: Sequence[_File], every: Sequence[_File], work: _Work) -> list[Step]:
    """The steps for the files of one kind; kinds that it points to are in the indexes already."""
    indexes = work.indexes
    for name in {each.type.to for each in kind.fields if isinstance(each.type, Ref)} - {kind.name}:
        if texts := _texts(files, name):
            know(indexes[name], work.book, KINDS[name], Mentions(texts=texts))
    for file in files:
        for draft in file.drafts:
            resolve(kind, draft, indexes, file.gathered, file.headings, own=False)
            if kind.title not in draft.values:
                _name_deal(kind, draft, indexes, file.gathered)
    index = indexes[kind.name] = Index()
    know(index, work.book, kind, _mentions(kind, files, every))
    known = Known(kind, index, work.book)
    drafts: list[tuple[_File, Draft]] = []
    for file in files:
        rows, file.drafts = file.drafts, []
        for begin in range(0, len(rows), PIECE):
            some = rows[begin : begin + PIECE]
            known.read_ahead(some)
            for draft in some:
                earlier = known.settle(draft)
                if earlier is not None:
                    _repeat(kind, file, draft, earlier)
                else:
                    drafts.append((file, draft))
            work.done(len(some))
    if any(isinstance(each.type, Ref) and each.type.to == kind.name for each in kind.fields):
        know(index, work.book, kind, Mentions(texts=_texts(files, kind.name, drafts)))
        for file, draft in drafts:
            resolve(kind, draft, indexes, file.gathered, file.headings, own=True)
        leave_open(kind, [(draft, file.headings) for file, draft in drafts], work.book)
    return _targets_first(kind, [step for file, draft in drafts for step in _steps(kind, file, draft)])


def _mentions(kind: Kind, files: Sequence[_File], every: Sequence[_File]) -> Mentions:
    """What all files say of the records of a kind."""
    own = [draft for file in files for draft in file.drafts]
    return Mentions(
        titles=frozenset(draft.values[kind.title] for draft in own),
        numbers=frozenset(n for draft in own if (n := draft.values.get("number"))),
        ids=frozenset(draft.own_id for draft in own if draft.own_id is not None),
        texts=_texts(every, kind.name),
    )


def _texts(
    files: Iterable[_File], target: str, drafts: Iterable[tuple[_File, Draft]] | None = None
) -> frozenset[str]:
    """The texts by which rows refer to records of a kind; of `drafts` where they are given."""
    found: set[str] = set()
    for file in files:
        assert file.mapping is not None  # noqa: S101 - the caller has looked
        names = [f.name for f in file.mapping.kind.fields if isinstance(f.type, Ref) and f.type.to == target]
        own = file.drafts if drafts is None else (draft for its, draft in drafts if its is file)
        found.update(
            text for draft in own if draft.references for n in names if (text := draft.references.get(n))
        )
    return frozenset(found)


def _name_deal(kind: Kind, draft: Draft, indexes: dict[str, Index], gathered: Gathered) -> None:
    """A title from product and customer, or from one of them and the number: "GTX Plus Basic · Cancity"."""
    product, customer = draft.values.get("product"), draft.values.get("customer")
    parts = [
        indexes["product"].titles[product] if product else draft.references.get("product"),
        indexes["customer"].titles[customer] if customer else draft.references.get("customer"),
    ]
    if not all(parts):
        parts.append(draft.values.get("number"))
    title = " · ".join(part for part in parts if part)
    draft.values[kind.title] = title[:TEXT_MAX].rstrip()
    gathered.again(_("Without a name: named after product, customer or number."), Level.NOTE, draft.number)


def _repeat(kind: Kind, file: _File, draft: Draft, earlier: Draft) -> None:
    """A row that means the record of an earlier row: it fills what that row left empty."""
    file.here += 1
    file.gathered.again(_("The same record as an earlier row."), Level.NOTE, draft.number)
    for name in differing(kind, draft.values, earlier.values):
        problem = _("An earlier row has this number and another value, which was taken.")
        file.gathered.again(problem, Level.PROBLEM, draft.number, _(kind.by_name[name].label))
    _tell_lacks(file, draft, earlier.values, earlier.before)
    earlier.values.update(missing(draft.values, earlier.values))
    for name, text in draft.references.items():
        earlier.references.setdefault(name, text)


def _steps(kind: Kind, file: _File, draft: Draft) -> list[Step]:
    """What is done for a draft: add it, fill what is empty, or nothing."""
    _tell_lacks(file, draft, draft.values, draft.before)
    if draft.namesake:
        note = _("An earlier row has this name too, and is another record: both come in.")
        file.gathered.again(note, Level.NOTE, draft.number)
    if draft.before is None:
        file.added += 1
        return [Step(kind, draft.id, draft.values, new=True)]
    labels = [_(kind.by_name[name].label) for name in differing(kind, draft.values, draft.before)]
    for label in labels:
        problem = _("Already here with another value, which stays.")
        file.gathered.again(problem, Level.NOTE, draft.number, label)
    filled = missing(draft.values, draft.before)
    if not filled:
        file.here += 1
        return []
    file.updated += 1
    for name in filled:
        note = _("Already here: the empty field was filled.")
        file.gathered.again(note, Level.NOTE, draft.number, _(kind.by_name[name].label))
    return [Step(kind, draft.id, filled, new=False)]


def _tell_lacks(
    file: _File, draft: Draft, values: Mapping[str, Value], before: Mapping[str, Value] | None
) -> None:
    """Say which cells of a row were not taken, now that it is known what stands instead."""
    for lack in draft.lacks:
        said = lack.said(values, before)
        file.gathered.again(said, Level.PROBLEM, draft.number, lack.column, lack.value)


def _targets_first(kind: Kind, steps: list[Step]) -> list[Step]:
    """New records after those of their own kind that they point to."""
    own = [f.name for f in kind.fields if isinstance(f.type, Ref) and f.type.to == kind.name]
    if not own:
        return steps
    by_id = {step.record: step for step in steps}
    done: dict[bytes, Step] = {}
    for step in steps:
        chain = [step]
        while True:
            target = next(
                (by_id[t] for n in own if (t := chain[-1].values.get(n)) in by_id and t not in done), None
            )
            if target is None or target in chain:
                break
            chain.append(target)
        done |= {each.record: each for each in reversed(chain) if each.record not in done}
    return list(done.values())


def _reported(file: _File) -> FileReport:
    """What is to be said about one file."""
    report = FileReport(file.name, file.state, file.reason, passed=file.passed)
    if file.table is None or file.mapping is None:
        return report
    path: Callable[[str, str], str] = lambda name, part: f"{name}.{part}" if part else name  # noqa: E731
    taken = tuple(
        (c.heading, path(c.field.name, c.part)) for c in file.mapping.columns if c.field is not None
    )
    doubled = tuple(
        Finding(
            _("Left out: “{other}” is taken for the same field.").format(other=kept),
            Level.NOTE,
            column=heading,
        )
        for heading, kept in file.mapping.doubled
    )
    return replace(
        report, encoding=file.table.encoding, delimiter=file.table.delimiter, kind=file.mapping.kind, rows=file.rows,
        added=file.added, updated=file.updated, here=file.here, skipped=file.skipped, columns=taken,
        unmapped=file.mapping.unmapped, findings=(*doubled, *file.gathered.all()),
    )  # fmt: skip

"""What the palette offers for a text: where to go, what to do, what to make; pure but for the tables it reads.

A command answers to its English and its translated name. The groups stand in the order of their best answer:
a name that is the text, one that begins so, one that holds its parts; at the same rank go before do before make.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Final

from app.commands import BY_ID, COMMANDS, DO, GO, PALETTE, Command, Now
from app.store.words import fold_key, paired, terms
from app.viewmodels.opened import Uses
from app.viewmodels.reading import Shown, in_order
from sync.protocol.errors import FieldProblem
from sync.protocol.kinds import KINDS, Kind
from sync.protocol.quiet import Quiet
from sync.protocol.texts import gettext as _
from sync.protocol.texts import mark as N_

RECORDS_MAX: Final = 8
COMMANDS_MAX: Final = 6
MAKE: Final = N_("Make")
LAST: Final = N_("Opened last")

SAME, BEGINS, PART, ANY = range(4)
NEVER: Final = 9
_NEW: Final = "new"

_Folded = tuple[str, tuple[str, ...]]  # a name as search folds it, and its words


class Act(StrEnum):
    """What happens when an offer is taken."""

    OPEN = "open"  # show the record `kind`/`id`
    RUN = "run"  # run the command
    MAKE = "make"  # begin a record of `kind`, `text` being its title ("": none)


class Offer(Quiet, frozen=True):
    """One answer of the palette."""

    act: Act
    group: str
    title: str
    second: str = ""
    icon: str = ""
    command: Command | None = None  # the one to run, or whose keys do the same
    kind: str = ""
    id: bytes = b""
    text: str = ""

    def same(self) -> tuple[str, str, bytes]:
        """What tells an offer from all others of its time."""
        return self.act, self.kind or (self.command.id if self.command else ""), self.id


def offers(text: str, now: Now, found: Sequence[Shown], uses: Uses) -> tuple[Offer, ...]:
    """Everything that answers to a text, best group first; `found` are the records that the store has found."""
    sections = _commands(text, now, uses, sections=True)
    ranked = [each for each in sections if each[0] <= BEGINS]
    ranked += [(min(_rank_record(text, each), PART), record(each)) for each in found[:RECORDS_MAX]]
    ranked += [each for each in sections if each[0] > BEGINS]
    ranked += _commands(text, now, uses, sections=False)
    ranked += _make(text, now)
    groups: dict[str, list[tuple[int, Offer]]] = {GO: [], DO: [], MAKE: []}
    for rank, offer in ranked:
        groups[offer.group].append((rank, offer))
    best = sorted(
        (group for group in groups.values() if group), key=lambda group: min(rank for rank, _offer in group)
    )
    return tuple(offer for group in best for _best, offer in group)


def beginning(last: Iterable[Shown], now: Now, uses: Uses) -> tuple[Offer, ...]:
    """What stands there before anything is typed: the records opened last, or what can be done."""
    records = tuple(record(each, LAST) for each in last)
    return records or tuple(_offer(each) for each in _possible(now, uses))


def record(shown: Shown, group: str = GO) -> Offer:
    """A record to go to."""
    kind = KINDS[shown.kind]
    return Offer(
        Act.OPEN, group, shown.text.title, shown.text.second, kind.icon, kind=shown.kind, id=shown.id
    )


def _commands(text: str, now: Now, uses: Uses, *, sections: bool) -> list[tuple[int, Offer]]:
    found = [
        (rank, _offer(command))
        for command in _possible(now, uses)
        if (command.group == GO) is sections
        and (rank := _rank(text, (command.title, _(command.title)), _also(command))) != NEVER
    ]
    return sorted(found, key=lambda each: each[0])[:COMMANDS_MAX]


def _possible(now: Now, uses: Uses) -> list[Command]:
    """What can be done now, in order of use; a new record is offered by its kind."""
    possible = (each for each in COMMANDS if each.id not in (PALETTE, _NEW) and each.possible(now))
    return sorted(possible, key=lambda command: uses.rank(command.id))


def _offer(command: Command) -> Offer:
    group = GO if command.group == GO else DO
    return Offer(Act.RUN, group, _(command.title), icon=command.icon, command=command)


def _make(text: str, now: Now) -> list[tuple[int, Offer]]:
    """A new record of each kind: by the words for that, or with the text as its title."""
    found: list[tuple[int, Offer]] = []
    if not now.changes:
        return found
    for kind in sorted(in_order(), key=lambda kind: kind.name != now.section):
        if kind.from_file:
            continue  # it is attached to a record, on that record's page
        rank = _rank(text, _names_of_new(kind), _split(BY_ID[_NEW].also))
        title = "" if rank != NEVER else _title(kind, text)
        if rank == NEVER and not title:
            continue
        name = _(kind.label).lower()
        shown = _("New {kind}").format(kind=name)
        if title:
            shown = _("New {kind} “{title}”").format(kind=name, title=title)
        same_keys = BY_ID[_NEW] if kind.name == now.section and not title else None
        offer = Offer(Act.MAKE, MAKE, shown, icon="plus", command=same_keys, kind=kind.name, text=title)
        found.append((min(rank, ANY), offer))
    return sorted(found, key=lambda each: each[0])


def _title(kind: Kind, text: str) -> str:
    """The text as a title of that kind in words; "" when it can be none."""
    field = kind.by_name[kind.title]
    line = " ".join(text.split())
    try:
        value = field.type.parse(field.name, line)
    except FieldProblem:
        return ""
    return line if value is not None else ""


def _also(command: Command) -> tuple[str, ...]:
    """More words for a command, in both languages; a section has those of its kind."""
    kind = KINDS.get(command.id.removeprefix("go_"))
    more = (kind.label, _(kind.label), *_split(kind.synonyms)) if kind is not None else ()
    return (*_split(command.also), *more)


def _split(also: str) -> tuple[str, ...]:
    return tuple(word for words in (also, _(also)) for word in words.split("; ")) if also else ()


def _names_of_new(kind: Kind) -> tuple[str, str]:
    return f"New {kind.label}", _("New {kind}").format(kind=_(kind.label))


def _rank(text: str, names: Iterable[str], also: Iterable[str] = ()) -> int:
    """How well a text names a command or kind; of the words beside the names, only beginnings count."""
    return _rank_folded(text, [_known(name) for name in names], [_known(name) for name in also])


def _rank_record(text: str, shown: Shown) -> int:
    """How well a text names a record, whose title is kept nowhere."""
    return _rank_folded(text, [_folded(shown.text.title)], [])


def _rank_folded(text: str, folded: Sequence[_Folded], also: Sequence[_Folded]) -> int:
    whole = fold_key(text)
    wanted = terms(whole)
    if not wanted:
        return NEVER
    if any(name == whole for name, _words in folded):
        return SAME
    if any(name.startswith(whole) for name, _words in folded):
        return BEGINS
    there = [word for _name, words in folded for word in words]
    more = [word for _name, words in also for word in words]
    named = all(
        any(_part(term, word) for word in there) or any(word.startswith(term) for word in more)
        for term in wanted
    )
    return PART if named else NEVER


def _part(term: str, word: str) -> bool:
    """One letter of an alphabet says too little to be looked for inside a word."""
    return term in word if paired(term) or len(term) > 1 else word.startswith(term)


def _folded(name: str) -> _Folded:
    key = fold_key(name)
    return key, tuple(terms(key))


_known = lru_cache(maxsize=1024)(_folded)  # of our own names alone: it outlives a lock

"""Which record a text means: by our id, by title, by number, and at last by the title without spaces and signs.

Records of the book and those to come are in one index, so that files may name each other's records.
"""

from __future__ import annotations

import enum
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from app.services.exchange.ports import Book
from app.services.exchange.report import Gathered, Level
from app.services.exchange.rows import Draft
from sync.protocol.fields import Ref
from sync.protocol.ids import parse_id
from sync.protocol.kinds import KINDS, Kind, same_header
from sync.protocol.texts import gettext as _


class How(enum.Enum):
    """How a reference was understood."""

    EXACT = enum.auto()
    FOLDED = enum.auto()  # only without spaces and signs: told as a correction
    SEVERAL = enum.auto()  # more than one record fits: none is taken
    NONE = enum.auto()


@dataclass(slots=True)
class Index:
    """The records of one kind by what may name them."""

    titles: dict[bytes, str] = field(default_factory=dict)
    numbers: dict[str, list[bytes]] = field(default_factory=dict)
    by_title: dict[str, list[bytes]] = field(default_factory=dict)
    by_light: dict[str, list[bytes]] = field(default_factory=dict)
    by_fold: dict[str, list[bytes]] = field(default_factory=dict)
    _unfolded: list[bytes] = field(
        default_factory=list
    )  # folding is dear, and most kinds are never pointed to
    own: dict[bytes, bytes] = field(default_factory=dict)  # our id in the file, and the id it became here

    def add(self, record: bytes, title: str, number: str | None) -> None:
        """Know one more record."""
        self.titles[record] = title
        self.by_title.setdefault(title, []).append(record)
        self.by_light.setdefault(light(title), []).append(record)
        self._unfolded.append(record)
        if number:
            self.numbers.setdefault(number, []).append(record)

    def find(self, text: str) -> tuple[bytes | None, How]:
        """The record that a text means."""
        for known, key in ((self.by_title, text), (self.numbers, text), (self.by_light, light(text))):
            if found := known.get(key):
                return (found[0], How.EXACT) if len(found) == 1 else (None, How.SEVERAL)
        try:
            own = parse_id(text)
        except ValueError:
            own = b""
        if own in self.own or own in self.titles:
            return self.own.get(own, own), How.EXACT
        for record in self._unfolded:
            self.by_fold.setdefault(same_header(self.titles[record]), []).append(record)
        self._unfolded.clear()
        if (fold := same_header(text)) and (found := self.by_fold.get(fold)):
            return (found[0], How.FOLDED) if len(found) == 1 else (None, How.SEVERAL)
        return None, How.NONE


def light(text: str) -> str:
    """A title without case, width and doubled spaces: what people take for the same name."""
    folded = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.split())


def index_of(book: Book, kind: Kind) -> Index:
    """The book's records of a kind."""
    index = Index()
    for record, title, number in book.titles(kind):
        index.add(record, title, number)
    return index


def in_order(kinds: Iterable[Kind]) -> list[Kind]:
    """Kinds so that what others point to comes first."""
    wanted = {kind.name for kind in kinds}
    graph = {
        kind.name: [f.type.to for f in kind.fields if isinstance(f.type, Ref) and f.type.to != kind.name]
        for kind in KINDS.values()
    }
    return [KINDS[name] for name in TopologicalSorter(graph).static_order() if name in wanted]


def resolve(
    kind: Kind,
    draft: Draft,
    indexes: dict[str, Index],
    gathered: Gathered,
    headings: dict[str, str],
    *,
    own: bool,
) -> None:
    """Put ids in the place of a draft's texts; `own` does the references to its own kind, else the others."""
    for name, text in draft.references.items():
        type_ = kind.by_name[name].type
        if not isinstance(type_, Ref) or (type_.to == kind.name) is not own:
            continue
        index = indexes[type_.to]
        found, how = index.find(text)
        heading, target = headings.get(name, name), _(KINDS[type_.to].label)
        if how is How.NONE:
            problem = _("No {kind} of this name or number: brought in without it.").format(kind=target)
            gathered.again(problem, Level.PROBLEM, draft.number, heading, text)
        elif how is How.SEVERAL:
            problem = _("More than one {kind} has this name: brought in without it.").format(kind=target)
            gathered.again(problem, Level.PROBLEM, draft.number, heading, text)
        elif found == draft.id and own:
            problem = _("The record points to itself: brought in without it.")
            gathered.again(problem, Level.PROBLEM, draft.number, heading, text)
        else:
            draft.values[name] = found
            if how is How.FOLDED and found is not None:
                note = _("Read as “{title}”.").format(title=index.titles[found])
                gathered.again(note, Level.CORRECTION, draft.number, heading, text)

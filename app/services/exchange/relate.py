"""Which record a text means: by our id, by title, by number, and at last by the title without spaces and signs.

Records of the book and those to come are in one index, so that files may name each other's records. Of the book
only those are read into it that a file may mean: a few rows for a book of a million do not read the million.
"""

from __future__ import annotations

import enum
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from app.services.exchange.ports import Catalogue, Named
from app.services.exchange.report import Gathered, Level
from app.services.exchange.rows import Draft, Lack
from sync.protocol.fields import Ref
from sync.protocol.ids import parse_id
from sync.protocol.kinds import KINDS, Kind, same_name
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
    numbered: set[bytes] = field(default_factory=set)  # those that have a number
    _looked: set[str] = field(default_factory=set)  # light titles that were asked for
    _sought: set[str] = field(
        default_factory=set
    )  # numbers and texts for which all of the book was looked through

    def add(self, record: bytes, title: str, number: str | None) -> None:
        """Know one more record."""
        self.titles[record] = title
        self.by_title.setdefault(title, []).append(record)
        self.by_light.setdefault(light(title), []).append(record)
        self._unfolded.append(record)
        if number:
            self.numbers.setdefault(number, []).append(record)
            self.numbered.add(record)

    def knows(self, text: str) -> bool:
        """Whether a text means one record or several, without folding it."""
        own = _own_id(text)
        known = text in self.by_title or text in self.numbers or light(text) in self.by_light
        return known or (own is not None and (own in self.own or own in self.titles))

    def find(self, text: str) -> tuple[bytes | None, How]:
        """The record that a text means."""
        for known, key in ((self.by_title, text), (self.numbers, text), (self.by_light, light(text))):
            if found := known.get(key):
                return (found[0], How.EXACT) if len(found) == 1 else (None, How.SEVERAL)
        own = _own_id(text)
        if own is not None and (own in self.own or own in self.titles):
            return self.own.get(own, own), How.EXACT
        for record in self._unfolded:
            self.by_fold.setdefault(same_name(self.titles[record]), []).append(record)
        self._unfolded.clear()
        if (fold := same_name(text)) and (found := self.by_fold.get(fold)):
            return (found[0], How.FOLDED) if len(found) == 1 else (None, How.SEVERAL)
        return None, How.NONE


@dataclass(frozen=True, slots=True)
class Mentions:
    """What files say of records of one kind: those that they bring, and texts that refer to one of any kind."""

    titles: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    ids: frozenset[bytes] = frozenset()
    texts: frozenset[str] = frozenset()


def know(index: Index, book: Catalogue, kind: Kind, said: Mentions) -> None:
    """Read those records of the book into the index that the files may mean."""
    brought = {light(title) for title in said.titles}
    lights = {title: light(title) for title in said.titles | said.texts}
    new = {title for title, as_light in lights.items() if as_light not in index._looked}
    index._looked.update(lights[title] for title in new)
    _take(index, book.titled(kind, new))
    ids = said.ids | {own for text in said.texts if (own := _own_id(text)) is not None}
    _take(index, book.named(kind, {own for own in ids if own not in index.titles}))
    vague = {text for text in said.texts if text not in index.by_title}
    numbers = {n for n in said.numbers | vague if n not in index._sought}
    folds = {
        same_name(text)
        for text in vague - index._sought
        if not (light(text) in brought or text in said.numbers or index.knows(text))
    } - {""}
    index._sought |= numbers | vague
    _take(index, book.numbered(kind, numbers))
    if folds:  # no index holds folded titles, so each record is looked at
        _take(index, (named for named in book.titles(kind) if same_name(named[1]) in folds))


def _take(index: Index, found: Iterable[Named]) -> None:
    for record, title, number in found:
        if record not in index.titles:
            index.add(record, title, number)


def _own_id(text: str) -> bytes | None:
    try:
        return parse_id(text)
    except ValueError:
        return None


def light(text: str) -> str:
    """A title without case, width and doubled spaces: what people take for the same name."""
    folded = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.split())


def index_of(book: Catalogue, kind: Kind) -> Index:
    """All records of a kind in the book."""
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
        heading, target = headings.get(name, name), _(KINDS[type_.to].label).lower()  # a word in a sentence
        if how is How.NONE:
            problem = _("No {kind} of this name or number.").format(kind=target)
            new = _("No {kind} of this name or number: brought in without it.").format(kind=target)
            draft.lacks += (Lack(name, problem, new, heading, text),)
        elif how is How.SEVERAL:
            problem = _("More than one {kind} has this name.").format(kind=target)
            new = _("More than one {kind} has this name: brought in without it.").format(kind=target)
            draft.lacks += (Lack(name, problem, new, heading, text),)
        elif found == draft.id and own:
            problem = _("The record points to itself.")
            new = _("The record points to itself: brought in without it.")
            draft.lacks += (Lack(name, problem, new, heading, text),)
        else:
            draft.values[name] = found
            if how is How.FOLDED and found is not None:
                note = _("Read as “{title}”.").format(title=index.titles[found])
                gathered.again(note, Level.CORRECTION, draft.number, heading, text)

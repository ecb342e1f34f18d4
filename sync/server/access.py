"""Who may see and edit which record; pure.

| role    | sees                                   | edits            |
| ------- | -------------------------------------- | ---------------- |
| rep     | own records and those of the team (1)  | what it sees     |
| office  | records of the team                    | what it sees     |
| manager | records of the team and teams below it | what it sees     |
| it      | nothing                                | nothing          |
| privacy | everything, masked                     | nothing          |

(1) A rep with territories sees, of the team's records, those of these territories alone; with an empty list of them,
own records alone.

A record belongs to the person in its owner field if that is somebody with an account, else to who made it, and to
that person's team. A record of a kind without an owner field (a consent) belongs where the record belongs that it is
about: whoever sees a customer sees what that customer agreed to. Teams are paths: "Sales/East" is below "Sales". Kinds
that are shared belong to everyone with customer data.

A customer lies in the territory that its field names. Every other record lies where the record lies that it is about:
the first of its references, to a customer, contact or deal, that is filled; without one it lies in none.

Of a record that somebody sees, the cells go out up to the care class that the person was granted, or the role can see;
what needs more is neither sent (`sees_cell`) nor taken (`sets`), and masks.py says what stands in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sync.protocol.fields import Care, Person, Ref, clean_text
from sync.protocol.ids import ID_BYTES
from sync.protocol.kinds import KINDS
from sync.protocol.merge import WHOLE_RECORD
from sync.protocol.roles import IT, MANAGER, OFFICE, PRIVACY, REP, ROLES, may_change, upto

__all__ = ["IT", "MANAGER", "OFFICE", "PRIVACY", "REP", "ROLES"]

TERRITORY: Final = "territory"  # the field of a kind whose records say where they lie

Circle = tuple[
    str, str | bytes
]  # people who see the same: a person, a team, those above it, a territory of it, all


@dataclass(frozen=True, slots=True)
class Rights:
    """What a person may see, from role and team, and the care class that was granted ("" for the role's).

    `territories` are those of the team that a rep sees, folded; None for the whole team.
    """

    person: bytes
    role: str
    team: str
    granted: str = ""
    territories: frozenset[str] | None = None

    @property
    def care(self) -> Care:
        """The highest care class that this person sees."""
        return upto(self.role, self.granted)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose a record is: the person's id and team; and the territory that it lies in, folded, "" for none."""

    person: bytes
    team: str
    territory: str = ""


def sees(rights: Rights, kind: str, scope: Scope) -> bool:
    """Whether a record of this kind and scope may reach a device of this person."""
    if rights.role == PRIVACY:
        return True
    if not may_change(rights.role):
        return False
    known = KINDS.get(kind)
    if known is not None and known.shared:
        return True
    if scope.person == rights.person:
        return True
    if not rights.team or not scope.team:
        return False
    if rights.role == MANAGER:
        return scope.team == rights.team or scope.team.startswith(rights.team + "/")
    return scope.team == rights.team and (_whole_team(rights) or scope.territory in _territories(rights))


def circles(rights: Rights) -> frozenset[Circle]:
    """The circles that a person stands in: who shares none with a record does not see it, and nobody else."""
    if rights.role == PRIVACY:
        return frozenset({("all", "")})
    if not may_change(rights.role):
        return frozenset()
    found: set[Circle] = {("data", ""), ("person", rights.person)}
    if rights.team and _whole_team(rights):
        found.add(("above" if rights.role == MANAGER else "team", rights.team))
    elif rights.team:
        found |= {("territory", _within(rights.team, each)) for each in _territories(rights)}
    return frozenset(found)


def reached(kind: str, scope: Scope) -> frozenset[Circle]:
    """The circles that see a record of this kind and scope."""
    found: set[Circle] = {("all", ""), ("person", scope.person)}
    known = KINDS.get(kind)
    if known is not None and known.shared:
        found.add(("data", ""))
    if scope.team:
        found |= {
            ("team", scope.team),
            ("above", scope.team),
            ("territory", _within(scope.team, scope.territory)),
        }
        found |= {("above", scope.team[:at]) for at, letter in enumerate(scope.team) if letter == "/" and at}
    return frozenset(found)


def _whole_team(rights: Rights) -> bool:
    return rights.role != REP or rights.territories is None


def _territories(rights: Rights) -> frozenset[str]:
    return (rights.territories or frozenset()) - {""}


def _within(team: str, territory: str) -> str:
    return f"{team}\n{territory}"


def edits(rights: Rights, kind: str, scope: Scope) -> bool:
    """Whether the person may change such a record."""
    return may_change(rights.role) and sees(rights, kind, scope)


def adds(rights: Rights) -> bool:
    """Whether the person may make records; one made for somebody else then belongs to that person."""
    return may_change(rights.role)


def sees_cell(rights: Rights, kind: str, cell: str) -> bool:
    """Whether a cell of a record that the person sees may reach a device of theirs."""
    known = KINDS.get(kind)
    if cell == WHOLE_RECORD:
        return True
    return known.shows(cell, rights.care) if known is not None else rights.care >= Care.RESTRICTED


def sets(rights: Rights, kind: str, cells: Iterable[str]) -> bool:
    """Whether the person may set all of these cells: nobody writes what they may not see."""
    return rights.care >= Care.RESTRICTED or all(sees_cell(rights, kind, cell) for cell in cells)


def nameless(rights: Rights) -> bool:
    """Whether the person is not even told who wrote, nor of conflicts."""
    return rights.role == PRIVACY


def owner_of(kind: str, cells: Mapping[str, Any]) -> str:
    """The e-mail (folded) or name in a record's owner field; empty when it has none."""
    if not has_owner(kind):
        return ""
    owner = cells.get("owner")
    return fold_email(owner) if isinstance(owner, str) else ""


def subject_of(kind: str, cells: Mapping[str, Any]) -> bytes:
    """The record that one is about: its first filled reference to a kind with an owner, not its own; b"" for none."""
    known = KINDS.get(kind)
    if known is None or known.shared:
        return b""
    for field in known.fields:
        if isinstance(field.type, Ref) and field.type.to != kind and has_owner(field.type.to):
            found = cells.get(field.name)
            if isinstance(found, bytes) and len(found) == ID_BYTES:
                return found
    return b""


def has_owner(kind: str) -> bool:
    """Whether records of this kind say whose they are, so that others can belong where they belong."""
    known = KINDS.get(kind)
    field = known.by_name.get("owner") if known else None
    return field is not None and isinstance(field.type, Person)


def has_territory(kind: str) -> bool:
    """Whether records of this kind say in which territory they lie."""
    known = KINDS.get(kind)
    return known is not None and TERRITORY in known.by_name


def territory_of(kind: str, cells: Mapping[str, Any]) -> str:
    """The territory (folded) that a record's own field names; "" for none."""
    named = cells.get(TERRITORY) if has_territory(kind) else None
    return fold_territory(named) if isinstance(named, str) else ""


def fold_territory(text: str) -> str:
    """A territory as it is compared: however it is written, it is one."""
    return clean_text(text).casefold()


def fold_email(text: str) -> str:
    """An e-mail address as it is compared."""
    return text.strip().casefold()

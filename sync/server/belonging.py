"""Where people belong: accounts, teams and territories, changed in one transaction with the records that it moves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import msgspec

from sync.protocol import clock
from sync.protocol.desk import WHOLE_TEAM, PersonView, TeamMoved, TerritoryMoved, TerritoryView
from sync.protocol.errors import KnownError
from sync.protocol.fields import Care, clean_text
from sync.protocol.ids import new_person_id
from sync.protocol.joins import listed
from sync.protocol.merge import NOBODY, Mark
from sync.protocol.roles import GRANTED, IT
from sync.protocol.texts import gettext as _
from sync.server import access, intake
from sync.server.db.base import Transaction
from sync.server.db.kept import (
    ADMIN_ADDED,
    ADMIN_REMOVED,
    FIRST_SCOPES,
    AuditLine,
    Held,
    Person,
    territory_lines,
)
from sync.server.views import person_view

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,180}")
_TEXT_MAX = 120
_OWNER: Final = "owner"
_TERRITORIES_MAX: Final = 100


def person_at(tx: Transaction, email: str) -> Person:
    """Who has an account with this address, however it is written. Raises KnownError."""
    person = tx.people.by_email(email)
    if person is None:
        raise KnownError(
            _("Nobody has an account with this address."),
            _("Add one with: fieldkeep-admin person add EMAIL --role ROLE --team NAME"),
        )
    return person


def add_person(
    tx: Transaction, email: str, role: str, team: str, territory: str, granted: str, now: int
) -> PersonView:
    """Give somebody an account, or change it; what is "" of territory and class stays. Raises KnownError."""
    email, team = checked_person(email, role, team)
    checked_class(granted)
    known = tx.people.by_email(email)
    fresh = Person(
        id=known.id if known else new_person_id(),
        email=email,
        role=role,
        team=team,
        territory=_lines(territory, known.territory if known else ""),
        scopes=known.scopes if known else FIRST_SCOPES,
        granted=granted or (known.granted if known else ""),
    )
    if known == fresh:
        return person_view(fresh, 0, "")
    fresh = _put(tx, known, fresh)
    # Records that named this address before there was an account, and those of somebody who moved.
    records = [*tx.records.owned_by(access.fold_email(email)), *tx.records.of_person(fresh.id)]
    intake.rescope(tx, list(dict.fromkeys(records)), now)
    tx.post.audit(AuditLine(at=now, actor="desk", verb=_verb(known, fresh), object=fresh.id.hex()))
    return person_view(fresh, 0, "changed" if known else "added")


def _verb(known: Person | None, fresh: Person) -> str:
    """What the audit table says of a person who was put there; of admins every admin hears (mailing.py)."""
    was, now = known is not None and known.role == IT, fresh.role == IT
    if was != now:
        return ADMIN_ADDED if now else ADMIN_REMOVED
    return "person changed" if known else "person added"


def leaver(tx: Transaction, email: str, heir: str) -> tuple[Person, Person]:
    """Who leaves, and who gets the records. Raises KnownError."""
    person, to = person_at(tx, email), person_at(tx, heir)
    if person.id == to.id:
        raise KnownError(_("Records go to somebody else than the one who leaves."))
    if not access.adds(to.rights):
        raise KnownError(
            _("{email} cannot have records: role {role}.").format(email=to.email, role=to.role),
            _("Name a rep, somebody of the office or a manager."),
        )
    return person, to


def hand_over(tx: Transaction, person: Person, to: Person, now: int) -> int:
    """Make somebody else the owner of all that a person owns, or has entered and nobody owns; how many records."""
    ids = [*tx.records.owned_by(access.fold_email(person.email)), *tx.records.of_person(person.id)]
    given = sum(_own(tx, id_, person, to.email, now) for id_ in dict.fromkeys(ids))
    tx.post.audit(
        AuditLine(at=now, actor="desk", verb=f"person leaves, records to {to.email}", object=person.id.hex())
    )
    return given


def _own(tx: Transaction, id_: bytes, person: Person, owner: str, now: int) -> int:
    """Write another owner into a record of this person, as an edit by whoever had seen all there is."""
    held = tx.records.held(id_)
    if held is None or held.row.deleted or not access.has_owner(held.row.kind):
        return 0
    said = held.row.cells.get(_OWNER)
    if said and access.fold_email(str(said)) != access.fold_email(person.email):
        return 0  # the colleague's, whom it followed
    _written(tx, held, _OWNER, owner, now)
    return 1


def move_team(tx: Transaction, team: str, to: str, now: int) -> TeamMoved:
    """Move a team with all below it, or merge it into another. Raises KnownError."""
    team, to = _team(team), _team(to)
    refuse_move(team, to)
    moving = [each for each in tx.people.persons() if f"{each.team}/".startswith(f"{team}/")]
    if not moving:
        raise KnownError(
            _("There is no team {team}.").format(team=team), _("See: fieldkeep-admin person list")
        )
    for each in moving:
        place = f"{to}{each.team[len(team) :]}"
        tx.people.put_person(msgspec.structs.replace(each, team=place, scopes=each.scopes + 1))
    moved = sum(intake.rescope(tx, tx.records.of_person(each.id), now) for each in moving)
    tx.post.audit(AuditLine(at=now, actor="desk", verb=f"team moved to {to}", object=team))
    return TeamMoved(people=len(moving), records=moved)


def grant_territory(tx: Transaction, email: str, territory: str, now: int, *, take: bool) -> PersonView:
    """Let a person see a territory of the team, or, with `take`, not any more. Raises KnownError."""
    territory = _territory(territory)
    person = tx.people.by_email(email)
    if person is None:
        raise KnownError(_("Nobody has an account with this address."), _("See: fieldkeep-admin person list"))
    folded = access.fold_territory(territory)
    names = [each for each in person.territories if access.fold_territory(each) != folded]
    if take and len(names) == len(person.territories):
        raise KnownError(
            _("{email} has no territory {territory}.").format(email=person.email, territory=territory),
            _("See: fieldkeep-admin person list"),
        )
    lines = territory_lines(names if take else _few([*names, territory]))
    fresh = msgspec.structs.replace(person, territory=lines)
    if fresh == person:
        return person_view(person, 0, "")
    fresh = _put(tx, person, fresh)
    verb = "territory taken" if take else "territory granted"
    tx.post.audit(AuditLine(at=now, actor="desk", verb=verb, object=person.id.hex()))
    return person_view(fresh, 0, "changed")


def move_territory(tx: Transaction, territory: str, to: str, now: int) -> TerritoryMoved:
    """Give a territory another name, or merge it into another: customers, people and whatever is about these
    customers go along, at once or not at all. Raises KnownError.
    """
    territory, to = _territory(territory), _territory(to)
    old, new = access.fold_territory(territory), access.fold_territory(to)
    people = [each for each in tx.people.persons() if old in map(access.fold_territory, each.territories)]
    customers = tx.records.of_territory(old)
    if not people and not customers:
        raise KnownError(
            _("There is no territory {territory}.").format(territory=territory),
            _("See: fieldkeep-admin territory list"),
        )
    for each in people:
        names = [name for name in each.territories if access.fold_territory(name) not in (old, new)]
        _put(tx, each, msgspec.structs.replace(each, territory=territory_lines([*names, to])))
    along = sum(_rename(tx, id_, to, now) for id_ in customers)
    tx.post.audit(AuditLine(at=now, actor="desk", verb=f"territory moved to {to}", object=territory))
    return TerritoryMoved(people=len(people), customers=len(customers), records=len(customers) + along)


def territories(tx: Transaction) -> list[TerritoryView]:
    """Every territory that people were granted or that customers lie in."""
    written: dict[str, str] = {}
    people: dict[str, list[str]] = {}
    for each in tx.people.persons():
        for name in each.territories:
            folded = access.fold_territory(name)
            written.setdefault(folded, name)
            people.setdefault(folded, []).append(each.email)
    counted = dict(tx.records.territories())
    for folded in counted.keys() - written.keys():
        written[folded] = _as_written(tx, folded)
    return [
        TerritoryView(territory=written[each], people=people.get(each, []), customers=counted.get(each, 0))
        for each in sorted(written)
    ]


def _as_written(tx: Transaction, folded: str) -> str:
    """A territory that nobody was granted, as one of its customers says it."""
    for id_ in tx.records.of_territory(folded):
        held = tx.records.held(id_)
        if held is not None and access.territory_of(held.row.kind, held.row.cells) == folded:
            return clean_text(str(held.row.cells[access.TERRITORY]))
    return folded


def _rename(tx: Transaction, id_: bytes, territory: str, now: int) -> int:
    """Write another territory into a customer, as an edit by whoever had seen all there is; what goes along."""
    held = tx.records.held(id_)
    if held is None or not access.has_territory(held.row.kind):
        return 0
    return _written(tx, held, access.TERRITORY, territory, now)


def _written(tx: Transaction, held: Held, cell: str, value: str, now: int) -> int:
    """Write a cell at the desk; how many records go along to where it leads."""
    seq, hlc = tx.records.next_seq(), clock.stamp(0, now)
    row = replace(
        held.row,
        ver=seq,
        cells={**held.row.cells, cell: value},
        marks={**held.row.marks, cell: Mark(seq, hlc, NOBODY, "")},
    )
    # No device made this change, so none has it yet: it goes to all.
    owner = access.owner_of(row.kind, row.cells)
    fresh = replace(held, row=row, owner=owner, device=b"", incarnation=b"", person="", hlc=hlc)
    return intake.put_where_it_belongs(tx, fresh, held.scope, now)


def _put(tx: Transaction, known: Person | None, fresh: Person) -> Person:
    if known and _sight(known) != _sight(fresh):
        fresh = msgspec.structs.replace(fresh, scopes=known.scopes + 1)
    tx.people.put_person(fresh)
    return fresh


def _sight(person: Person) -> tuple[str, str, Care, frozenset[str] | None]:
    """What decides what a person sees: when it changes, everything is gone through anew."""
    return person.role, person.team, person.rights.care, person.rights.territories


def _lines(said: str, before: str) -> str:
    """Territories as they are kept, of what was said about them at the desk. Raises KnownError."""
    if not said:
        return before
    if said == WHOLE_TEAM:
        return ""
    found: dict[str, str] = {}
    for name in filter(str.strip, said.split("\n")):
        found.setdefault(access.fold_territory(name), _territory(name))
    return territory_lines(_few(found.values()))


def _few(names: Iterable[str]) -> list[str]:
    names = list(names)
    if len(names) > _TERRITORIES_MAX:
        raise KnownError(_("A person has at most {limit} territories.").format(limit=_TERRITORIES_MAX))
    return names


def _territory(text: str) -> str:
    """The name of a territory made exact. Raises KnownError."""
    name = clean_text(text)
    if not name or name == WHOLE_TEAM:
        raise KnownError(_("A territory needs a name."))
    if len(name) > _TEXT_MAX:
        raise _too_long()
    return name


def checked_person(email: str, role: str, team: str) -> tuple[str, str]:
    """Address and team made exact. Raises KnownError."""
    email, team = email.strip(), _team(team)
    if not _EMAIL.fullmatch(email) or clean_text(email) != email:
        raise KnownError(_("This is not an e-mail address."), _("Write it as name@example.com."))
    if role not in access.ROLES:
        raise KnownError(_("There is no such role."), _("Roles: {names}").format(names=listed(access.ROLES)))
    if len(team) > _TEXT_MAX:
        raise _too_long()
    return email, team


def checked_class(granted: str) -> None:
    """Refuse what is no care class that can be granted. Raises KnownError."""
    if granted and granted not in GRANTED:
        raise KnownError(
            _("There is no such care class."), _("Care classes: {names}").format(names=listed(GRANTED))
        )


def refuse_move(team: str, to: str) -> None:
    """Refuse what would lose a team. Raises KnownError."""
    if not team or not to or team == to or to.startswith(f"{team}/"):
        raise KnownError(
            _("A team moves to another place, and not below itself."),
            _("Name both as in: fieldkeep-admin team move Sales/East Sales/North"),
        )
    if len(to) > _TEXT_MAX:
        raise _too_long()


def _too_long() -> KnownError:
    return KnownError(_("Team and territory are at most {limit} letters.").format(limit=_TEXT_MAX))


def _team(text: str) -> str:
    """A team as a path without empty parts, so that "Sales / East" is below "Sales"."""
    parts = (part.strip() for part in clean_text(text).split("/"))
    return "/".join(part for part in parts if part)

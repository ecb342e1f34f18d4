"""The verbs of `fieldkeep-admin` about people, teams and territories: who has an account, who sees what."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterable

from sync.compose import hints, telling
from sync.console.ports import Office
from sync.protocol import joins, texts
from sync.protocol.desk import WHOLE_TEAM, DeviceView, Left, PersonView, TerritoryView
from sync.protocol.errors import KnownError
from sync.protocol.roles import OFFICE, REP, may_change
from sync.protocol.texts import gettext as _
from sync.server.access import fold_email, fold_territory


def add(asked: argparse.Namespace, office: Office) -> int:
    """Give somebody an account, or change it."""
    if not any(part.strip() for part in asked.team.split("/")):
        raise KnownError(_("A team is needed."), _("Name it as in: --team Sales/East"))
    people = office.people()
    if any(not each.strip() for each in asked.territory):
        raise KnownError(_("A territory needs a name."), _("To let a rep see the whole team: --whole-team"))
    before = next((each for each in people if fold_email(each.email) == fold_email(asked.email)), None)
    lands = office.territories() if asked.territory else []
    where = "\n" if asked.own else WHOLE_TEAM if asked.whole_team else "\n".join(asked.territory)
    person = office.add_person(asked.email, asked.role, asked.team, where, asked.care)
    if asked.json:
        telling.document(person)
        return 0
    if person.news == "added":
        text = _("{email} has an account now: role {role}, team {team}.")
    elif before is not None and before.left:
        text = _(
            "{email} is back: role {role}, team {team}. Give a code for the laptop: fieldkeep-admin enrol-code EMAIL"
        )
    elif person.news:
        text = _("The account of {email} is changed: role {role}, team {team}.")
    else:
        text = _("{email} has this account already: role {role}, team {team}.")
    telling.say(hints.filled(text).format(email=person.email, role=person.role, team=person.team))
    _tell_change(asked, before, person)
    if not any(f"{each.team}/".startswith(f"{person.team}/") for each in people):
        telling.aside(
            _(
                "{team} is a new team: nobody was in it or below it. If it is a slip, add the person again."
            ).format(team=person.team)
        )
    if person.role == OFFICE and _only_below(person, people):
        told = _(
            "In {team} itself is nobody who has records, only in teams below it, which office does not see."
        )
        telling.aside(joins.sentences(told.format(team=person.team), _("A manager does: --role manager")))
    _tell_empty(asked.territory, lands, person)
    return 0


def _tell_change(asked: argparse.Namespace, before: PersonView | None, now: PersonView) -> None:
    """What of somebody's sight is another now."""
    care = bool(asked.care) if before is None else before.care != now.care
    if before is not None and (before.role, before.team, before.care) != (now.role, now.team, now.care):
        text = _("Before: role {role}, team {team}, class {care}.")
        telling.aside(text.format(role=before.role, team=before.team, care=before.care))
    if care:
        telling.aside(_("{email} sees fields up to the class {care}.").format(email=now.email, care=now.care))
    if before is not None and _sight(before) != _sight(now):
        _tell_anew()


def _sight(person: PersonView) -> tuple[object, ...]:
    lands = sorted(map(fold_territory, person.territories))
    return person.role, person.team, person.care, (lands, person.own_alone) if person.role == REP else None


def _only_below(person: PersonView, people: list[PersonView]) -> bool:
    """Whether nobody else who has records is in exactly this team, and somebody below it."""
    others = [each.team for each in people if may_change(each.role) and each.id != person.id]
    return person.team not in others and any(team.startswith(f"{person.team}/") for team in others)


def _tell_empty(names: Iterable[str], there: list[TerritoryView], person: PersonView) -> None:
    """Say of which territories no customer is: most often a slip of the pen, by which a laptop is emptied."""
    filled = {fold_territory(each.territory) for each in there if each.customers}
    for name in names if person.role == REP else ():
        if fold_territory(name) not in filled:
            text = _(
                "No customer lies in {territory}: by it {email} sees nothing. If it is a slip, take it back with: "
                "fieldkeep-admin territory revoke EMAIL TERRITORY"
            )
            telling.aside(text.format(territory=name.strip(), email=person.email))


def leave(asked: argparse.Namespace, office: Office) -> int:
    """Somebody leaves: devices are locked, records go to somebody else."""
    left = office.person_leaves(asked.email, asked.to)
    if asked.json:
        telling.document(left)
        return 0
    if left.heir:
        records = texts.ngettext("{n} record goes", "{n} records go", left.records).format(n=left.records)
        said = _("{email} has left: {records} to {heir}.")
        telling.say(said.format(email=left.person, records=records, heir=left.heir))
    else:
        telling.say(
            _("{email} has left. There were no records to give to anybody.").format(email=left.person)
        )
    for each in left.devices:
        _tell_device(each)
    _tell_keys(left)
    return 0


def _tell_device(device: DeviceView) -> None:
    """What is known of a leaver's device: by its own last word, which may be old."""
    if device.state == "locked":
        lock = _("“{name}” is locked.").format(name=device.name)
    else:
        lock = _("“{name}” is ordered to be locked; it obeys at its next contact.").format(name=device.name)
    at = telling.when(device.last_seen) or "–"
    if not device.unsent:
        word = _("By its last word, of {at}, it had sent everything. Wipe it when it is back.")
        telling.say(joins.sentences(lock, word.format(at=at)))
        return
    word = texts.ngettext(
        "By its last word, of {at}, it has {n} unsent change. Wipe it, then give that back with:",
        "By its last word, of {at}, it has {n} unsent changes. Wipe it, then give them back with:",
        device.unsent,
    )
    telling.say(joins.sentences(lock, word.format(at=at, n=device.unsent)))
    back = f"  fieldkeep-admin recover {shlex.quote(device.name)} --to DEVICE --other-person"
    telling.say(hints.filled(back))


def _tell_keys(left: Left) -> None:
    """Say that somebody who has left may still sign wipes, and how that ends."""
    for each in left.admins:
        if each.sure:
            text = _(
                "{email} MAY STILL SIGN WIPES: the root names admin {id} (keys: {labels}). Take that out with:"
            )
        else:
            text = _(
                "By its label, admin {id} in the root (keys: {labels}) may be {email}, who could still sign wipes. "
                "If so, take that out with:"
            )
        told = text.format(email=left.person, id=each.id, labels=joins.listed(each.labels) or "–")
        telling.say(told)
        telling.say(hints.filled(f"  fieldkeep-admin root admin-drop {shlex.quote(each.id)}"))
    if left.signs:
        telling.say(
            hints.filled(
                _(
                    "Whether {email} has further keys that sign wipes is not known here. "
                    "Look at: fieldkeep-admin root show\n"
                    "An admin there who has left goes with: fieldkeep-admin root admin-drop ID"
                )
            ).format(email=left.person)
        )


def listed(asked: argparse.Namespace, office: Office) -> int:
    """Everyone with an account."""
    people = office.people()
    if asked.json:
        telling.document(people)
    else:
        telling.table(
            [_("person"), _("role"), _("team"), _("territory"), _("class"), _("devices"), _("left")],
            [
                [p.email, p.role, p.team, _where(p), p.care, str(p.devices), telling.when(p.left) or ""]
                for p in people
            ],
            _("Nobody has an account yet."),
        )
    return 0


def _where(person: PersonView) -> str:
    return _("own records alone") if person.own_alone else person.territory


def territories(asked: argparse.Namespace, office: Office) -> int:
    """Every territory."""
    found = office.territories()
    if asked.json:
        telling.document(found)
    else:
        telling.table(
            [_("territory"), _("customers"), _("people")],
            [[each.territory, str(each.customers), joins.listed(each.people)] for each in found],
            _("No customer lies in a territory, and nobody was granted one."),
        )
    return 0


def grant_territory(asked: argparse.Namespace, office: Office) -> int:
    """Let a rep see a territory."""
    lands = office.territories()
    person = office.grant_territory(asked.email, asked.territory)
    done = _tell_sight(asked, person)
    if not asked.json:
        _tell_empty([asked.territory], lands, person)
    return done


def revoke_territory(asked: argparse.Namespace, office: Office) -> int:
    """Take a territory from a rep."""
    return _tell_sight(asked, office.revoke_territory(asked.email, asked.territory))


def _tell_sight(asked: argparse.Namespace, person: PersonView) -> int:
    if asked.json:
        telling.document(person)
        return 0
    if person.own_alone:
        text = _("{email} sees own records alone.").format(email=person.email)
    else:
        text = _("{email} sees own records and, of the team's, those of: {territories}").format(
            email=person.email, territories=joins.listed(person.territories)
        )
    telling.say(text)
    if person.role != REP:
        telling.aside(
            _("Territories count for reps: the role {role} sees what it saw.").format(role=person.role)
        )
    elif person.news:
        _tell_anew()
    return 0


def move_territory(asked: argparse.Namespace, office: Office) -> int:
    """Give a territory another name, or merge it into another."""
    moved = office.move_territory(asked.territory, asked.to)
    if asked.json:
        telling.document(moved)
        return 0
    customers = texts.ngettext("{n} customer", "{n} customers", moved.customers).format(n=moved.customers)
    people = texts.ngettext("{n} person", "{n} people", moved.people).format(n=moved.people)
    more = moved.records - moved.customers
    records = texts.ngettext("{n} other record", "{n} other records", more).format(n=more)
    telling.say(
        _("{territory} is {to} now: {customers}, {records} and {people} went along.").format(
            territory=asked.territory, to=asked.to, customers=customers, records=records, people=people
        )
    )
    _tell_anew()
    return 0


def _tell_anew() -> None:
    telling.aside(
        _("Their devices go through everything anew at the next contact. See: fieldkeep-admin devices")
    )


def move_team(asked: argparse.Namespace, office: Office) -> int:
    """Move a team with all below it, or merge it into another."""
    moved = office.move_team(asked.team, asked.to)
    if asked.json:
        telling.document(moved)
        return 0
    people = texts.ngettext("{n} person", "{n} people", moved.people).format(n=moved.people)
    records = texts.ngettext("{n} record", "{n} records", moved.records).format(n=moved.records)
    telling.say(
        _("{team} is {to} now: {people} and {records} went along.").format(
            team=asked.team, to=asked.to, people=people, records=records
        )
    )
    _tell_anew()
    return 0

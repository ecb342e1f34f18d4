"""The verbs of `fieldkeep-admin` about people and teams: who has an account, who sees what, where a team belongs."""

from __future__ import annotations

import argparse

from sync.compose import telling
from sync.console.ports import Office
from sync.protocol import texts
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _


def add(asked: argparse.Namespace, office: Office) -> int:
    """Give somebody an account, or change it."""
    if not any(part.strip() for part in asked.team.split("/")):
        raise KnownError(_("A team is needed."), _("Name it as in: --team Sales/East"))
    teams = {each.team for each in office.people()}
    person = office.add_person(asked.email, asked.role, asked.team, asked.territory, asked.care)
    if asked.json:
        telling.document(person)
        return 0
    if person.news == "added":
        text = _("{email} has an account now: role {role}, team {team}.")
    elif person.news:
        text = _("The account of {email} is changed: role {role}, team {team}.")
    else:
        text = _("{email} has this account already: role {role}, team {team}.")
    telling.say(text.format(email=person.email, role=person.role, team=person.team))
    if not any(f"{team}/".startswith(f"{person.team}/") for team in teams):
        telling.aside(
            _(
                "{team} is a new team: nobody was in it or below it. If it is a slip, add the person again."
            ).format(team=person.team)
        )
    return 0


def listed(asked: argparse.Namespace, office: Office) -> int:
    """Everyone with an account."""
    people = office.people()
    if asked.json:
        telling.document(people)
    else:
        telling.table(
            [_("person"), _("role"), _("team"), _("territory"), _("class"), _("devices")],
            [[p.email, p.role, p.team, p.territory, p.care, str(p.devices)] for p in people],
            _("Nobody has an account yet."),
        )
    return 0


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
    telling.aside(
        _("Their devices go through everything anew at the next contact. See: fieldkeep-admin devices")
    )
    return 0

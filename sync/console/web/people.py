"""Pages of people: who has an account, what each sees, and one-use codes for their next device."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from sync.console.web import asking, proving
from sync.console.web.answering import go, page
from sync.console.web.asking import Ask
from sync.protocol import codes, fingerprint
from sync.protocol.desk import WHOLE_TEAM, PersonView
from sync.protocol.errors import KnownError
from sync.protocol.fields import clean_text
from sync.protocol.roles import GRANTED, ROLES
from sync.protocol.texts import gettext as _

PAGE: Final = 100
_OWN: Final = "own"
_WHOLE: Final = "whole"
_SOME: Final = "some"
_NONE: Final = PersonView(id="", email="", role="rep", team="")


def listed(ask: Ask) -> Response:
    """Everyone, or those that a word fits, and a form for one."""
    word = ask.query("q").strip()[:80]
    people = ask.house.office.people()
    found = [each for each in people if word.casefold() in f"{each.email}\n{each.team}".casefold()]
    number = ask.query("page", "1")
    last = max(1, -(-len(found) // PAGE))
    at = min(max(1, int(number)), last) if number.isascii() and number.isdigit() and len(number) < 7 else 1
    chosen = next((each for each in people if each.email == ask.query("person")), _NONE)
    return page(
        ask, "people.html", here="people", people=found[(at - 1) * PAGE : at * PAGE], word=word, at=at, last=last,
        found=len(found), roles=roles(), cares=cares(), chosen=chosen, alarms=ask.house.gate.alarms(),
        teams=sorted({each.team for each in people}), classes={"public": _("Public"), **cares()},
    )  # fmt: skip


def roles() -> dict[str, str]:
    """The roles in words."""
    return {
        "rep": _("Rep: own records and those of the team"),
        "office": _("Office: those of the team"),
        "manager": _("Manager: the team and teams below it"),
        "it": _("IT: devices and people, no customer data"),
        "privacy": _("Privacy: every record with names hidden"),
    }


def cares() -> dict[str, str]:
    """The care classes up to which somebody sees."""
    names = {"internal": _("Internal"), "confidential": _("Confidential"), "restricted": _("Restricted")}
    return {name: names.get(name, name) for name in GRANTED}


def put(ask: Ask) -> Response:
    """Give somebody an account, or change it."""
    asking.refuse_looker(ask)
    email, role, team = (clean_text(ask.form.get(name, ""))[:200] for name in ("email", "role", "team"))
    care = ask.form.get("care", "")
    if role not in ROLES or care not in ("", *GRANTED):
        raise KnownError(_("There is no such role or class."), _("Choose one of the list."))
    if not any(part.strip() for part in team.split("/")):
        raise KnownError(_("A team is needed."), _("A path: Sales/East is below Sales."))
    territories = [clean_text(each) for each in ask.form.get("territories", "").splitlines() if each.strip()]
    sight = ask.form.get("sight", "")
    if sight == _SOME and not territories:
        raise KnownError(_("A territory is needed."), _("Write each on a line of its own."))
    where = {_OWN: "\n", _WHOLE: WHOLE_TEAM, _SOME: "\n".join(territories)}.get(sight, "")
    ask.note("person", email if len(email) < 60 else "")
    ask.house.office.add_person(email, role, team, where, care)
    return go(ask, "/people")


def leave(ask: Ask) -> Response:
    """Somebody leaves: devices are locked, records go to somebody else."""
    asking.refuse_looker(ask)
    email, heir = ask.form.get("email", ""), ask.form.get("heir", "").strip()
    person = next((each for each in ask.house.office.people() if each.email == email), None)
    if person is None:
        raise KnownError(_("Nobody has an account with this address."))
    ask.note("asks for: person leaves", person.id)
    left = ask.house.office.person_leaves(email, heir)
    return page(ask, "left.html", here="people", left=left, alarms=ask.house.gate.alarms())


def code(ask: Ask) -> Response:
    """A code for this person's next device, shown once."""
    asking.refuse_looker(ask)
    email = ask.form.get("email", "")
    person = next((each for each in ask.house.office.people() if each.email == email), None)
    if person is None:
        raise KnownError(_("Nobody has an account with this address."))
    ask.note("asks for: code", person.id)
    text = ask.house.office.enrol_code(email)
    words = fingerprint.words_of(codes.read(text).root_digest)
    picture = proving.picture(text)
    return page(ask, "code.html", here="people", email=email, code=text, words=words, picture=picture)

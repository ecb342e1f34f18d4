"""The verb `fieldkeep-admin holds`: which records and care classes a device holds, without a name or a value."""

from __future__ import annotations

import argparse

from sync.compose import telling
from sync.console import desk
from sync.console.ports import Office
from sync.protocol.desk import HoldsView
from sync.protocol.errors import KnownError
from sync.protocol.joins import listed
from sync.protocol.roles import GRANTED
from sync.protocol.texts import gettext as _

_CLASSES = ("public", *GRANTED)


def run(asked: argparse.Namespace, office: Office) -> int:
    """Tell it of one device, or of all devices of a person."""
    devices = office.devices()
    if asked.device:
        chosen = [desk.find(devices, asked.device, wiped=True)]
    else:
        wanted = asked.person.strip().casefold()
        if wanted not in {each.email.casefold() for each in office.people()}:
            raise KnownError(
                _("Nobody has an account with this address."), _("See: fieldkeep-admin person list")
            )
        chosen = [each for each in devices if each.person.casefold() == wanted and each.state != "wiped"]
    found = [office.holds(each.enrolment, asked.kind, asked.ids) for each in chosen]
    if asked.json:
        telling.document(found)
        return 0
    if not found:
        telling.say(_("This person has no device."))
    for each in found:
        _tell(each, ids=asked.ids)
    return 0


def _tell(view: HoldsView, *, ids: bool) -> None:
    telling.say(
        _("“{name}” ({person}), {state}: has read up to {read} of {head}, and shows up to: {care}").format(
            name=view.device,
            person=view.person,
            state=view.state,
            read=view.read,
            head=view.head,
            care=view.care,
        )
    )
    if view.own_alone:
        telling.say(_("Its person sees own records alone."))
    elif view.territories:
        text = _("Its person sees own records and, of the team {team}, those of: {territories}")
        telling.say(text.format(team=view.team, territories=listed(view.territories)))
    if not view.confirmed:
        telling.say(
            _("It has not said yet that it let go of what its person may not see any more. Next it shows up to: {care}")
            .format(care=view.care_next)
        )  # fmt: skip
    if not view.exact:
        telling.say(_("Until it has, this counts whatever its person could ever see."))
    heads = [_("kind"), _("records"), _("deleted"), *_CLASSES, _("leaving"), _("coming")]
    rows = [
        [
            each.kind,
            *(
                str(count)
                for count in (
                    each.records,
                    each.deleted,
                    *(each.classes.get(name, 0) for name in _CLASSES),
                    each.leaving,
                    each.coming,
                )
            ),
        ]
        for each in view.kinds
    ]
    telling.table(heads, rows, _("It holds no record."))
    if ids:
        for each in view.kinds:
            for id_ in each.ids:
                telling.say(f"{each.kind}\t{id_}")

"""What IT does in a run: people change role, team, territories and care class; teams and territories move and merge."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from sync.protocol.desk import WHOLE_TEAM
from sync.protocol.errors import KnownError
from sync.server.office import StoreOffice
from tests.simulator import steps

Ordered = steps.Move | steps.Grant | steps.MergeTeams | steps.Territory


def order(office: StoreOffice, people: Sequence[str], step: Ordered) -> None:
    """One step at the desk; what is refused changes nothing."""
    with contextlib.suppress(KnownError):
        if isinstance(step, steps.Move):
            office.add_person(people[step.person], step.role, step.team, "")
        elif isinstance(step, steps.Grant):
            (there,) = [each for each in office.people() if each.email == people[step.person]]
            office.add_person(there.email, there.role, there.team, "", step.care)
        elif isinstance(step, steps.MergeTeams):
            office.move_team(step.team, step.to)
        else:
            _territory(office, people[step.person], step)


def _territory(office: StoreOffice, email: str, step: steps.Territory) -> None:
    if step.verb == "grant":
        office.grant_territory(email, step.name)
    elif step.verb == "revoke":
        office.revoke_territory(email, step.name)
    elif step.verb == "move":
        office.move_territory(step.name, step.to)
    else:
        (there,) = [each for each in office.people() if each.email == email]
        office.add_person(email, there.role, there.team, WHOLE_TEAM if step.verb == "whole" else "\n")

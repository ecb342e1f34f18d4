"""A document that does not hold is seen by people: in status, doctor and the badge, after a restart, for a week."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.services.opening import open_session
from app.services.syncing import Keeping
from app.viewmodels.sync_state import Standing, standing
from sync.client.status import Phase, SyncStatus
from sync.protocol.messages import Person
from tests.road import ANNA, BEN, DAY_MS, Laptop, Town, now_ms
from tests.services.desk import Desk

Show = Callable[[Desk], None]


def _forged(desk: Desk) -> None:
    desk.give(desk.order("wipe", 5), desk.forger)


def _two_histories(desk: Desk) -> None:
    desk.give(desk.policy(1, inactivity_min=1), desk.policy_key)


@pytest.mark.parametrize(
    ("show", "rule", "warns"),
    [
        (_forged, "signature", "refused by rule signature"),
        (_two_histories, "policy_number", "two histories"),
    ],
    ids=["forged", "two histories"],
)
def test_it_is_shown_and_outlives_a_restart(
    town: Town, expect_warning: Callable[[str], None], show: Show, rule: str, warns: str
) -> None:
    expect_warning(warns)
    laptop = town.laptop(ANNA)
    with open_session(laptop.profile) as session:
        show(Desk(town, session))
        assert session.stage == "active"
    for _restart in range(2):
        alarm = laptop.json("status")["alarm"]
        assert set(alarm) == {"rule", "time"}
        assert alarm["rule"] == rule
    said = laptop.ask("status").out
    assert f"alarm: {rule} · " in said
    done = laptop.ask("doctor", "--json")
    orders = next(each for each in done.json["checks"] if each["name"] == "Orders")
    assert (done.code, orders["ok"], rule in orders["found"]) == (1, False, True)
    assert laptop.ask("sync").code == 0  # it holds up no work
    badge = _badge(laptop)
    assert (badge.state, badge.action) == ("refused", "Sync now")
    assert rule in badge.sentence
    done = laptop.later("status", "--json", wall_ms=8 * DAY_MS, boot_ms=8 * DAY_MS)
    assert done.json["alarm"] is None


def _badge(laptop: Laptop) -> Standing:
    """What the window says after its first exchange."""
    told: list[SyncStatus] = []
    with open_session(laptop.profile) as session:
        keeping = Keeping(session, told.append)
        keeping._round()
        keeping._stands(Phase.IDLE, None)
        keeping.stop()
    return standing(told[-1])


@pytest.mark.expected_warnings("refused by rule signature")
def test_the_same_alarm_is_written_down_once_an_hour(town: Town) -> None:
    laptop = town.laptop(ANNA)
    with open_session(laptop.profile) as session:
        desk = Desk(town, session)
        _forged(desk)
        first = laptop.profile.state.read_bytes()
        for _again in range(5):
            _forged(desk)
        assert laptop.profile.state.read_bytes() == first


@pytest.mark.expected_warnings("refused by rule expired")
def test_an_order_that_came_too_late_alarms_nobody(town: Town) -> None:
    laptop = town.laptop(ANNA)
    with open_session(laptop.profile) as session:
        desk = Desk(town, session)
        desk.give(desk.order("lock", 5, issued=1, not_before=1, expires=2), desk.order_key)
        assert session.ruling.alarm() is None


def test_the_card_follows_the_person(town: Town) -> None:
    """IT moves somebody to another team and role: the device says so after its next exchange, and keeps it."""
    laptop = town.laptop(BEN)
    before = laptop.json("status")
    try:
        town.admin("person", "add", BEN, "--role", "manager", "--team", "Sales/West")
        assert laptop.ask("sync").code == 0
        said = laptop.json("status")
        assert (said["role"], said["team"], said["person"]) == ("manager", "Sales/West", BEN)
        assert laptop.card().person.role == "manager"
    finally:
        town.admin("person", "add", BEN, "--role", before["role"], "--team", before["team"])
    with open_session(laptop.profile) as session:
        moved = Person(id=session.card.person.id, email=BEN, role="rep", team="Elsewhere")
        session.papers.heard(now_ms(), {}, moved)
        session.met()
        assert session.card.person == moved
    assert laptop.card().person == moved

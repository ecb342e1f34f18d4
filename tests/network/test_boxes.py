"""Boxes in between that repeat, cut, cache or answer themselves: nothing lost, nothing twice, and on it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from app.errors import Offline
from app.services import records
from app.services.opening import open_session
from app.services.syncing import Syncing
from app.store.store import Store
from sync.protocol.errors import KnownError
from sync.protocol.kinds import KINDS
from tests.client.servers import Talk, serving
from tests.network import reverse
from tests.network.places import behind
from tests.network.reverse import Once
from tests.road import ANNA, BEN, Laptop, Town

CUSTOMER = KINDS["customer"]


@pytest.fixture(scope="module")
def box(town: Town) -> Iterator[tuple[Once, str]]:
    """A box that passes on, and its address."""
    once = Once(lambda: town.server.port)
    with serving(once, reverse.certificate(town.secrets)) as server:
        yield once, server.url


@pytest.fixture(scope="module")
def laptop(town: Town, box: tuple[Once, str]) -> Laptop:
    """A laptop behind it."""
    return behind(box[1], town, ANNA)


@pytest.mark.parametrize(
    ("strike", "hurts"),
    [
        (reverse.asked_twice, False),
        (reverse.second_answer, False),
        (reverse.cut_short, True),
        (reverse.without_its_end, True),
        (reverse.answer_of_before, False),
        (reverse.sign_in_page, True),
        (reverse.never, True),
        (reverse.lost_answer, True),
    ],
)
def test_what_a_box_does_to_one_exchange(
    town: Town,
    box: tuple[Once, str],
    laptop: Laptop,
    impatient: None,
    strike: Callable[[Once, Talk], None],
    *,
    hurts: bool,
) -> None:
    once, _url = box
    name, broke = strike.__name__, 0
    with open_session(laptop.profile) as session:
        syncing = Syncing(session)
        syncing.round()
        made = records.add(session, CUSTOMER, {"name": name, "notes": "first"})
        records.edit(session, made.id, {"notes": "first\nsecond"})
        once.waiting = strike
        for _round in range(3):
            try:
                syncing.round()
            except KnownError as problem:
                assert problem.title and problem.hint
                assert isinstance(problem, Offline)
                broke += 1
        syncing.close()
        assert not once.waits
        assert session.call(Store.unsent) == 0
    assert broke == hurts
    other = town.laptop(BEN)
    other.sync()
    (held,) = [each for each in other.holds().values() if each["name"] == name]
    assert held["notes"] == "first\nsecond"
    assert not other.json("conflicts")

"""Places of a long list: the same as a plain Python list, whatever comes and goes."""

from __future__ import annotations

import random
import sys
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.viewmodels import places as places_module
from app.viewmodels.places import BLOCK, Places
from tests.protocol.strategies import tries


def agree(places: Places, plain: list[int], strangers: tuple[int, ...] = (0, 10**6)) -> None:
    assert len(places) == len(plain)
    assert list(places.span(0, len(plain))) == plain
    for at in {0, 1, len(plain) // 2, len(plain) - 1} & set(range(len(plain))):
        assert places[at] == plain[at]
        assert places.at(plain[at]) == at
        assert plain[at] in places
    for rowid in strangers:
        assert (rowid in places) is (rowid in plain)
    assert places.at(None) == -1


@given(st.randoms(use_true_random=False), st.integers(0, 60))
@tries(150)
def test_changes_are_those_of_a_plain_list(draw: random.Random, count: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places_module, "BLOCK", 4)
        patch.setattr(places_module, "_NAME_LAST", 20)  # more blocks come than two bytes can name
        plain = draw.sample(range(1, 200), count)
        places = Places(plain)
        for _round in range(6):
            gone = draw.sample(plain, draw.randint(0, len(plain)))
            plain = [rowid for rowid in plain if rowid not in gone]
            came = draw.sample([each for each in range(1, 400) if each not in plain], draw.randint(0, 12))
            placed = sorted((draw.randint(0, len(plain)), rowid) for rowid in came)
            places.change(gone, placed)
            for before, (at, rowid) in enumerate(placed):
                plain.insert(at + before, rowid)
            agree(places, plain)


def test_what_comes_twice_keeps_its_first_place() -> None:
    places = Places([5, 3, 9])
    places.extend(array("q", [9, 4, 3, 1]))
    agree(places, [5, 3, 9, 4, 1])
    places.change([77], [(0, 3)])
    agree(places, [5, 3, 9, 4, 1])


def test_a_long_list_is_read_in_blocks() -> None:
    plain = list(range(1, 5 * BLOCK))
    random.Random(1).shuffle(plain)
    places = Places(plain)
    agree(places, plain)
    assert list(places.span(BLOCK - 3, 3 * BLOCK + 5)) == plain[BLOCK - 3 : 3 * BLOCK + 5]
    assert list(places.span(-5, 2)) == plain[:2]
    assert list(places.span(9, 3)) == []
    for at in (-1, len(plain)):
        with pytest.raises(IndexError):
            places[at]
    agree(Places(), [])


def test_a_record_takes_six_bytes_until_there_have_been_very_many_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(places_module, "_NAME_LAST", 60)
    plain = list(range(1, 60 * BLOCK + 1))
    places = Places(plain)
    assert _bytes_of(places) < 6.5 * len(plain)
    places.extend(range(60 * BLOCK + 1, 61 * BLOCK + 1))
    agree(places, list(range(1, 61 * BLOCK + 1)))
    assert _bytes_of(places) < 8.5 * len(places)


def _bytes_of(places: Places) -> int:
    return sum(sys.getsizeof(each) for each in (places._home, *places._blocks))

"""An op is known by when it was made and what it says, whatever number it has."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sync.protocol import codec
from sync.protocol.ops import PRINT_BYTES, Act, Op, print_of

OP = Op(n=3, kind="customer", id=b"r" * 16, act=Act.SET, hlc=70 << 16, base=2, set={"name": "Anna"}, first=3)


@pytest.mark.parametrize(
    "same",
    [{"n": 9}, {"first": 1}, {"base": 7}, {"was": {"name": "Ann"}}, {"origin": (b"d" * 16, b"i" * 8, 3)}],
    ids=str,
)
def test_numbers_and_ways_do_not_make_another_op_of_it(same: dict[str, Any]) -> None:
    assert print_of(msgspec.structs.replace(OP, **same)) == print_of(OP)


@pytest.mark.parametrize(
    "other",
    [{"kind": "deal"}, {"id": b"s" * 16}, {"act": Act.ADD}, {"hlc": 1}, {"set": {"name": "Bert"}}, {"hlc": -1},
     {"hlc": 2**64 - 1}],
    ids=str,
)  # fmt: skip
def test_what_it_says_and_when_does(other: dict[str, Any]) -> None:
    changed = print_of(msgspec.structs.replace(OP, **other))
    assert changed != print_of(OP)
    assert len(changed) == PRINT_BYTES


def test_prints_rise_with_the_clock() -> None:
    prints = [print_of(msgspec.structs.replace(OP, hlc=hlc)) for hlc in range(0, 2**40, 2**36)]
    assert prints == sorted(prints)


def test_it_survives_a_journey() -> None:
    again = msgspec.msgpack.decode(codec.pack(OP), type=Op)
    assert print_of(again) == print_of(OP)


def test_an_op_nested_beyond_all_use_has_one_too() -> None:
    deep: Any = "x"
    for _level in range(5_000):
        deep = [deep]
    assert len(print_of(msgspec.structs.replace(OP, set={"name": deep}))) == PRINT_BYTES


def test_choices_of_two_conflicts_are_two_ops_though_both_write_nothing() -> None:
    """Two clocks that follow a third one give one stamp."""
    one, other = (
        Op(n=1, kind="customer", id=b"r" * 16, act=Act.SET, hlc=7, settles={conflict * 16: "kept"})
        for conflict in (b"a", b"b")
    )
    assert print_of(one) != print_of(other)
    assert print_of(one) == print_of(msgspec.structs.replace(one, n=9, base=4))

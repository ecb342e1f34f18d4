"""Who reads by a picture stumbles over what that version would have stumbled over, and over nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from sync.protocol import codec, messages
from tests.versions.reads import NotUnderstood, Reads
from tests.wire import picture

HEAD = {
    "cursor": {"epoch": b"e", "seq": 4}, "more": False, "acked_n": 1, "durable_seq": 0, "server_time": 1,
    "order_head": 0, "person": {"id": b"p", "email": "a@example.com", "role": "rep", "team": "Sales"},
}  # fmt: skip


@pytest.fixture
def reads() -> Reads:
    """As it is drawn now."""
    return Reads(picture.draw())


def _answer(reads: Reads, *frames: tuple[str, Any]) -> list[tuple[str, Any]]:
    return reads.answer(messages.EXCHANGE_PATH, codec.encode([(messages.HEAD, HEAD), *frames]))


def test_fields_that_it_does_not_know_are_passed_over(reads: Reads) -> None:
    result = {"n": 1, "outcome": "ok", "ver": 7, "mood": "good"}
    assert _answer(reads, (messages.RESULT, result))[1] == (
        messages.RESULT,
        {"n": 1, "outcome": "ok", "ver": 7},
    )
    cells = {"name": "Blue Harbour", "colour": "of a later version"}
    change = {"kind": "customer", "id": b"i", "ver": 7, "cells": cells}
    assert (
        _answer(reads, (messages.CHANGE, change))[1][1]["cells"] == cells
    )  # cells are carried, known or not


@pytest.mark.parametrize(
    ("tag", "value", "why"),
    [
        (messages.RESULT, {"n": 1}, "OpResult.outcome is not there"),
        (messages.RESULT, {"n": 1, "outcome": "joined"}, "the word 'joined'"),
        (messages.RESULT, {"n": "1", "outcome": "ok"}, "OpResult.n"),
        (messages.CHANGE, {"kind": "customer", "id": b"i", "ver": True}, "Change.ver"),
        (messages.PAPER, [], "Paper"),
        ("met", {}, "the tag met"),
    ],
)
def test_it_stumbles_over_what_is_gone_or_otherwise(reads: Reads, tag: str, value: Any, why: str) -> None:
    with pytest.raises(NotUnderstood, match=why):
        _answer(reads, (tag, value))


def test_a_document_that_asks_to_be_understood_is_not_passed_over(reads: Reads) -> None:
    with pytest.raises(NotUnderstood, match="later"):
        reads.document("lease", b'{"crit": ["later"], "later": 1}')

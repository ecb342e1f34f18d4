"""What is kept of a version has records of every kind in it, all of them plainly invented."""

from __future__ import annotations

import re

import msgspec

from sync.protocol import codec, messages
from sync.protocol.ops import Op
from tests.versions.story import KINDS
from tests.versions.town import Tape


def test_a_recording_holds_records_of_every_kind_that_are_plainly_invented(tape: Tape) -> None:
    ops = [
        codec.read(raw, Op)
        for said in tape.traffic
        if said.path == messages.EXCHANGE_PATH
        for tag, raw in codec.decode(said.up)
        if tag == messages.OP
    ]
    assert {op.kind for op in ops} == set(KINDS)
    text = msgspec.json.encode(tape.of.json("synced.json")).decode()
    addresses = re.findall(r"[\w.]+@[\w.]+", text)
    assert addresses
    assert all(each.endswith((".example", "example.com")) for each in addresses)

"""What a device of an earlier version said is answered today in words that it knows, and ends as it ended then."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.protocol import messages
from tests.versions.conftest import Opened
from tests.versions.kept import Unpacked
from tests.versions.town import Replay, Tape, orders_of


def test_an_older_device_gets_from_the_server_of_today_what_it_got_from_its_own(
    kept: Unpacked, tape: Tape, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = opened(kept.begin(tmp_path / "server"))
    replay = Replay(tape, town, monkeypatch)
    replay.play()
    exchanges = sum(said.path == messages.EXCHANGE_PATH for said in tape.traffic)
    as_they_were = sum(device.as_they_were for device in replay.devices.values())
    # But where recovered work is reported under its new name.
    assert as_they_were >= exchanges - 2
    for name, device in replay.devices.items():
        assert device.problems == [], name
        assert device.now.outcomes == device.then.outcomes, name
        assert device.now.rows == device.then.rows, name
        assert len(device.now.conflicts) == len(device.then.conflicts), name
        told, was = ({each["kind"] for each in held.papers} for held in (device.now, device.then))
        assert told == was, name


def test_the_recorded_session_has_everything_that_the_wire_knew(tape: Tape) -> None:
    """A recording that leaves something out proves nothing of it."""
    asked = {said.path for said in tape.traffic if said.status == 200}
    assert asked >= tape.reads.paths - {messages.SEALED_PATH, messages.BUCKET_PATH, messages.RECORDS_PATH}
    papers = {paper["kind"] for said in tape.traffic for paper in tape.papers(said)}
    assert papers >= {"order", "share", "recovered"}
    assert orders_of(tape) == {"lock", "unlock", "wipe"}
    outcomes = {
        (value["outcome"], value.get("code", ""))
        for said in tape.traffic
        if said.path == messages.EXCHANGE_PATH and said.status == 200
        for tag, value in tape.reads.answer(said.path, said.down)
        if tag == messages.RESULT
    }
    assert outcomes >= {("ok", ""), ("conflict", ""), ("rejected", "forbidden")}


def test_a_held_line_said_nothing_but_what_is_said_today(tape: Tape) -> None:
    told = {said.down for said in tape.traffic if said.path == messages.EVENTS_PATH and said.status == 200}
    assert told <= {messages.POKE, messages.BEAT}

"""The card of one device in the folder of another: nothing is opened, sent or obeyed there."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.road import ANNA, BEN, Town


@pytest.mark.parametrize("lost", [(), ("state.json",), ("store.hdr",)])
def test_a_card_of_another_device_is_refused(town: Town, lost: tuple[str, ...]) -> None:
    first, second = town.laptop(ANNA), town.laptop(BEN)
    first.add("task", subject="first unsent")
    for name in lost:
        (first.folder / name).unlink()
    first_keys, second_keys = first.entries(), second.entries()
    own = first.profile.device.read_bytes()
    shutil.copy(second.profile.device, first.profile.device)
    town.order("wipe", second)
    before = first.files()
    for verb in ("list task", "sync"):
        done = first.ask(*verb.split())
        assert (done.code, "belong to two devices" in done.err) == (1, True), done.err
    assert set(before) <= set(first.files())
    assert town.device(second)["state"] == "wiping"  # ordered; nobody has obeyed in its name
    first.profile.device.write_bytes(own)
    assert (first.entries(), second.entries()) == (first_keys, second_keys)
    assert second.ask("sync").code == 4


def test_the_guarded_state_names_the_enrolment(town: Town) -> None:
    first, second = town.laptop(ANNA), town.laptop(BEN)
    card = json.loads(first.profile.device.read_text())
    first.profile.device.write_text(json.dumps(card | {"enrolment": second.card().enrolment}))
    assert first.ask("sync").code == 0
    town.order("wipe", first)
    assert first.ask("sync").code == 4
    assert town.device(first)["receipt"] == "verified"
    assert town.device(second)["state"] == "active"

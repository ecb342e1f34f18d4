"""Wipes that nobody confirms, or whose order runs out before the device comes: what the console says, and offers."""

from __future__ import annotations

import msgspec
import pytest

from sync.console.web import wording
from sync.protocol.documents import WIPE
from tests.console.visitor import ConsoleInside, Visitor
from tests.server.driver import Device
from tests.server.orders import order, signed


@pytest.fixture
def laptop(inside: ConsoleInside) -> Device:
    """A laptop that has exchanged."""
    made = inside.device(inside.person("ana@example.com"), "LAP-0388")
    made.sync()
    return made


def page_of(laptop: Device) -> str:
    return f"/devices/{laptop.enrolment}"


def test_a_wipe_that_nobody_confirms_is_said_to_be_so(
    inside: ConsoleInside, admin: Visitor, laptop: Device
) -> None:
    """Its folder was deleted, or it never comes: nothing ever calls it wiped."""
    data = inside.wipe(laptop)
    for days, words in (
        (6, "Wiping"),
        (8, "Wipe not confirmed for 8 days"),
        (400, "Wipe not confirmed for 400 days"),
    ):
        dossier = inside.office.gate.dossier(laptop.enrolment)
        assert dossier is not None
        row = msgspec.structs.replace(dossier.row, wiping_for=dossier.row.wiping_for + days * 86_400_000)
        assert wording.state(row).text == words
        assert (dossier.row.state, dossier.proof) == ("wiping", None)
    assert "Wiping" in admin.get("/devices").plain
    laptop.hand_in(laptop.receipt(data))
    assert "Wiped, receipt verified" in admin.get(page_of(laptop)).plain


def test_a_wipe_that_runs_out_is_offered_to_be_signed_again(
    inside: ConsoleInside, admin: Visitor, laptop: Device
) -> None:
    soon = order(inside, WIPE, laptop, expires=inside.now() + 29 * 86_400_000)
    inside.office.file(signed(inside, soon))
    text = admin.get(page_of(laptop)).plain
    assert "sign another one." in text
    assert "Lock device" not in text
    inside.wipe(laptop)
    assert "sign another one." not in admin.get(page_of(laptop)).plain

"""The audit table and orders name whom and what they mean: the device of a receipt, the admins who signed."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.console import desk
from tests.console.visitor import ConsoleInside
from tests.server.named import ED, second_admin, wipe_by_two


@pytest.fixture
def inside(tmp_path: Path) -> ConsoleInside:
    return ConsoleInside(tmp_path)


def test_each_receipt_names_its_own_device_where_one_order_wipes_several(inside: ConsoleInside) -> None:
    ed = second_admin(inside)
    laptops = [inside.device(inside.person("ben@example.com"), f"laptop-ben{n}") for n in (3, 4)]
    wipe_by_two(inside, ed, *laptops)
    for each in laptops:
        each.hand_in(each.receipt(inside.order_envelope(each)))
    found = [line for line in inside.office.audit(100, "receipt") if line.verb == "receipt"]
    assert [(line.who, line.what) for line in reversed(found)] == [
        ("laptop-ben3", "laptop-ben3"),
        ("laptop-ben4", "laptop-ben4"),
    ]


def test_who_signed_is_named_by_address_or_by_the_labels_of_the_root(inside: ConsoleInside) -> None:
    ed = second_admin(inside, "Ed's key file")
    laptops = [inside.device(inside.person("ben@example.com"), f"laptop-ben{n}") for n in (3, 4)]
    wipe_by_two(inside, ed, *laptops)
    root = desk.root_of(inside.office)
    (first,) = [each for each in root.admins if each.admin_id != ED]
    line = next(line for line in inside.office.audit(100, "wipe") if line.verb == "wipe")
    assert "Ed's key file (ed00ed00)" in line.who
    labels = ", ".join(each.label for each in first.credentials)
    assert f"{labels} ({first.admin_id[:8]})" in line.who
    assert set(line.actor.split()) == {ED, first.admin_id}  # the table itself keeps the ids
    dossier = inside.office.gate.dossier(laptops[0].enrolment)
    assert dossier is not None
    assert "Ed's key file (ed00ed00)" in dossier.orders[0].signers
    assert "Ed's key file (ed00ed00)" in inside.office.gate.alarms()[0].signers

"""Refused changes at IT's desk: field and value in words, and what no field can hold as it was sent."""

from __future__ import annotations

import pytest

from sync.compose import refused_rows
from sync.protocol.desk import RefusedView

PHONE = "phones/09067c1d2e3f4a5b"


@pytest.mark.parametrize(
    ("cells", "lines"),
    [
        ({PHONE: {"label": "work", "value": "+49 30 1"}}, ["Phones: +49 30 1 (work)"]),
        ({PHONE: None}, ["Phones (09067c1d2e3f4a5b): (empty)"]),
        ({"revenue": {"minor": 125_000, "currency": "EUR"}}, ["Annual revenue: 1250.00 EUR"]),
        ({"stage": "lead", "do_not_contact": True}, ["Stage: Lead", "Do not contact: yes"]),
        ({"address": {"street": "Quay 1", "city": "Berlin"}}, ["Address: Quay 1, Berlin"]),
        ({"tags/port": True, "tags/crane": True}, ["Tags: crane, port"]),
        ({"industry": None, "employees": 12}, ["Industry: (empty)", "Employees: 12"]),
        ({"stage": "married"}, ["Stage: {\"stage\": \"married\"}"]),
        ({PHONE: "rubbish"}, [f"Phones: {{\"{PHONE}\": \"rubbish\"}}"]),
        ({"planet": {"name": "Mars"}}, ["planet: {\"name\": \"Mars\"}"]),
    ],
)  # fmt: skip
def test_a_change_is_written_as_show_writes_it(cells: dict[str, object], lines: list[str]) -> None:
    assert refused_rows.written("customer", cells) == lines


def test_a_moment_and_a_reference_in_words() -> None:
    customer = "01a204d5-88b0-7000-823e-fcb806beac4e"
    cells = {"at": {"at": 1_795_354_200_000, "zone": "Europe/Berlin"}, "customer": customer}
    assert refused_rows.written("activity", cells) == [
        "When: 2026-11-22 13:30+00:00",
        f"Customer: {customer}",
    ]
    assert refused_rows.written("unicorn", {"horn": 1}) == ["horn: 1"]


def test_one_that_was_taken_in_later_says_so() -> None:
    kept = RefusedView(
        kind="customer", record="01", device="laptop", enrolment="e", person="ana@example.com", rule="gone", at=0
    )  # fmt: skip
    assert len(refused_rows.row(kept)) == len(refused_rows.heads())
    assert refused_rows.row(kept)[-1] == ""
    taken = RefusedView(
        kind="customer", record="01", device="laptop", enrolment="e", person="a", rule="gone", at=0, taken=True
    )  # fmt: skip
    assert refused_rows.row(taken)[-1] == "taken in"
    assert refused_rows.as_json(taken, None)["taken"] is True

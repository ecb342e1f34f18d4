"""The report on a lost laptop: what lay on it, four levels of risk with their reasons, a draft of the notice."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sync.console.web import losses, wording
from sync.protocol.consoles import Dossier, FleetRow, Proof
from sync.protocol.desk import Holding, HoldsView, OrderView
from tests.console.visitor import ConsoleInside, Visitor
from tests.server.driver import Device

HOUR = 3_600_000
NOW = 1_795_357_800_000


def row(**other: Any) -> FleetRow:
    fields: dict[str, Any] = {
        "enrolment": "e", "id": "i", "name": "LAP", "person": "ana@example.com", "team": "Sales", "state": "active",
        "pending": "", "last_seen": NOW - HOUR, "unsent": 0, "platform": "Linux", "app_version": "1", "enrolled": 1,
        "lease_left": 400 * HOUR,
    }  # fmt: skip
    return FleetRow(**{**fields, **other})


def holds(restricted: int = 0, records: int = 5) -> HoldsView:
    kind = Holding(kind="customer", records=records, deleted=0, leaving=0, coming=0,
                   classes={"confidential": records, "restricted": restricted})  # fmt: skip
    return HoldsView(
        device="LAP", id="i", enrolment="e", person="ana@example.com", state="active", confirmed=True, exact=True,
        read=1, head=1, care="restricted", care_next="restricted", kinds=[kind] if records else [],
    )  # fmt: skip


def lock(at: int) -> OrderView:
    return OrderView(
        number=1, id="o", op="lock", device="LAP", enrolment="e", state="done", reason="", signers=["server"],
        filed=at - 1, reported=at, expires=NOW * 2,
    )  # fmt: skip


PROOF = Proof(received=NOW, finished=NOW - HOUR // 2, keys=3, keys_gone=3, files=9, files_failed=0, records=0)


@pytest.mark.parametrize(
    ("level", "device", "more"),
    [
        (losses.NONE, row(state="wiped"), {"proof": PROOF}),
        (losses.NONE, row(state="wiped"), {"proof": PROOF, "lost": NOW - HOUR}),
        (losses.LOW, row(state="wiped"), {"proof": PROOF, "lost": NOW - 9 * HOUR}),
        (losses.NONE, row(), {"records": 0}),
        (losses.LOW, row(state="locked"), {"orders": [lock(NOW - HOUR)]}),
        (losses.LOW, row(lease_left=-1), {}),
        (losses.MEDIUM, row(posture={"disk_encryption": True}), {}),
        (losses.MEDIUM, row(), {"pin": True}),
        (losses.HIGH, row(), {}),
        (losses.HIGH, row(posture={"disk_encryption": False}), {}),
        (losses.HIGH, row(state="wiped"), {"proof": Proof(received=1, finished=1, keys=3, keys_gone=2, files=0,
                                                          files_failed=0, records=0)}),
    ],
)  # fmt: skip
def test_the_risk_has_four_levels_and_says_why(level: int, device: FleetRow, more: dict[str, Any]) -> None:
    dossier = Dossier(
        row=device, orders=more.get("orders", []), sealed_records=0, refused=0, proof=more.get("proof")
    )
    risk = losses.risk_of(
        dossier, holds(records=more.get("records", 5)), more.get("lost", 0), NOW, pin=more.get("pin", False)
    )
    assert risk.level == level, risk.reasons
    assert len(risk.reasons) > 1
    assert risk.word.text


def test_the_report_counts_by_kind_and_class_and_drafts_the_notice(
    inside: ConsoleInside, admin: Visitor
) -> None:
    laptop = inside.device(inside.person("ana@example.com"), "LAP-0388")
    inside.skew = 1_000  # it comes back a second after it was let in
    for name in ("Café Größe", "王芳"):
        laptop.add("customer", name=name)
    laptop.sync()
    path = f"/devices/{laptop.enrolment}"
    page = admin.get(f"{path}/report?lost=2026-11-30T14:01")
    text = " ".join(page.plain.split())
    assert "Customer 2 0" in text
    assert "about 2 people and companies" in text
    assert "72 hours" in text
    draft = admin.get(f"{path}/notice.txt?lost=2026-11-30T14:01")
    assert draft.heads["content-disposition"] == 'attachment; filename="notice.txt"'
    for words in (
        "DRAFT: notice of a personal data breach",
        "2026-11-30 14:01:00 UTC",
        "LAP-0388",
        "Customer: 2",
        "Example",
    ):
        assert words in draft.text
    ids = admin.get(f"{path}/records.csv").text.splitlines()
    assert ids[0] == "kind,id"
    assert len(ids) == 3
    for each in (page.text, draft.text, "\n".join(ids)):
        assert "Größe" not in each  # the console is IT's: no name and no value
        assert "王芳" not in each
    with inside.store.read() as tx:
        assert [line.verb for line in tx.post.audit_lines()].count("report on a loss") == 2
    for odd in ("x", "2026-99-99T00:00", "9" * 40, "0001-01-01T00:00"):
        assert admin.get(f"{path}/report?lost={odd}").status == 200


def test_a_wipe_in_time_says_so(inside: ConsoleInside, admin: Visitor) -> None:
    laptop: Device = inside.device(inside.person("ana@example.com"), "LAP-0388")
    laptop.add("customer", name="Café Größe")
    laptop.sync()
    laptop.hand_in(laptop.receipt(inside.wipe(laptop)))
    text = admin.get(f"/devices/{laptop.enrolment}/report").plain
    assert "Hardly any" in text
    assert "Its keys are destroyed, under its own signature" in text


def test_after_the_wipe_the_report_counts_what_lay_on_it(inside: ConsoleInside, admin: Visitor) -> None:
    laptop: Device = inside.device(inside.person("ana@example.com"), "LAP-0388")
    inside.skew = 1_000
    for name in ("Betatech", "Cetus"):
        laptop.add("customer", name=name)
    laptop.sync()
    laptop.sync()
    laptop.hand_in(laptop.receipt(inside.wipe(laptop)))
    path = f"/devices/{laptop.enrolment}"
    text = " ".join(admin.get(f"{path}/report").plain.split())
    assert "Customer 2 0" in text
    assert "about 2 people and companies" in text
    assert "no record lay on it" not in text
    assert "by id" not in text  # counts alone are kept
    draft = admin.get(f"{path}/notice.txt").text
    assert "Customer: 2" in draft
    assert "about 2 people and companies" in draft


def test_what_lay_on_it_is_not_known_where_nobody_counted(inside: ConsoleInside, admin: Visitor) -> None:
    laptop: Device = inside.device(inside.person("ana@example.com"), "LAP-0388")
    inside.skew = 1_000
    laptop.add("customer", name="Betatech")
    laptop.sync()
    laptop.hand_in(laptop.receipt(inside.wipe(laptop)))
    with inside.store.write() as tx:
        tx.consoles.put_lain(laptop.enrolment, b"\xc0")  # it was wiped before this was kept
    path = f"/devices/{laptop.enrolment}"
    for text in (admin.get(f"{path}/report").plain, admin.get(f"{path}/notice.txt").text):
        assert "not known" in text
        assert "Hardly any" not in text
        assert "about 0" not in text
        assert "no record lay" not in text
    assert "Low" in admin.get(f"{path}/report").plain


def test_a_wipe_that_is_not_proven_is_no_device_that_will_lock_itself() -> None:
    dossier = Dossier(row=row(state="wiped"), orders=[], sealed_records=0, refused=0)
    risk = losses.risk_of(dossier, None, 0, NOW, pin=False)
    assert risk.level == losses.HIGH
    assert not any("locks itself" in each for each in risk.reasons)
    assert any("no receipt of its own" in each for each in risk.reasons)


def test_a_device_that_wiped_itself_is_shown_by_its_receipt_and_not_by_an_older_order() -> None:
    proof = msgspec.structs.replace(PROOF, because="silence", records=2)
    dossier = Dossier(row=row(state="wiped"), orders=[lock(NOW)], sealed_records=2, refused=0, proof=proof)
    assert wording.under_way(dossier) is None
    steps = wording.of_proof(proof)
    assert [each.done for each in steps] == [True] * 4
    assert steps[0].detail == "2 sealed changes"
    assert losses.risk_of(dossier, holds(), 0, NOW, pin=False).level == losses.NONE

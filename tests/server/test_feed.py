"""Changes go out to whom they concern, each record once, in its newest state; what leaves someone's sight is named."""

from __future__ import annotations

import msgspec
import pytest

from sync.protocol import messages
from sync.protocol.errors import Problem
from sync.protocol.ids import new_incarnation
from sync.protocol.messages import Cursor
from sync.protocol.ops import Act
from sync.server import feed
from tests.server.driver import Device, Refusal, Reply
from tests.server.inside import Inside

ON_BOTH_STORES = True


def names(device: Device) -> set[str]:
    """What the device holds."""
    return {device.cells(id_)["name"] for id_ in device.rows}


def test_own_changes_do_not_come_back(ana: Device) -> None:
    ana.add("customer", name="Northwind")
    assert not ana.exchange().changes
    assert not ana.exchange().changes


def test_a_device_that_begins_anew_gets_its_own_records_too(inside: Inside, ana: Device) -> None:
    ana.add("customer", name="Before")
    ana.sync()
    ana.cursor, ana.rows = Cursor(), {}
    ana.sync()
    assert names(ana) == {"Before"}
    ana.incarnation, ana.n, ana.session = new_incarnation(), 0, None
    ana.cursor, ana.rows = Cursor(), {}
    ana.add("customer", name="After")
    ana.sync()
    assert names(ana) == {"Before", "After"}


def test_a_restored_copy_gets_back_what_it_had_sent_later(ana: Device) -> None:
    """Its cursor is old and its own newer changes are not in it: they are those of another incarnation."""
    ana.sync()
    old = ana.cursor
    ana.add("customer", name="After the backup")
    ana.sync()
    ana.cursor, ana.rows = old, {}
    ana.incarnation, ana.n, ana.session = new_incarnation(), 0, None
    ana.sync()
    assert names(ana) == {"After the backup"}


def test_pages_are_cut_by_rows_and_by_bytes_and_lose_nothing(ana: Device, bo: Device) -> None:
    for number in range(messages.PAGE_ROWS + 150):
        ana.add("customer", name=f"Customer {number}")
    ana.sync()
    first = bo.exchange()
    assert (len(first.changes), first.head.more) == (messages.PAGE_ROWS, True)
    ana.edit(next(iter(ana.rows)), name="Changed between two pages")
    ana.sync()
    bo.sync()
    assert names(bo) == names(ana)
    assert not bo.exchange().changes
    for number in range(40):
        ana.add("customer", name=f"Large {number}", notes="x" * 60_000)
    while ana.waiting:
        ana.exchange(ana.waiting[:10])
    page = bo.exchange()
    assert page.head.more
    assert 0 < len(page.changes) < 40
    bo.sync()
    assert names(bo) == names(ana)


def test_a_page_that_only_passes_over_others_goes_on(
    inside: Inside, ana: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "LOOKED_AT_MAX", 20)
    for number in range(50):
        ana.add("customer", name=f"Customer {number}")
    ana.add("product", name="For all")
    ana.sync()
    cora = inside.device(inside.person("cora@example.com", team="Elsewhere"))
    page = cora.exchange()
    assert (page.changes, page.head.more) == ([], True)
    cora.sync()
    assert names(cora) == {"For all"}


def test_a_record_changed_often_goes_out_once(ana: Device, bo: Device) -> None:
    id_ = ana.add("customer", name="Northwind")
    for number in range(10):
        ana.sync()
        ana.edit(id_, industry=f"No. {number}")
    ana.sync()
    reply = bo.exchange()
    assert len(reply.changes) == 1
    assert bo.cells(id_)["industry"] == "No. 9"
    assert (reply.changes[0].person, reply.changes[0].hlc > 0) == ("ana@example.com", True)


def test_a_deleted_record_goes_out_as_deleted(ana: Device, bo: Device) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    bo.sync()
    ana.delete(id_)
    ana.sync()
    (change,) = bo.exchange().changes
    assert (change.gone, change.cells) == ("deleted", {})


def test_a_record_given_to_another_team_leaves(inside: Inside, ana: Device, bo: Device) -> None:
    cora = inside.device(inside.person("cora@example.com", team="Elsewhere"))
    id_ = ana.add("customer", name="Northwind")
    for device in (ana, bo, cora):
        device.sync()
    assert (id_ in bo.rows, id_ in cora.rows) == (True, False)
    ana.edit(id_, owner="Cora@Example.com")
    reply = ana.exchange()
    assert [(change.id, change.gone) for change in reply.changes] == [(id_, "left")]
    assert [change.gone for change in bo.exchange().changes] == ["left"]
    assert [change.gone for change in cora.exchange().changes] == [""]
    cora.edit(id_, industry="Tea")
    cora.sync()
    assert not bo.exchange().changes  # named once; later changes are none of theirs
    assert not ana.exchange().changes


def test_a_record_that_left_before_the_cut_of_a_page_and_changed_behind_it_leaves(
    inside: Inside, ana: Device, bo: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    cora = inside.device(inside.person("cora@example.com", team="Elsewhere"))
    id_ = ana.add("customer", name="Northwind")
    for device in (ana, bo, cora):
        device.sync()
    ana.edit(id_, owner="cora@example.com")
    for number in range(3):
        ana.add("customer", name=f"Southwind {number}")
    ana.sync()
    cora.sync()
    cora.edit(id_, industry="Tea")  # its newest change is behind the page that tells of what came before
    cora.sync()
    monkeypatch.setattr(feed, "PAGE_ROWS", 2)
    first = bo.exchange()
    assert first.head.more
    bo.sync()
    assert id_ not in bo.rows
    assert len(bo.rows) == 3


def test_a_record_that_came_and_went_between_two_exchanges_leaves(inside: Inside, ana: Device) -> None:
    cora = inside.device(inside.person("cora@example.com", team="Elsewhere"))
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    old = ana.cursor
    ana.edit(id_, owner="cora@example.com")
    ana.sync()
    cora.sync()
    for number in range(3):
        cora.edit(id_, industry=f"No. {number}")
        cora.sync()
    ana.cursor = old
    assert [change.gone for change in ana.exchange().changes] == ["left"]


def test_a_record_made_for_somebody_else_goes_there_and_leaves(inside: Inside, ana: Device) -> None:
    cora = inside.device(inside.person("cora@example.com", team="Elsewhere"))
    id_ = ana.add("customer", name="Handed over", owner="cora@example.com")
    ana.sync()
    assert id_ not in ana.rows
    cora.sync()
    assert id_ in cora.rows


def test_an_owner_without_an_account_leaves_the_record_with_its_maker(
    inside: Inside, ana: Device, bo: Device
) -> None:
    id_ = ana.add("customer", name="Imported", owner="zed@example.com")
    ana.sync()
    bo.sync()
    assert id_ in ana.rows
    assert id_ in bo.rows
    zed = inside.device(inside.person("zed@example.com", team="Elsewhere"))
    zed.sync()
    assert id_ in zed.rows
    for device in (ana, bo):
        device.sync()
        assert id_ not in device.rows


def test_a_person_who_moves_takes_the_records_along(inside: Inside, ana: Device, bo: Device) -> None:
    cora = inside.device(inside.person("cora@example.com", team="Elsewhere"))
    for device, name in ((ana, "Ana's"), (bo, "Bo's"), (cora, "Cora's")):
        device.add("customer", name=name)
        device.add("product", name=f"{name} product")
    for device in (ana, bo, cora) * 2:
        device.sync()
    products = {"Ana's product", "Bo's product", "Cora's product"}
    assert names(bo) - products == {"Ana's", "Bo's"}
    inside.person("bo@example.com", team="Elsewhere")
    for device in (ana, bo, cora):
        device.sync()
    assert names(ana) - products == {"Ana's"}
    assert names(bo) - products == names(cora) - products == {"Bo's", "Cora's"}
    assert not bo.exchange().changes


def test_going_through_everything_again_can_be_cut_anywhere(
    inside: Inside, ana: Device, bo: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A changed role is gone through page by page; rights that change in the midst begin anew."""
    for number in range(30):
        ana.add("customer", name=f"Ana's {number}")
    ana.sync()
    bo.sync()
    monkeypatch.setattr(feed, "LOOKED_AT_MAX", 7)
    inside.person("bo@example.com", team="Elsewhere")
    half = bo.exchange()
    assert half.head.more
    assert {change.gone for change in half.changes} == {"left"}
    inside.person("bo@example.com", team="Sales")
    bo.sync()
    assert len(bo.rows) == 30
    inside.person("bo@example.com", role="it", team="Sales")
    bo.sync()
    assert not bo.rows


def test_a_conflict_goes_to_those_who_see_the_record_alone(inside: Inside, ana: Device, bo: Device) -> None:
    cora = inside.device(inside.person("cora@example.com", team="Elsewhere"))
    eve = inside.device(inside.person("eve@example.com", role="privacy", team=""))
    dan = inside.device(inside.person("dan@example.com", role="manager", team="Sales"))
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    bo.sync()
    ana.edit(id_, stage="lead")
    bo.edit(id_, stage="prospect")
    for device in (ana, bo, ana, cora, dan, eve):
        device.sync()
    assert ana.conflicts == bo.conflicts == dan.conflicts != {}
    assert not cora.conflicts
    assert not eve.conflicts
    bo.edit(id_, owner="cora@example.com")
    bo.sync()
    cora.sync()
    assert {each.cell for each in cora.conflicts.values()} == {"stage"}


def test_a_conflict_that_changed_no_row_reaches_others(ana: Device, bo: Device) -> None:
    """The held value makes no new version of the record, and still everyone hears of it."""
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    bo.sync()
    ana.edit(id_, stage="lead")
    ana.sync()
    bo.edit(id_, stage="prospect")
    bo.sync()
    reply = ana.exchange()
    assert not reply.changes
    assert len(reply.conflicts) == 1


def test_conflicts_fill_a_page_too_and_none_is_lost(inside: Inside, ana: Device, bo: Device) -> None:
    old = ana.add("customer", name="Disputed, and not changed")
    ana.sync()
    bo.sync()
    for number in range(12):
        ana.add("customer", name=f"Disputed {number}")
    ana.sync()
    kept: set[bytes] = set()
    for record, row in ana.rows.items():
        if record != old:
            kept |= inside.disputed(record, 40, row.ver) | inside.disputed(old, 40, row.ver)
    bytes_max = feed.PAGE_BYTES + 3 * 40 * 5_000  # the page that one number more has filled
    cora = inside.device(inside.person("cora@example.com", team="Elsewhere"))
    for device, pages in ((bo, 4), (cora, 1)):
        more, came, rows = True, [], 0
        while more:
            reply = device.exchange()
            assert len(reply.conflicts) * 5_000 < bytes_max
            came += [conflict.id for conflict in reply.conflicts]
            rows += len(reply.changes)
            more, pages = reply.head.more, pages - 1
        assert (pages, rows) == ((0, 12) if device is bo else (0, 0))
        assert (len(came), set(came)) == ((len(kept), kept) if device is bo else (0, set()))


@pytest.mark.expected_warnings("set_back")
def test_a_cursor_of_another_history_is_refused(ana: Device) -> None:
    ana.add("customer", name="Northwind")
    ana.sync()
    real = ana.cursor
    for wrong in (
        msgspec.structs.replace(real, epoch=b"\1" * 16),
        msgspec.structs.replace(real, seq=real.seq + 1),
    ):
        ana.cursor = wrong
        with pytest.raises(Refusal) as refusal:
            ana.exchange()
        assert refusal.value.trouble.problem is Problem.EPOCH
    ana.cursor = Cursor()
    ana.exchange()
    assert ana.cursor == real


def test_a_cursor_of_another_history_brings_no_ops_in(ana: Device) -> None:
    ana.add("customer", name="Northwind")
    ana.cursor = Cursor(epoch=b"\1" * 16, seq=0)
    with pytest.raises(Refusal):
        ana.exchange()
    ana.cursor = Cursor()
    reply = ana.exchange()
    assert reply.head.acked_n == 1


def test_privacy_sees_that_everything_is_there_and_whom_it_is_about_nowhere(
    inside: Inside, ana: Device
) -> None:
    ana.add(
        "customer",
        name="Northwind",
        industry="Tea",
        phones=[{"label": "work", "value": "+1 555 0100"}],
        emails=[{"label": "", "value": "office@northwind.example"}],
        address={"street": "1 Harbour Road", "country": "NZ"},
        tax_number="99-1234567",
        notes="said in a lift",
        revenue={"minor": 1, "currency": "USD"},
    )
    ana.sync()
    eve = inside.device(inside.person("eve@example.com", role="privacy", team=""))
    reply = eve.exchange()
    (change,) = reply.changes
    cells = eve.cells(change.id)
    assert cells["industry"] == "Tea"
    assert cells["name"] == "•••"
    assert cells["address"] == {"country": "NZ"}
    raw = msgspec.msgpack.encode([change, *reply.conflicts])
    for secret in ("Northwind", "0100", "northwind", "Harbour", "1234567", "lift", "ana@", "revenue"):
        assert secret.encode() not in raw


def answers(reply: Reply) -> tuple[int, int]:
    return len(reply.results), len(reply.changes)


def test_a_locked_device_gives_its_work_and_gets_no_records(inside: Inside, ana: Device, bo: Device) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    bo.sync()
    ana.edit(id_, industry="Tea")
    ana.sync()
    inside.lock(bo)
    bo.edit(id_, industry="Coffee")
    before = bo.cursor
    reply = bo.exchange()
    assert answers(reply) == (1, 0)
    assert reply.results[0].row is None
    assert not reply.conflicts
    assert bo.cursor == before
    ana.sync()
    assert ana.cells(id_)["industry"] == "Coffee"
    inside.unlock(bo)
    bo.sync()
    assert bo.cells(id_)["industry"] == "Coffee"


def test_undeleting_brings_the_record_back_everywhere(ana: Device, bo: Device) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    bo.sync()
    ver = bo.rows[id_].ver
    bo.delete(id_)
    bo.sync()
    ana.sync()
    assert id_ not in ana.rows
    bo.op("customer", id_, Act.UNDELETE, {}, base=ver + 1)
    bo.exchange()
    ana.sync()
    assert ana.cells(id_)["name"] == "Northwind"


def test_a_record_comes_back_whole_to_a_device_that_never_held_it(ana: Device, bo: Device) -> None:
    id_ = ana.add("customer", name="Northwind", industry="Tea")
    ana.sync()
    ana.delete(id_)
    ana.sync()
    bo.sync()
    assert id_ not in bo.rows
    bo.op("customer", id_, Act.UNDELETE, {}, base=bo.cursor.seq)
    bo.sync()
    assert bo.cells(id_) == {**bo.cells(id_), "name": "Northwind", "industry": "Tea"}
    bo.edit(id_, name="Northwind Ltd")
    bo.sync()
    ana.sync()
    assert ana.cells(id_)["name"] == "Northwind Ltd"
    assert not ana.conflicts

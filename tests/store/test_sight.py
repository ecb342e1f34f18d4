"""What is hidden from a device's person: never taken for empty, never written, and gone with every trace once it is."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from app.store import conflicts, outbox, records, search
from app.store.pages import End, Pages
from app.store.replica import StoreReplica
from app.store.store import Store
from sync.client.ports import Answer
from sync.protocol.errors import FieldProblem, Outcome, Rejection
from sync.protocol.fields import Care
from sync.protocol.ids import new_record_id
from sync.protocol.merge import Conflict
from sync.protocol.messages import Change, Cursor, OpResult
from tests.store import pages
from tests.store.device import CONTACT, CUSTOMER, Device
from tests.store.exchanges import row
from tests.store.server import EPOCH

TAX = "XQ90817263ZV"
WORDS = ("pangolinquark", "zyzzyvastreet", TAX)


def lay(
    store: Store, *changes: Change, care: int = Care.RESTRICTED, scopes: int = 1, seq: int = 9, **more: object
) -> None:
    """One page, read under these rights."""
    cursor = Cursor(epoch=EPOCH, seq=seq, scopes=scopes, care=care)
    answer = Answer(cursor, 0, 0, changes=list(changes))
    StoreReplica(store).apply(msgspec.structs.replace(answer, **more))


def refused(n: int) -> list[OpResult]:
    """The server's word on an op that it did not take."""
    return [OpResult(n=n, outcome=Outcome.REJECTED, code=Rejection.FORBIDDEN, hint="Ask IT.")]


def test_a_hidden_field_is_not_written(store: Store) -> None:
    id_ = bytes(new_record_id())
    lay(store, row(id_, 3, name="Anna Ltd"), care=Care.CONFIDENTIAL)
    with pytest.raises(FieldProblem) as told:
        records.edit(store, id_, {"industry": "Tea", "tax_number": "DE1"})
    assert told.value.field == "tax_number"
    with pytest.raises(FieldProblem):
        records.edit(store, id_, {"tax_number": "DE1"})
    with pytest.raises(FieldProblem):
        records.add(store, CUSTOMER, {"name": "Ben Ltd", "tax_number": "DE1"})
    assert store.unsent() == 0
    records.edit(store, id_, {"industry": "Tea"})
    records.edit(store, id_, {"industry": "Tea", "tax_number": None})  # as it stands: nothing is written
    records.add(store, CUSTOMER, {"name": "Ben Ltd"})
    assert store.unsent() == 2


def test_where_the_name_is_hidden_no_record_is_made_and_no_mask_changed(store: Store) -> None:
    id_ = bytes(new_record_id())
    phone: dict[str, Any] = {"phones/0011223344556677": {"label": "work", "value": "•••33"}}
    lay(store, row(id_, 3, name="•••", **phone), care=Care.INTERNAL)
    for kind in (CUSTOMER, CONTACT):
        with pytest.raises(FieldProblem) as told:
            records.add(store, kind, {"name": "New"})
        assert told.value.field == "name"
    with pytest.raises(FieldProblem):
        records.edit(store, id_, {"phones": None})
    assert records.edit(store, id_, {"industry": "Tea"}).values["phones"][0]["value"] == "•••33"


def test_a_reading_from_the_start_knows_masks_from_values(store: Store) -> None:
    lay(store, row(bytes(new_record_id()), 3, name="•••"), care=Care.INTERNAL)
    StoreReplica(store).restart()
    assert store.here().cursor == Cursor(care=Care.INTERNAL)


def test_a_refused_change_of_a_hidden_field_loses_its_words(device: Device, store: Store) -> None:
    """It was written before anybody here knew that the field is hidden; the server has it now."""
    id_ = bytes(new_record_id())
    lay(store, row(id_, 3, name="Anna Ltd"))
    records.edit(store, id_, {"tax_number": TAX, "source": "pangolinquark"})
    lay(store, row(id_, 3, name="Anna Ltd"), care=Care.CONFIDENTIAL, scopes=2, acked_n=1, results=refused(1))
    (left,) = conflicts.attention(store)
    assert (left.op, left.code, left.title) == (None, "forbidden", "Anna Ltd")
    assert records.get(store, id_).values == {"name": "Anna Ltd"}
    assert search.find(store, TAX) == []
    device.close()
    assert pages.holding(device.profile.store, device.key, *WORDS) == []


def test_a_new_record_that_was_refused_for_a_hidden_field_leaves_nothing(
    device: Device, store: Store
) -> None:
    made = records.add(store, CUSTOMER, {"name": "pangolinquark", "tax_number": TAX})
    lay(store, care=Care.CONFIDENTIAL, scopes=2, acked_n=1, results=refused(1))
    assert store.counts()["customer"] == 0
    assert [each.id for each in conflicts.attention(store)] == [made.id]
    device.close()
    assert pages.holding(device.profile.store, device.key, *WORDS) == []


def test_what_becomes_hidden_goes_with_every_trace(device: Device, store: Store) -> None:
    """Rows, rows below waiting ops, search words, conflicts, refused and taken ops: on no page, free or in the log."""
    ids = [bytes(new_record_id()) for _each in range(40)]
    full = [
        row(
            id_, 3 + at, name=f"Customer {at}", tax_number=TAX, notes="pangolinquark",
            address={"street": "zyzzyvastreet"},
        )
        for at, id_ in enumerate(ids)
    ]  # fmt: skip
    open_one = Conflict(
        id=b"c" * 16, kind="customer", record=ids[0], cell="tax_number", shown=TAX, kept="KX1", ver=60
    )
    other = Conflict(
        id=b"d" * 16, kind="customer", record=ids[0], cell="industry", shown="Tea", kept="Coffee", ver=61
    )
    lay(store, *full, seq=70, conflicts=[open_one, other])
    records.edit(store, ids[1], {"tax_number": f"{TAX}1"})  # taken
    records.edit(store, ids[2], {"tax_number": f"{TAX}2"})  # refused for another reason, long ago
    lay(
        store, seq=71, acked_n=2, results=[OpResult(n=1, outcome=Outcome.OK, ver=71), *refused(2)],
    )  # fmt: skip
    records.edit(store, ids[3], {"industry": "Waits"})  # its base holds all
    assert store.db.one("SELECT count(*) FROM op_archive") == (1,)
    assert {hit.record.id for hit in search.find(store, "pangolinquark", limit=99)} == set(ids)
    store.db.checkpoint()
    assert set(pages.holding(device.profile.store, device.key, *WORDS)) == set(WORDS)

    vers = {**{each.id: each.ver for each in full}, ids[1]: 71}
    masked = [row(id_, vers[id_], name="•••", notes="•••") for id_ in ids]
    lay(store, *masked[:20], care=Care.INTERNAL, scopes=-2, seq=20)
    assert [each.conflict.id for each in conflicts.open_conflicts(store)] == [other.id]
    assert [each.op for each in conflicts.attention(store)] == [None]
    lay(store, *masked[20:], care=Care.INTERNAL, scopes=2, seq=72, durable_seq=72)
    assert store.db.one("SELECT count(*) FROM op_archive") == (0,)
    assert outbox.bases(store.db, [ids[3]])[ids[3]][2] == {"name": "•••", "notes": "•••"}
    assert records.get(store, ids[3]).values == {"name": "•••", "notes": "•••", "industry": "Waits"}
    assert records.get(store, ids[0]).conflicts == 1
    for word in WORDS:
        assert search.find(store, word) == []
    assert pages.holding(device.profile.store, device.key, *WORDS) == []
    device.close()
    assert pages.holding(device.profile.store, device.key, *WORDS) == []


def test_a_deleted_record_keeps_nothing_of_what_is_hidden(device: Device, store: Store) -> None:
    """The server sends none of its cells again."""
    id_, waiting = bytes(new_record_id()), bytes(new_record_id())
    for each in (id_, waiting):
        lay(store, row(each, 3, name="pangolinquark", tax_number=TAX, industry="Tea"))
        lay(store, row(each, 4, gone="deleted"))
    records.undelete(store, waiting)
    gone = (row(id_, 4, gone="deleted"), row(waiting, 4, gone="deleted"))
    lay(store, *gone, care=Care.INTERNAL, scopes=2)
    assert records.get(store, id_).values == {"industry": "Tea"}
    assert outbox.bases(store.db, [waiting])[waiting] == (4, True, {"industry": "Tea"})
    lay(store, row(waiting, 5, name="•••", industry="Tea"), care=Care.INTERNAL, scopes=2, acked_n=1)
    device.close()
    assert pages.holding(device.profile.store, device.key, *WORDS) == []


def test_pages_laid_in_beside_leave_to_the_store_what_goes_beside_the_rows(store: Store) -> None:
    ids = [bytes(new_record_id()) for _each in range(3)]
    lay(store, *(row(id_, 3 + at, name=f"Customer {at}", tax_number=TAX) for at, id_ in enumerate(ids)))
    beside = Pages(store)

    def ends(scopes: int, care: int, *, more: bool) -> bool:
        beside.lay([row(ids[0], 3, name="Customer 0")], 0)
        return beside.commit(End(Cursor(epoch=EPOCH, seq=4, scopes=scopes, care=care), 0, more))

    assert not ends(-2, Care.CONFIDENTIAL, more=True)  # it becomes hidden with this page
    assert store.here().cursor.care == Care.RESTRICTED
    lay(store, care=Care.CONFIDENTIAL, scopes=-2, seq=4)
    assert ends(-2, Care.CONFIDENTIAL, more=True)
    assert not ends(2, Care.CONFIDENTIAL, more=False)  # and has gone with this one
    lay(store, *(row(id_, 6, name="Customer") for id_ in ids[1:]), care=Care.CONFIDENTIAL, scopes=2)
    assert ends(2, Care.CONFIDENTIAL, more=False)
    assert search.find(store, TAX) == []


def test_what_leaves_is_on_no_page(device: Device, store: Store) -> None:
    id_ = bytes(new_record_id())
    lay(store, row(id_, 3, name="pangolinquark", tax_number=TAX, address={"street": "zyzzyvastreet"}))
    records.edit(store, id_, {"notes": f"{TAX} again"})
    assert search.find(store, TAX)
    store.db.checkpoint()
    assert set(pages.holding(device.profile.store, device.key, *WORDS)) == set(WORDS)
    lay(store, row(id_, 4, gone="left"), acked_n=1, results=refused(1))
    assert pages.holding(device.profile.store, device.key, *WORDS) == []


def test_an_answer_that_was_lost_brings_no_hidden_value_back(store: Store) -> None:
    """The op was taken before the field became hidden, and its author hears of it afterwards."""
    id_ = bytes(new_record_id())
    lay(store, row(id_, 3, name="Anna Ltd"))
    records.edit(store, id_, {"tax_number": TAX, "industry": "Tea"})
    taken = [OpResult(n=1, outcome=Outcome.OK, ver=4)]
    lay(store, care=Care.CONFIDENTIAL, scopes=-2, seq=1, acked_n=1, results=taken)
    assert records.get(store, id_).values == {"name": "Anna Ltd", "industry": "Tea"}
    assert search.find(store, TAX) == []

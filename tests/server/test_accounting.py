"""Of what a page takes away the log knows why, where it goes for a reason; and of nothing that goes without one."""

from __future__ import annotations

import msgspec
import pytest

from sync.protocol.messages import Change
from sync.server import feed
from tests.server.driver import Device, Reply
from tests.server.inside import Inside

ON_BOTH_STORES = True


def gone(reply: Reply) -> int:
    """How many records an answer takes away."""
    return sum(bool(each.gone) for each in reply.changes)


@pytest.fixture
def many(ana: Device, bo: Device) -> list[bytes]:
    """Customers of Ana that Bo holds as well."""
    ids = [ana.add("customer", name=f"Customer {at}", territory="North") for at in range(12)]
    for device in (ana, bo):
        device.sync()
    return ids


def test_deletes_are_accounted_for(ana: Device, bo: Device, many: list[bytes]) -> None:
    for id_ in many:
        ana.delete(id_)
    ana.sync()
    reply = bo.exchange()
    assert (gone(reply), reply.head.accounted) == (12, 12)
    fresh = bo.exchange(cursor=msgspec.structs.replace(bo.cursor, epoch=b"", seq=0))
    assert (gone(fresh), fresh.head.accounted) == (12, 12)


def test_moves_are_accounted_for(inside: Inside, ana: Device, bo: Device, many: list[bytes]) -> None:
    cora = inside.device(inside.person("cora@example.com", team="Elsewhere"))
    for id_ in many[:5]:
        ana.edit(id_, owner="cora@example.com")
    ana.add("customer", name="For Cora", owner="cora@example.com")
    own = ana.exchange()
    assert (gone(own), own.head.accounted) == (6, 6)
    reply = bo.exchange()
    assert (gone(reply), reply.head.accounted) == (5, 5)
    cora.sync()
    inside.person("ana@example.com", team="Elsewhere")
    reply = bo.exchange()
    assert (gone(reply), reply.head.accounted) == (7, 7)


def test_rights_and_territories_are_accounted_for(inside: Inside, bo: Device, many: list[bytes]) -> None:
    inside.office.grant_territory("bo@example.com", "North")
    bo.sync()
    inside.office.move_territory("North", "West")
    bo.sync()
    inside.office.grant_territory("bo@example.com", "South")
    inside.office.revoke_territory("bo@example.com", "West")
    reply = bo.exchange()
    assert (gone(reply), reply.head.accounted) == (len(many), len(many))
    inside.office.add_person("bo@example.com", "rep", "Elsewhere", "")
    bo.sync()
    inside.office.move_team("Elsewhere", "Sales")
    bo.sync()


def test_what_the_log_knows_nothing_of_is_not(
    ana: Device, bo: Device, many: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A feed that has gone wrong takes away whatever it looks at; the log does not say that anything happened."""
    for id_ in many:
        ana.edit(id_, industry="Tea")
    ana.sync()
    with monkeypatch.context() as patch:
        patch.setattr(
            feed,
            "as_seen",
            lambda rights, entry: Change(kind=entry.kind, id=entry.id, ver=entry.ver, gone="left"),
        )
        reply = bo.ask()
    assert (gone(reply), reply.head.accounted) == (12, 0)
    assert gone(bo.exchange()) == 0

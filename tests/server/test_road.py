"""The whole road over real TLS: an organisation, a server, two devices, lock, unlock, wipe, recover."""

from __future__ import annotations

from sync.protocol import documents, sealing, signing, trust
from sync.protocol.documents import Order, Policy
from sync.protocol.messages import Cursor
from tests.served import Server
from tests.server.driver import Device, Dial
from tests.server.running import Org


def test_two_laptops_from_first_code_to_recovered_work(org: Org, server: Server, dial: Dial) -> None:
    org.admin("person", "add", "ana@example.com", "--role", "rep", "--team", "Sales")
    org.admin("person", "add", "bo@example.com", "--role", "rep", "--team", "Sales")
    first = Device(dial(server.url, None), "laptop-a")
    first.enrol(org.code("ana@example.com"))
    assert first.root is not None
    ca = first.root.tls_ca[0]
    first.send = dial(server.url, ca)
    second = Device(dial(server.url, ca), "laptop-b")
    second.enrol(org.code("bo@example.com"))

    id_ = first.add("customer", name="Northwind", industry="Tea")
    first.sync()
    second.sync()
    assert second.cells(id_)["name"] == "Northwind"
    second.edit(id_, industry="Coffee")
    second.sync()
    first.sync()
    assert first.cells(id_)["industry"] == "Coffee"

    org.admin("lock", "laptop-b")
    (seen,) = [each for each in org.json("devices") if each["name"] == "laptop-b"]
    assert (seen["state"], seen["pending"], seen["receipt"]) == ("active", "lock", "none")
    order = _order(second)
    assert order.op == "lock"
    second.ask(state="locked", incarnation=b"\0" * 8, cursor=Cursor(), obeyed={order.order_id: "done"})
    assert _state(org, "laptop-b") == "locked"
    org.admin("unlock", "laptop-b", "--reason", "found")
    reply = second.ask(state="locked", incarnation=b"\0" * 8, cursor=Cursor(), ask_share=True)
    share = sealing.unseal(second.seal_key, sealing.SHARE, reply.paper("share").data)
    assert share == second.share
    order = _order(second)
    second.exchange(obeyed={order.order_id: "done"})
    assert _state(org, "laptop-b") == "active"

    second.edit(id_, notes="said in a lift")
    org.admin("wipe", "laptop-b", "--reason", "lost")
    assert _state(org, "laptop-b") == "wiping"
    wipe = second.ask(order_head=order.seq).paper("order").data
    assert second.hand_in(second.receipt(wipe)) == second.hand_in(second.receipt(wipe))
    assert org.admin("wipe", "laptop-b", "--reason", "lost", check=False).returncode == 1
    assert _state(org, "laptop-b") == "wiped"

    third = Device(dial(server.url, ca), "laptop-b")
    third.enrol(org.code("bo@example.com"))
    third.sync()
    told = org.json("recover", "laptop-b", "--to", "laptop-b")
    assert (told["changes"], told["handed_over"]) == (1, 1)
    packet = third.ask().paper("recovered")
    plain = sealing.unseal(third.seal_key, sealing.RECOVERED, packet.data)
    assert b"said in a lift" in plain
    assert org.json("recover", "laptop-b", "--to", "laptop-b")["handed_over"] == 0


def test_a_stopped_server_leaves_nothing_open(org: Org, server: Server) -> None:
    assert server.stop() == 0
    assert not (org.data / "admin.sock").exists()
    left = sorted(path.name for path in org.data.iterdir())
    assert left == ["ready", "server.json", "server.lock", "store.db"]
    assert list((org.data / "ready").iterdir()) == []
    assert [each["email"] for each in org.json("person", "list")] == ["it@example.com"]


def _state(org: Org, name: str) -> str:
    return str(next(each["state"] for each in org.json("devices") if each["name"] == name))


def _order(device: Device) -> Order:
    """The newest order, accepted by the rules of trust."""
    assert device.root is not None
    papers = [paper for paper in device.ask().papers if paper.kind == "order"]
    taken = trust.order(
        device.root, trust.Floors(), papers[-1].data, enrolment=device.enrolment, now=device.now()
    )
    return taken.order


def test_the_first_documents_pass_the_rules_of_trust(org: Org, server: Server, dial: Dial) -> None:
    org.admin("person", "add", "ana@example.com", "--role", "rep", "--team", "Sales")
    device = Device(dial(server.url, None), "laptop-a")
    given = device.enrol(org.code("ana@example.com"))
    assert device.root is not None
    policy, _floors = trust.policy(device.root, trust.Floors(), given.policy, device.now())
    assert (policy.offline.lock_h, policy.pin.required) == (504, False)
    envelope = signing.open_envelope(given.policy, Policy.TYPE)
    assert documents.parse(envelope.payload, Policy) == policy

"""What every server store must do with orders, receipts, papers and sealed outboxes; a part of the contract."""

from __future__ import annotations

import os
from typing import Any

import msgspec

from sync.protocol.consoles import Account, Passkey, PolicyDraft, Visit
from sync.server.db.base import Store
from sync.server.db.kept import (
    AuditLine,
    Device,
    FiledOrder,
    Packet,
    Person,
    Sealed,
    StoredReceipt,
)

DEVICE, INCARNATION = b"d" * 16, b"i" * 8


def device(**other: Any) -> Device:
    fields: dict[str, Any] = {
        "enrolment": "e1", "device": DEVICE, "name": "laptop", "keyid": "k1", "spki": b"s", "sealing_key": b"x",
        "person": b"p" * 16, "platform": "test", "enrolled": 1,
    }  # fmt: skip
    return Device(**{**fields, **other})


class PostContract:
    """A part of the contract: what goes between the office and devices, and the console's book."""

    def test_accounts_and_invitations_of_the_console(self, store: Store) -> None:
        made = Account(id=b"a" * 16, person=b"p" * 16, invite=b"i" * 32, invite_ends=9)
        with store.write() as tx:
            tx.people.put_person(Person(id=b"p" * 16, email="It@Example.com", role="it", team="IT"))
            tx.consoles.put_account(made)
        named = msgspec.structs.replace(made, email="It@Example.com", role="it")
        with store.read() as tx:
            found = (tx.consoles.account(b"a" * 16), tx.consoles.account_of(b"p" * 16))
            assert found == (named, named)
            assert tx.consoles.account_invited(b"i" * 32) == named
            assert tx.consoles.account_invited(b"") is None
            assert tx.consoles.account(b"x" * 16) is None
        changed = msgspec.structs.replace(
            named,
            password="$argon2id$",
            totp=b"s",
            totp_last=7,
            failed=2,
            invite=b"",
            invite_ends=0,
            admin_id="ad",
        )
        with store.write() as tx:
            tx.consoles.put_account(changed)
            assert tx.consoles.accounts() == [changed]
            assert tx.consoles.account_invited(b"") is None

    def test_passkeys_and_visits_of_the_console(self, store: Store) -> None:
        key = Passkey(id=b"k" * 32, account=b"a" * 16, purpose="order", public=b"spki", label="Größe", made=5)
        other = msgspec.structs.replace(key, id=b"l" * 32, purpose="sign-in", made=4)
        visits = [
            Visit(digest=bytes([n]) * 32, account=b"a" * 16, begun=n, seen=10 * n, way="passkey", browser="x")
            for n in (1, 2, 3)
        ]
        with store.write() as tx:
            for each in (key, other):
                tx.consoles.put_passkey(each)
            for visit in visits:
                tx.consoles.put_visit(visit)
            tx.consoles.put_passkey(
                msgspec.structs.replace(key, counter=9, used=8, synced=True, label="lost")
            )
            tx.consoles.put_visit(msgspec.structs.replace(visits[2], seen=40, way="password"))
        with store.read() as tx:
            used = msgspec.structs.replace(key, counter=9, used=8, synced=True)
            assert tx.consoles.passkeys(b"a" * 16) == [other, used]
            assert tx.consoles.passkey(b"k" * 32) == used
            seen = msgspec.structs.replace(visits[2], seen=40)
            assert tx.consoles.visits(b"a" * 16) == [seen, visits[1], visits[0]]
            assert tx.consoles.visit(b"x" * 32) is None
        with store.write() as tx:
            tx.consoles.drop_passkey(b"l" * 32)
            tx.consoles.drop_visit(visits[0].digest)
            tx.consoles.drop_visits(21, 0)
            assert [each.id for each in tx.consoles.passkeys(b"a" * 16)] == [b"k" * 32]
            assert tx.consoles.visits(b"a" * 16) == [seen]
            tx.consoles.drop_visits(0, 4)
            assert tx.consoles.visits(b"a" * 16) == []

    def test_devices_put_aside_and_the_audit_table_in_pages(self, store: Store) -> None:
        with store.write() as tx:
            tx.consoles.put_aside("e1", 5)
            tx.consoles.put_aside("e1", 6)
            tx.consoles.put_aside("e2", 7)
            tx.consoles.put_aside("e2", 0)
            for n in range(5):
                tx.post.audit(AuditLine(at=n, actor="desk", verb=f"v{n % 2}", object=f"o{n}"))
        with store.read() as tx:
            assert tx.consoles.aside() == {"e1": 6}
            newest = tx.consoles.audit_before(2**62, 2, "")
            assert [line.at for _n, line in newest] == [4, 3]
            assert [line.at for _n, line in tx.consoles.audit_before(newest[-1][0], 9, "")] == [2, 1, 0]
            assert [line.at for _n, line in tx.consoles.audit_before(2**62, 9, "v1")] == [3, 1]
            assert [line.at for _n, line in tx.consoles.audit_before(2**62, 9, "o2")] == [2]
            assert len(tx.consoles.audit_before(2**62, 9, "desk")) == 5

    def test_drafts_of_policies(self, store: Store) -> None:
        first = PolicyDraft(
            id="a" * 32, body=b"{}", base=1, note="one", made=3, author=b"p", changed=3, editor=b"p"
        )
        other = msgspec.structs.replace(first, id="b" * 32, changed=9)
        later = msgspec.structs.replace(first, body=b'{"a": 1}', note="Größe", rev=2, changed=12, editor=b"q")
        with store.write() as tx:
            for each in (first, other, later):
                tx.consoles.put_draft(each)
        with store.read() as tx:
            assert tx.consoles.drafts() == [later, other]
            assert (tx.consoles.draft("b" * 32), tx.consoles.draft("c" * 32)) == (other, None)
        with store.write() as tx:
            tx.consoles.drop_draft("a" * 32)
        with store.read() as tx:
            assert tx.consoles.drafts() == [other]

    def test_orders_of_one_device_are_the_same_after_all_were_asked_for(self, store: Store) -> None:
        order = FiledOrder(
            seq=1, order_id="o1", op="lock", digest="d", envelope=b"e", enrolment="e1", reason="",
            signers=["a"], filed=1, not_before=1, expires=9,
        )  # fmt: skip
        with store.write() as tx:
            tx.post.put_order(order)
            assert tx.post.orders() == [order]
            assert (tx.post.orders_for("e1"), tx.post.orders_for("e2")) == ([order], [])
            second = msgspec.structs.replace(order, seq=2, order_id="o2", enrolment="e2")
            tx.post.put_order(second)
            assert tx.post.orders_for("e2") == [second]

    def test_orders_and_reports(self, store: Store) -> None:
        order = FiledOrder(
            seq=1, order_id="o1", op="lock", digest="d", envelope=b"e", enrolment="e1", reason="lost",
            signers=["a", "b"], filed=1, not_before=1, expires=9,
        )  # fmt: skip
        with store.write() as tx:
            assert [tx.post.next_order_number(), tx.post.next_order_number()] == [1, 2]
            tx.post.put_order(order)
            tx.post.put_order(msgspec.structs.replace(order, enrolment="e2"))
            done = tx.post.report("o1", "e1", "done", 5)
            assert tx.post.report("o1", "e3", "done", 5) is None
        with store.read() as tx:
            assert done == msgspec.structs.replace(order, report="done", reported=5)
            assert tx.post.orders_for("e1") == [done]
            assert len(tx.post.orders()) == 2
            assert tx.post.last_order_number() == 2

    def test_receipts_packets_documents_and_audit(self, store: Store) -> None:
        receipt = StoredReceipt(
            enrolment="e1", receipt_id="r", envelope=b"e", received=1, outbox_bytes=3, outbox_records=1
        )
        packets = [
            Packet(id=bytes([n]) * 16, target="e1", source=DEVICE, data=b"d", ops=1, filed=n) for n in (1, 2)
        ]
        with store.write() as tx:
            tx.post.put_receipt(receipt)
            assert [tx.post.put_packet(each) for each in (*packets, packets[0])] == [True, True, False]
            tx.post.take_packet(packets[0].id, "e2", 1)
            assert tx.post.packets_for("e1", 9) == packets
            assert tx.post.packets_for("e1", 1) == packets[:1]
            tx.post.take_packet(packets[0].id, "e1", 1)
            assert tx.post.put_packet(packets[0])  # it did not come after all, and is filled again
            assert tx.post.packets_for("e1", 1) == packets[:1]
            tx.post.take_packet(packets[0].id, "e1", 2)
            tx.post.put_document("root", 1, b"one")
            tx.post.put_document("root", 2, b"two")
            tx.post.audit(AuditLine(at=1, actor="a", verb="v", object="o"))
        with store.read() as tx:
            assert tx.post.receipt("e1") == receipt
            assert tx.post.receipt("e2") is None
            assert tx.post.packets_for("e1", 9) == packets[1:]
            assert tx.post.document("root", 1) == b"one"
            assert tx.post.document("root", 3) is None
            assert tx.post.newest("root") == (2, b"two")
            assert tx.post.audit_lines() == [AuditLine(at=1, actor="a", verb="v", object="o")]

    def test_sealed_outboxes_are_kept_piece_by_piece(self, store: Store) -> None:
        data = os.urandom(3 * 2**20)
        first = Sealed(enrolment="e1", sha256="b", length=len(data), records=3, begun=1)
        second, other = (
            msgspec.structs.replace(first, sha256="a", begun=2),
            msgspec.structs.replace(first, enrolment="e2"),
        )
        with store.write() as tx:
            for sealed in (first, second, other):
                tx.post.put_sealed(sealed)
            for at in range(0, len(data), 700_000):
                tx.post.put_piece("e1", "b", at, data[at : at + 700_000])
            tx.post.put_piece("e1", "a", 0, data)
            first = msgspec.structs.replace(first, held=len(data), whole=True)
            tx.post.put_sealed(first)
        with store.read() as tx:
            assert tx.post.sealed("e1") == [first, second]
            assert tx.post.sealed("e3") == []
            for name in ("a", "b"):
                for start in (0, 5, 699_999, 700_000, len(data) - 1):
                    found = b""
                    while piece := tx.post.sealed_bytes("e1", name, start + len(found)):
                        assert len(piece) <= 2**20
                        found += piece
                    assert found == data[start:]
            assert tx.post.sealed_bytes("e2", "b", 0) == b""
        with store.write() as tx:
            tx.post.drop_sealed("e1", "b")
        with store.read() as tx:
            assert (tx.post.sealed("e1"), tx.post.sealed("e2")) == ([second], [other])
            assert tx.post.sealed_bytes("e1", "b", 0) == b""
            assert tx.post.sealed_bytes("e1", "a", 0) == data[: 2**20]

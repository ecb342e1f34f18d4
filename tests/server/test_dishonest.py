"""A device that says whatever it likes fills neither the server's store nor the audit table, and gains nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.protocol import sealing
from sync.server import post
from tests.server.driver import Device
from tests.server.inside import Inside


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Inside]:
    made = Inside(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def ana(inside: Inside) -> Device:
    return inside.device(inside.person("ana@example.com"))


def _give(ana: Device, epoch: int, share: bytes) -> None:
    assert ana.root is not None
    sealed = sealing.seal(ana.root.recovery, sealing.SHARE, share or b"x")
    ana.ask(share=share, share_sealed=sealed, share_next=epoch)


def _rows(inside: Inside, ana: Device) -> int:
    with inside.store.read() as tx:
        return tx.people.count_shares(ana.enrolment)


@pytest.mark.parametrize("state", ["open", "locked", "sealed copies alone"])
def test_shares_of_ever_more_epochs_are_not_kept(inside: Inside, ana: Device, state: str) -> None:
    if state == "locked":
        inside.lock(ana)
    for epoch in range(1, 12):
        _give(ana, epoch, b"" if state == "sealed copies alone" else os.urandom(32))
    assert 1 < _rows(inside, ana) <= post.SHARES_MAX
    with inside.store.read() as tx:
        assert tx.people.share(ana.enrolment) == ana.share  # the one in force is there still


def test_what_it_says_of_an_order_again_and_again_is_noted_once(inside: Inside, ana: Device) -> None:
    inside.lock(ana)
    (lock,) = inside.office.orders()
    before = len(inside.office.audit(1_000, ""))
    for n in range(20):
        for said in ("", f"refused:{n}", f"word {n}"):
            ana.ask(obeyed={lock.id: said})
    assert len(inside.office.audit(1_000, "")) <= before + 2
    ana.ask(obeyed={lock.id: "done"})  # what it has obeyed after all is noted
    assert inside.view(ana).state == "locked"


def test_the_reset_key_is_given_no_longer_by_saying_once_more_what_became_of_the_unlock(
    inside: Inside, ana: Device
) -> None:
    assert ana.root is not None
    both = os.urandom(64)
    ana.ask(share=both, share_sealed=sealing.seal(ana.root.recovery, sealing.SHARE, both), share_as=0)
    inside.unlock(ana)
    (unlock,) = inside.office.orders()

    def given() -> int:
        found = [p for p in ana.ask(ask_share=True, ask_reset=True).papers if p.kind == "share"]
        return len(sealing.unseal(ana.seal_key, sealing.SHARE, found[0].data))

    ana.ask(obeyed={unlock.id: "word"})
    assert given() == 64
    inside.skew = post.RESET_MS + 1_000
    ana.now = inside.now
    ana.session = None
    ana.ask(obeyed={unlock.id: "another word"})
    assert given() == 32

"""A connection that breaks at any byte of an exchange, either way: nothing lost, nothing twice, and on it goes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.errors import Offline
from app.services import records
from app.services.opening import open_session
from app.services.session import Session
from app.services.syncing import Syncing
from app.store.store import Store
from sync.protocol.kinds import KINDS
from tests.network.places import behind
from tests.network.proxy import Deed, Fault, Proxy, Way
from tests.road import ANNA, BEN, Town

CUSTOMER = KINDS["customer"]
# Of a handshake, a signing in and an exchange: some 3 kB up and 5 kB down.
EVERY = (0, 1, 6, 120, 400, 800, 1_200, 1_700, 2_200, 2_800, 3_400, 4_200, 5_200, 7_000)
STALLS = (0, 300, 1_400, 2_800)


@pytest.fixture
def session(town: Town, proxy: Proxy) -> Iterator[Session]:
    """A laptop behind it."""
    with open_session(behind(proxy.url, town, ANNA).profile) as opened:
        yield opened


def _struck(session: Session, proxy: Proxy, fault: Fault) -> bool:
    """Rounds over a first connection with this fault, and over good ones; whether the first broke."""
    faults = iter([fault])
    proxy.draw = lambda: next(faults, Fault())
    syncing, broke = Syncing(session), 0
    try:
        for _round in range(3):  # the first may end a few bytes before the fault, which the second then meets
            try:
                syncing.round()
            except Offline as offline:
                assert offline.title and offline.hint
                broke += 1
    finally:
        syncing.close()
    assert broke <= 1
    assert session.call(Store.unsent) == 0
    return broke > 0


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize(
    "deed", [Deed.CUT, Deed.END, Deed.TWICE, pytest.param(Deed.STALL, marks=pytest.mark.slow)]
)
def test_whatever_byte_it_is(
    session: Session, town: Town, proxy: Proxy, impatient: None, deed: Deed, way: Way
) -> None:
    made = records.add(session, CUSTOMER, {"name": f"Struck {deed.value} {way.value}"})
    written, broken = [], 0
    for at in STALLS if deed is Deed.STALL else EVERY:
        written.append(f"at {at}")
        notes = records.get(session, made.id).values.get("notes") or ""
        records.edit(session, made.id, {"notes": f"{notes}\n{written[-1]}".strip()})
        records.add(session, CUSTOMER, {"name": f"{deed.value} {way.value} {at}"})
        broken += _struck(session, proxy, Fault(deed, way, at))
    assert broken > len(written) // 3  # the faults did strike where it hurts
    other = town.laptop(BEN)
    other.sync()
    held = [each["name"] for each in other.holds().values()]
    names = sorted(name for name in held if name.startswith(f"{deed.value} {way.value} "))
    assert names == sorted(f"{deed.value} {way.value} {text.split()[1]}" for text in written)
    assert other.show(made.id.hex())["notes"].splitlines() == written
    assert not other.json("conflicts")

"""Kept totals say at every moment what a look at every record would say, exactly, and cost a few statements."""

from __future__ import annotations

import dataclasses
import itertools
import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from app.store import bulk, examination, lists, outbox, records, schema, tallies
from app.store.replica import StoreReplica
from app.store.store import Store
from app.store.totals import Group, totals
from sync.protocol.fields import Date, Value
from sync.protocol.ids import new_record_id
from sync.protocol.kinds import KINDS
from sync.protocol.kinds.table import Kind, Totals
from sync.protocol.ops import Act, Op
from tests.benchmarks.recorder import Recorder
from tests.store.device import DEAL, PERSON, Device
from tests.store.exchanges import foreign, page, row, send
from tests.store.server import Server

PRODUCT = KINDS["product"]
BY = ("owner", "stage", "close_on")
OWNERS = (PERSON, PERSON.upper(), "omar@example.com", "无名", None)
DAYS = ("2026-01-31", "2026-02-01", "2026-02-28", None)
AMOUNTS = (
    {"minor": 2**63 - 1, "currency": "EUR"},
    {"minor": -(2**63 - 1), "currency": "EUR"},
    {"minor": -1, "currency": "CNY"},
    {"minor": 0, "currency": "EUR"},
    None,
)
STAGES = ("prospecting", "won", "lost", None)


def plainly(groups: Sequence[Group]) -> Counter[tuple[Any, ...]]:
    """Groups as they may be compared: one person, however the address is written."""
    found: Counter[tuple[Any, ...]] = Counter()
    for each in groups:
        sums = tuple(tuple(s.values()) if isinstance(s, dict) else s for s in each.sums)
        values = tuple(v.lower() if isinstance(v, str) else v for v in each.values)
        found[values, each.kept, sums] += 1
    return found


def looked_up(store: Store, kind: Kind, by: Sequence[str], where: dict[str, Sequence[Value]]) -> list[Group]:
    """The same by a look at every record, with the sum of `amount`."""
    found: dict[tuple[Any, ...], list[int]] = {}
    for record in lists.by_rowids(store, kind, lists.ids(store, kind)):
        told = {name: _told(kind, name, record.values.get(name)) for name in (*by, *where)}
        if all(told[name] in {_told(kind, name, each) for each in some} for name, some in where.items()):
            amount = record.values.get("amount")
            key = (*(told[name] for name in by), amount and amount["currency"])
            figures = found.setdefault(key, [0, 0])
            figures[0] += 1
            figures[1] += amount["minor"] if amount else 0
    return [
        Group(key[:-1], kept, (key[-1] and {"minor": minor, "currency": key[-1]},))
        for key, (kept, minor) in found.items()
    ]


def _told(kind: Kind, name: str, value: Value) -> Value:
    if isinstance(kind.by_name[name].type, Date) and value is not None:
        return value[:7]
    return value.lower() if isinstance(value, str) else value


def assert_right(store: Store) -> None:
    """The whole table, and what it is asked."""
    assert all(tally.holds(store.db) for shape in store.shapes.values() for tally in shape.tallies)
    assert plainly(totals(store, DEAL, BY, sums=("amount",))) == plainly(looked_up(store, DEAL, BY, {}))


class Acts(RuleBasedStateMachine):
    """Whatever may happen to a deal."""

    made = Bundle("made")
    deal = st.fixed_dictionaries(
        {
            "stage": st.sampled_from(STAGES), "owner": st.sampled_from(OWNERS), "close_on": st.sampled_from(DAYS),
            "amount": st.sampled_from(AMOUNTS),
        }
    )  # fmt: skip

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.device = Device(Path(self.folder.name))
        self.store = self.device.create()
        self.server = Server()
        self.spans: list[bulk.Span] = []
        self.packets = itertools.count(1)

    @rule(target=made, values=deal)
    def add(self, values: dict[str, Value]) -> bytes:
        return records.add(self.store, DEAL, {"name": "Ours", **values}).id

    @rule(id_=made, values=deal)
    def edit(self, id_: bytes, values: dict[str, Value]) -> None:
        if self._kept(id_):
            records.edit(self.store, id_, values)

    @rule(id_=made, back=st.booleans())
    def turn(self, id_: bytes, back: bool) -> None:
        if self._kept(id_) is not None:
            (records.undelete if back else records.delete)(self.store, id_)

    @rule(values=deal, more=deal)
    def act_broken_off(self, values: dict[str, Value], more: dict[str, Value]) -> None:
        with pytest.raises(ZeroDivisionError), records.batch(self.store) as batch:
            batch.edit(batch.add(DEAL, {"name": "Never", **values}).id, more)
            batch.flush()
            _never = 1 / 0

    @rule(field=st.sampled_from(("stage", "owner", "close_on", "amount")), values=deal, delete=st.booleans())
    def many(self, field: str, values: dict[str, Value], delete: bool) -> None:
        rowids = lists.ids(self.store, DEAL)[::2]
        did = bulk.do(self.store, DEAL, rowids, None if delete else bulk.Setting(field, values[field]))
        if did.span:
            self.spans.append(did.span)

    @rule()
    def undo(self) -> None:
        if self.spans:
            bulk.undo(self.store, self.spans.pop(), 1_000)

    @rule(target=made, values=deal)
    def colleague_adds(self, values: dict[str, Value]) -> bytes:
        id_ = bytes(new_record_id())
        self.server.write(foreign("deal", Act.ADD, id_, name="Theirs", **_cells(values)))
        return id_

    @rule(id_=made, values=deal, act=st.sampled_from(list(Act)[1:]), seen=st.booleans())
    def colleague_edits(self, id_: bytes, values: dict[str, Value], act: Act, seen: bool) -> None:
        """Where they had not seen what is there, amount, stage and owner come to a conflict."""
        if id_ in self.server.rows:
            cells = _cells(values) if act is Act.SET else {}
            base = self.server.seq if seen else 0
            self.server.write(Op(n=1, kind="deal", id=id_, act=act, hlc=1 << 62, base=base, set=cells))

    @rule(refused=st.none() | made)
    def exchange(self, refused: bytes | None) -> None:
        send(self.server, self.device, self.store, refuse=refused)

    @rule(id_=made)
    def leaves(self, id_: bytes) -> None:
        """Somebody else's now: it goes from this device."""
        page(
            self.store, row(id_, self.server.seq, gone="left", kind="deal"), seq=self.store.here().cursor.seq
        )

    @rule(target=made, values=deal)
    def work_recovered(self, values: dict[str, Value]) -> bytes:
        id_, n = bytes(new_record_id()), next(self.packets)
        op = Op(n=n, kind="deal", id=id_, act=Act.ADD, hlc=n, first=n, set={"name": "Back", **_cells(values)})
        StoreReplica(self.store).take_in(b"packet %9d" % n, [op], (b"d" * 16, b"i" * 8))
        return id_

    @invariant()
    def the_totals_are_those_of_the_rows(self) -> None:
        if hasattr(self, "store"):
            assert_right(self.store)

    def teardown(self) -> None:
        if not hasattr(self, "store"):
            return
        try:
            assert examination.examine(self.device.reopen()) == []
        finally:
            self.device.close()
            self.folder.cleanup()

    def _kept(self, id_: bytes) -> bool | None:
        """None where there is no such record here."""
        found = self.store.db.first("SELECT _deleted FROM record_deal WHERE _id = ?", (id_,))
        return None if found is None else not found[0]


def _cells(values: dict[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if value is not None}


TestActs = Acts.TestCase
TestActs.settings = settings(
    max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


# --- what is asked of them --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def deals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store of 300 mixed deals that no test changes."""
    device = Device(tmp_path_factory.mktemp("deals"))
    store = device.create()
    draw = random.Random(5)
    with records.batch(store) as batch:
        for n in range(300):
            some: dict[str, Value] = {
                "name": f"Deal {n}", "owner": draw.choice(OWNERS[:4]), "stage": draw.choice(STAGES),
                "close_on": draw.choice(DAYS), "amount": draw.choice(AMOUNTS),
            }  # fmt: skip
            batch.add(DEAL, some)
    yield store
    device.close()


@pytest.mark.parametrize(
    "by", [each for n in range(4) for each in itertools.permutations(BY, n)], ids="-".join
)
@pytest.mark.parametrize(
    "where",
    [{}, {"owner": [PERSON]}, {"stage": ["won", None]}, {"close_on": ["2026-02", None], "owner": ["无名"]}],
    ids=["all", "mine", "stages", "months"],
)
def test_any_fields_in_any_order_under_any_filter(
    deals: Store, by: tuple[str, ...], where: dict[str, Sequence[Value]]
) -> None:
    told = totals(deals, DEAL, by, sums=("amount",), where=where)
    assert plainly(told) == plainly(looked_up(deals, DEAL, by, where))
    counted = totals(deals, DEAL, by, where=where)
    assert sum(each.kept for each in counted) == sum(each.kept for each in told)
    assert len(counted) == len({each for each, _kept, _sums in plainly(told)})


def test_a_filter_that_nothing_passes_gives_no_group(deals: Store) -> None:
    assert totals(deals, DEAL, (), sums=("amount",), where={"owner": ["nobody@example.com"]}) == []
    assert totals(deals, DEAL, BY, where={"stage": []}) == []


def test_what_no_totals_are_kept_of_is_told(store: Store) -> None:
    for by, sums, where in (
        (("customer",), (), {}),
        ((), ("probability",), {}),
        ((), (), {"number": ["D-1"]}),
    ):
        with pytest.raises(ValueError, match="deal keeps no such totals"):
            totals(store, DEAL, by, sums=sums, where=where)


def test_sums_beyond_64_bits_are_exact(store: Store) -> None:
    most = {"minor": 2**63 - 1, "currency": "EUR"}
    for n in range(5):
        records.add(store, DEAL, {"name": f"Deal {n}", "amount": most})
    (group,) = totals(store, DEAL, (), sums=("amount",))
    assert group.sums == ({"minor": 5 * (2**63 - 1), "currency": "EUR"},)


# --- what they cost ---------------------------------------------------------------------------------


def test_a_page_writes_one_statement_for_each_group(store: Store) -> None:
    recorder = Recorder(store.db)
    amount = {"minor": 5, "currency": "EUR"}

    def lay_in(ver: int, name: str) -> list[tuple[int, ...]]:
        """How many records came to each group that was written, for each table."""
        recorder.statements.clear()
        page(
            store,
            *[
                row(b"%16d" % n, ver + n, kind="deal", name=name, stage=STAGES[n % 2], amount=amount)
                for n in range(200)
            ],
        )
        written = [(sql, bound) for _many, sql, bound in recorder.statements if tallies.PREFIX in sql]
        return [tuple(each[-3] for each in bound) for _sql, bound in written]

    assert lay_in(1, "One") == [(100, 100)] * len(store.shapes["deal"].tallies)
    assert lay_in(300, "Other") == []  # nothing that is counted has changed
    records.edit(store, b"%16d" % 7, {"probability": 50, "notes": "Later"})
    assert not [sql for _many, sql, _bound in recorder.statements if tallies.PREFIX in sql]


def test_what_was_told_of_a_record_goes_with_it(store: Store) -> None:
    """An empty group is told to nobody, and the name of a person does not stay behind in it."""
    page(store, row(b"a" * 16, 1, kind="deal", name="Theirs", owner="omar@example.com"))
    assert [each.values for each in totals(store, DEAL, ("owner",))] == [("omar@example.com",)]
    page(store, row(b"a" * 16, 2, kind="deal", name="Theirs", owner="lena@example.com"))
    assert [each.values for each in totals(store, DEAL, ("owner",))] == [("lena@example.com",)]
    assert examination.examine(store) == []
    page(store, row(b"a" * 16, 3, gone="left", kind="deal"))
    for tally in store.shapes["deal"].tallies:
        assert store.db.one(f"SELECT count(*) FROM {tally.table}") == (0,)  # noqa: S608


# --- how they come to be ----------------------------------------------------------------------------


def fill(store: Store) -> list[bytes]:
    """Some deals, one of them deleted."""
    draw = random.Random(9)
    values = [
        (draw.choice(OWNERS), draw.choice(STAGES), draw.choice(DAYS), draw.choice(AMOUNTS))
        for _n in range(60)
    ]
    with records.batch(store) as batch:
        ids = [
            batch.add(DEAL, {"name": "Deal", "owner": o, "stage": s, "close_on": c, "amount": a}).id
            for o, s, c, a in values
        ]
        batch.delete(ids[0])
    return ids


def test_a_file_of_the_version_before_gets_its_totals_at_the_next_open(device: Device, store: Store) -> None:
    fill(store)
    waiting = outbox.every(store.db)
    with store.db.building() as db:
        for tally in store.shapes["deal"].tallies:
            db.execute(f"DROP TABLE {tally.table}")
        db.execute("PRAGMA user_version = 3")
    again = device.reopen()
    assert again.db.version == schema.VERSION > 3
    assert examination.examine(again) == []
    assert_right(again)
    assert outbox.every(again.db) == waiting


def test_one_line_more_is_kept_from_the_next_open_on(
    device: Device, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    records.add(
        store,
        PRODUCT,
        {"name": "Bolt", "series": "Iron", "price": {"minor": 5, "currency": "EUR"}, "active": True},
    )
    ids = fill(store)
    before = outbox.every(store.db)
    more = Totals(by=("active", "series"), sums=("price",))
    monkeypatch.setitem(KINDS, "product", dataclasses.replace(PRODUCT, totals=(more,)))
    chances = Totals(by=("stage", "customer"), sums=("probability",))
    monkeypatch.setitem(KINDS, "deal", dataclasses.replace(DEAL, totals=(*DEAL.totals, chances)))
    again = device.reopen()
    assert examination.examine(again) == []
    assert outbox.every(again.db) == before
    records.add(
        again, KINDS["product"], {"name": "Nut", "price": {"minor": 7, "currency": "EUR"}, "active": True}
    )
    (group,) = totals(again, KINDS["product"], ("active",), sums=("price",))
    assert group == Group((True,), 2, ({"minor": 12, "currency": "EUR"},))
    for chance, id_ in enumerate(ids[1:]):
        records.edit(again, id_, {"probability": chance, "customer": b"c" * 16})
    told = totals(again, KINDS["deal"], ("customer",), sums=("probability",))
    assert told == [Group((b"c" * 16,), 59, (sum(range(59)),))]
    assert examination.examine(again) == []


def test_a_line_that_is_gone_takes_its_figures_along(
    device: Device, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who does not keep them any more must leave none that somebody later takes for true."""
    fill(store)
    with monkeypatch.context() as patch:
        patch.setitem(KINDS, "deal", dataclasses.replace(DEAL, totals=()))
        bare = device.reopen()
        assert bare.db.all("SELECT name FROM sqlite_master WHERE name LIKE 'total%'") == []
        fill(bare)
    assert_right(device.reopen())


HARM = (
    "UPDATE {table} SET _kept = _kept + 1 WHERE stage = 'won'",
    "UPDATE {table} SET _amount_low = _amount_low + 1 WHERE stage = 'won'",
    "DELETE FROM {table} WHERE stage = 'lost'",
    "INSERT INTO {table} VALUES ('EUR', 'nobody', 'won', '2026-01', 1, 0, 0)",
)


@pytest.mark.parametrize("harm", HARM)
def test_figures_that_do_not_agree_are_found_and_counted_anew(store: Store, harm: str) -> None:
    fill(store)
    assert examination.examine(store) == []
    tally = store.shapes["deal"].tallies[0]
    store.db.execute(harm.format(table=tally.table))
    problems = [(check.name, len(check.problems)) for check in examination.checks(store) if check.problems]
    assert problems == [("Totals", 1)]
    examination.repair(store)
    assert examination.examine(store) == []
    assert_right(store)

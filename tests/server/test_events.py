"""Who is told, how often and how many at once: the rules of held lines, on a loop of their own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, MutableMapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.protocol.kinds import KINDS
from sync.protocol.messages import BEAT, POKE, Cursor
from sync.server import access, auth, events, limits
from sync.server.access import Rights, Scope
from sync.server.db.news import News
from sync.server.events import Audience, Events, Held
from tests.server.driver import Device
from tests.server.inside import Inside

TEAM = ("team", "Sales")
ENDS = b""


class Lines:
    """Lines to nowhere: what was sent on each is kept."""

    def __init__(self) -> None:
        self.living = True
        self.events = Events(lambda session: self.living)
        self.said: dict[str, list[bytes]] = {}
        self.stuck: set[str] = set()
        self.sessions = auth.Sessions()

    def join(self, name: str, *, owned: bool = False) -> Held:
        """A line of the device of that name; `owned` by the task that asks, which ends with it."""
        said = self.said.setdefault(name, [])

        async def send(message: MutableMapping[str, Any]) -> None:
            if name in self.stuck:
                await asyncio.Event().wait()
            if message["type"] == "http.response.body":
                said.append(message["body"])

        audience = Audience(name, name.encode(), frozenset({TEAM}))
        line = self.events.join(audience, self.sessions.add(name, b"incarn.1", 0), send)
        line.owner = line.owner if owned else None
        return line

    def commit(self, *circles: access.Circle, by: str = "", **named: Any) -> None:
        """Something is committed."""
        self.events.hear(News(by=by, circles=set(circles), **named))

    def pokes(self) -> int:
        """Pokes on all lines."""
        return sum(said.count(POKE) for said in self.said.values())


async def _turn() -> None:
    """Let the others of this loop go on."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), 0.002)


async def _until(held: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not held():
            await _turn()


def _run(test: Callable[[Lines], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        lines = Lines()
        lines.events.start()
        try:
            await test(lines)
        finally:
            await lines.events.stop()

    asyncio.run(whole())


def test_many_commits_are_one_poke_and_one_more_for_what_came_after() -> None:
    async def test(lines: Lines) -> None:
        lines.join("a")
        lines.join("b")
        for _each in range(50):
            lines.commit(TEAM, by="a")
        await _until(lambda: POKE in lines.said["b"])
        for _each in range(50):
            lines.commit(TEAM, by="a")
        await _until(lambda: lines.said["b"].count(POKE) == 2)
        lines.commit(TEAM, by="b")
        await _until(lambda: POKE in lines.said["a"])
        assert lines.said == {"a": [BEAT, POKE], "b": [BEAT, POKE, POKE]}

    _run(test)


def test_two_makers_are_each_told_of_the_other() -> None:
    async def test(lines: Lines) -> None:
        lines.join("a")
        lines.join("b")
        lines.commit(TEAM, by="a")
        lines.commit(TEAM, by="b")
        await _until(lambda: lines.pokes() == 2)

    _run(test)


def test_a_hundred_are_not_called_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "STEP_S", 0.001)

    async def test(lines: Lines) -> None:
        for number in range(100):
            lines.join(f"d{number}")
        await _turn()
        counts = [0]
        release = lines.events._release

        def counted() -> None:
            before = lines.events.told
            release()
            counts.append(lines.events.told - before)

        monkeypatch.setattr(lines.events, "_release", counted)
        lines.commit(TEAM)
        await _until(lambda: lines.events.told == 100)
        assert max(counts) <= events.PER_STEP

    _run(test)


def test_while_requests_wait_nobody_is_called_but_for_an_order() -> None:
    async def test(lines: Lines) -> None:
        for name in ("a", "b", "c"):
            lines.join(name)
        lines.events.in_work = lambda: limits.POKED_IN_WORK
        lines.commit(TEAM)
        lines.commit(ordered={"c"})
        await _until(lambda: lines.said["c"][-1:] == [ENDS])
        assert lines.said == {"a": [BEAT], "b": [BEAT], "c": [BEAT, POKE, ENDS]}
        lines.events.in_work = lambda: 0
        await _until(lambda: lines.pokes() == 3)

    _run(test)


def test_a_line_that_takes_nothing_holds_up_nobody_and_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(lines: Lines) -> None:
        lines.stuck.add("a")

        async def hold() -> None:
            lines.join("a", owned=True)
            await asyncio.Event().wait()

        task = asyncio.create_task(hold())
        lines.join("b")
        await _until(lambda: BEAT in lines.said["b"])
        lines.commit(TEAM)
        await _until(lambda: POKE in lines.said["b"])
        monkeypatch.setattr(events, "STUCK_S", 0.0)
        lines.commit(TEAM)
        await asyncio.wait([task], timeout=10)
        assert task.cancelled()

    _run(test)


def test_heartbeats_come_and_end_with_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "BEAT_S", 0.01)
    monkeypatch.setattr(events, "_LOOK_S", 0.005)

    async def test(lines: Lines) -> None:
        lines.join("a")
        await _until(lambda: lines.said["a"].count(BEAT) >= 3)
        lines.living = False
        await _until(lambda: lines.said["a"][-1:] == [ENDS])
        assert set(lines.said["a"][:-1]) == {BEAT}

    _run(test)


def test_beyond_the_bound_and_at_the_end_no_line_is_taken() -> None:
    async def test(lines: Lines) -> None:
        lines.events.most = 2
        lines.join("a")
        full = [lines.events.full]
        line = lines.join("b")
        full.append(lines.events.full)
        lines.events.leave(line)
        full.append(lines.events.full)
        lines.events.close()
        full.append(lines.events.full)
        assert full == [False, True, False, True]

    _run(test)


def test_whoever_was_looked_up_before_circles_changed_is_sent_to_look_again() -> None:
    async def test(lines: Lines) -> None:
        lines.join("a")
        before = lines.events.changes
        lines.commit(moved={b"b"})
        await _until(lambda: lines.events.changes > before)
        line = lines.join("b")
        lines.events.leave(line)
        audience, session = Audience("c", b"c", frozenset()), lines.sessions.add("c", b"incarn.1", 0)
        said: list[bytes] = []

        async def send(message: MutableMapping[str, Any]) -> None:
            said.append(message.get("body", b"start"))

        lines.events.join(audience, session, send, 0, before)
        await _until(lambda: said[-1:] == [ENDS])
        assert said == [b"start", BEAT, POKE, ENDS]

    _run(test)


def test_nothing_is_kept_of_lines_that_are_over() -> None:
    async def test(lines: Lines) -> None:
        held = [lines.join(f"d{number}") for number in range(20)]
        lines.commit(TEAM)
        await _until(lambda: lines.pokes() == 20)
        for line in held:
            lines.events.leave(line)
        kept = lines.events
        assert (kept.held, kept._circles, dict(kept._beats), dict(kept._due), dict(kept._resting)) == (
            0, {}, {}, {}, {},
        )  # fmt: skip

    _run(test)


def test_a_commit_wakes_the_loop_from_another_thread_and_after_its_end() -> None:
    async def test(lines: Lines) -> None:
        lines.join("a")
        await asyncio.to_thread(lines.commit, TEAM)
        await _until(lambda: lines.pokes() == 1)

    _run(test)
    lines = Lines()
    lines.commit(TEAM)  # nobody listens yet


# -- circles


_TEAMS = st.text("ab/", max_size=6)
_PERSONS = st.sampled_from([b"m" * 16, b"o" * 16])


@given(
    st.builds(Rights, _PERSONS, st.sampled_from([*access.ROLES, "nobody"]), _TEAMS),
    st.sampled_from([*KINDS, "kind_of_later"]),
    st.builds(Scope, _PERSONS, _TEAMS),
)
def test_circles_say_the_same_as_the_table_of_roles(rights: Rights, kind: str, scope: Scope) -> None:
    shared = access.circles(rights) & access.reached(kind, scope)
    assert bool(shared) is access.sees(rights, kind, scope)


# -- what is news


@pytest.fixture
def news(inside: Inside, ana: Device, bo: Device) -> list[News]:
    """What the store tells from here on; both devices are up to date."""
    ana.sync()
    bo.sync()
    told: list[News] = []
    inside.store.heard = told.append
    return told


def test_an_exchange_that_changes_nothing_is_no_news(ana: Device, bo: Device, news: list[News]) -> None:
    ana.sync()
    bo.exchange(app_version="2")
    assert news == []


def test_a_record_is_news_to_who_sees_it_and_who_saw_it(
    inside: Inside, ana: Device, bo: Device, news: list[News]
) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    (told,) = news
    assert told.by == ana.enrolment
    assert ("team", "Sales") in told.circles
    inside.person("west@example.com", team="Sales/West")
    del news[:]
    ana.edit(id_, owner="west@example.com")
    ana.sync()
    assert {("team", "Sales"), ("team", "Sales/West")} <= news[-1].circles


def test_a_conflict_about_an_unchanged_record_is_news(inside: Inside, ana: Device, news: list[News]) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    del news[:]
    inside.disputed(id_, 1, 5)
    (told,) = news
    assert ("team", "Sales") in told.circles


def test_orders_moves_and_the_end_of_a_device_are_news(
    inside: Inside, ana: Device, bo: Device, news: list[News]
) -> None:
    inside.lock(bo)
    inside.unlock(bo)
    assert [each.ordered for each in news if each] == [{bo.enrolment}] * 2
    del news[:]
    inside.person("bo@example.com", team="Elsewhere")
    assert len(news[0].moved) == 1
    wipe = inside.wipe(bo)
    del news[:]
    bo.hand_in(bo.receipt(wipe))
    assert [each.wiped for each in news] == [{bo.enrolment}]
    assert ana.ask(cursor=Cursor()).head.more is False


def test_what_is_undone_is_no_news(inside: Inside, news: list[News]) -> None:
    with pytest.raises(ZeroDivisionError), inside.store.write() as tx:
        tx.post.put_document("root", 99, b"x")
        raise ZeroDivisionError
    assert news == []

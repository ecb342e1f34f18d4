"""The day as it begins: what stands in it for whom, and that it stays true with news, undo and midnight."""

from __future__ import annotations

import datetime as dt

import pytest

from app.services.opening import open_session
from app.services.session import Session
from app.store import records
from app.store.store import Store
from app.viewmodels import day, words
from app.viewmodels.day import Day, Line, Whose
from app.viewmodels.desk import Desk
from app.viewmodels.records import now_ms
from app.viewmodels.today import Today
from sync.protocol.fields import Value
from sync.protocol.kinds import KINDS
from tests.ui import sample
from tests.ui.organisation import PERSON, Organisation
from tests.viewmodels.conftest import Held

DAY_MS = 86_400_000


def groups(found: Day) -> dict[str, list[str]]:
    return {group.heading: [line.title for line in group.lines] for group in (*found.doing, *found.beside)}


def line(found: Day, title: str) -> Line:
    return next(
        each for group in (*found.doing, *found.beside) for each in group.lines if each.title == title
    )


def on(days: int) -> str:
    return (dt.datetime.now().astimezone().date() + dt.timedelta(days=days)).isoformat()


def task(store: Store, subject: str, days: int, owner: str | None = None, **more: Value) -> bytes:
    made = records.add(store, KINDS["task"], {"subject": subject, "due": on(days), **more})
    if owner is not None:
        records.edit(store, made.id, {"owner": owner})
    return made.id


def test_the_day_tells_what_is_late_due_planned_and_near(session: Session) -> None:
    session.call(sample.plan)
    found = session.read(day.read, Whose.MINE, now_ms())
    told = groups(found)
    assert told["Overdue"] == ["Sign the service contract", "Send quote"]
    assert told["Today"] == ["Confirm delivery date", "验收新分析仪", "Order samples"]
    assert told["Next 7 days"] == [
        "Yearly review", "Call Dr Chen", "Show the new catalogue", "Prepare the trade fair",
    ]  # fmt: skip
    assert told["Deals to close"][:2] == ["Spare parts 2026", "Service contract 1"]
    assert told["Waiting to be sent"][0] == "Spare parts 2026"
    late = line(found, "Sign the service contract")
    assert (late.second, late.alarm, late.ticks) == ("High · Betatech", True, True)
    assert line(found, "Confirm delivery date").gone
    assert not line(found, "验收新分析仪").gone
    assert line(found, "Spare parts 2026").figure == "$77,000"
    assert line(found, "Yearly review").right == "Tomorrow 09:30"
    assert found.date == words.whole_day(dt.datetime.now().astimezone().date())


def test_a_note_is_nothing_planned_and_a_closed_deal_nothing_to_close(session: Session) -> None:
    def work(store: Store) -> None:
        at = {"at": now_ms(), "zone": "UTC"}
        records.add(store, KINDS["activity"], {"subject": "A note", "type": "note", "at": at})
        records.add(store, KINDS["deal"], {"name": "Gone", "stage": "lost", "close_on": on(1)})

    session.call(work)
    told = [
        title for titles in groups(session.read(day.read, Whose.MINE, now_ms())).values() for title in titles
    ]
    assert "A note" not in told[: told.index("Service contract 1")]
    assert session.read(day.read, Whose.MINE, now_ms()).beside[0].count == "9"


def test_the_teams_day_names_owners_and_the_own_one_leaves_them_out(session: Session) -> None:
    session.call(task, "Colleague's", -2, "ben@demo.example")
    mine = session.read(day.read, Whose.MINE, now_ms())
    assert "Colleague's" not in groups(mine)["Overdue"]
    team = session.read(day.read, Whose.TEAM, now_ms())
    assert groups(team)["Overdue"] == ["Colleague's", "Send quote"]
    assert line(team, "Colleague's").second == "ben"
    assert line(team, "Send quote").second.endswith("· anna")


def test_more_than_a_page_shows_leads_to_the_list_of_all(session: Session) -> None:
    def work(store: Store) -> None:
        for number in range(20):
            task(store, f"Late {number:02}", -40 + number)

    session.call(work)
    found = session.read(day.read, Whose.MINE, now_ms())
    overdue = found.doing[0]
    assert (overdue.count, len(overdue.lines)) == ("21", day.LINES_MAX + 1)
    last = overdue.lines[-1]
    assert (last.title, last.right, last.target.section) == ("and 9 more", "Tasks", "task")
    assert last.target.filter is not None

    from app.store import lists

    rows = session.read(lists.ids, KINDS["task"], last.target.filter, "")
    assert len(rows) == 21


def test_done_takes_the_task_away_and_undo_brings_it_back_where_one_is(session: Session, held: Held) -> None:
    desk = Desk(session, held)
    session.bus.subscribe(lambda changes: held.post(lambda: desk.heard(changes)))
    today = desk.beside["today"] = Today(desk)
    desk.go("today")
    today.look(True)
    held.turn()
    assert today.day is not None
    quote = line(today.day, "Send quote")
    today.finish(quote)
    today.finish(quote)  # a second press while the first is on its way
    held.turn()
    assert "Overdue" not in groups(today.day)
    assert desk.aside is not None
    assert (desk.aside.text, desk.aside.undoes) == ("“Send quote” is done.", True)
    assert session.call(records.get, quote.target.id).values["done"] is True
    assert desk.counts is not None
    assert desk.counts.due == 0
    desk.undo()
    held.turn()
    assert desk.section == "today"
    assert groups(today.day)["Overdue"] == ["Send quote"]
    assert desk.counts.due == 1
    assert not session.call(records.get, quote.target.id).values.get("done")
    desk.close()
    assert today.day is None


def test_another_day_begins_at_midnight(session: Session, held: Held) -> None:
    desk = Desk(session, held)
    at = [now_ms()]
    desk.on_counts.clock = lambda: at[0]
    today = desk.beside["today"] = Today(desk, lambda: at[0])
    today.look(True)
    desk.on_counts.read()
    held.turn()
    assert today.day is not None
    assert groups(today.day)["Next 7 days"] == ["Call Dr Chen"]
    desk.tick()
    assert held.turn() == 0, "the same day is not read again"
    at[0] += 2 * DAY_MS
    desk.tick()
    held.turn()
    assert groups(today.day)["Today"] == ["Call Dr Chen"]
    assert desk.counts is not None
    assert desk.counts.due == 2
    desk.close()


def test_news_while_one_reads_are_read_too_and_nothing_while_nobody_looks(
    session: Session, held: Held
) -> None:
    desk = Desk(session, held)
    session.bus.subscribe(lambda changes: held.post(lambda: desk.heard(changes)))
    today = desk.beside["today"] = Today(desk)
    heard: list[int] = []
    today.watch(lambda: heard.append(1))
    desk.on_news.tell()
    held.turn()
    assert today.day is None
    today.look(True)
    desk.on_news.tell()
    desk.on_news.tell()
    held.turn()
    assert len(heard) == 2, "one reading under way, and one more for all that came meanwhile"
    today.look(False)
    desk.on_news.tell()
    assert held.turn() == 0
    desk.close()


@pytest.mark.parametrize(
    ("role", "whose"),
    [
        ("rep", Whose.MINE),
        ("office", Whose.TEAM),
        ("manager", Whose.TEAM),
        ("privacy", Whose.NOBODY),
        ("it", Whose.NOBODY),
    ],
)
def test_each_role_begins_with_the_day_that_is_its_own(
    org: Organisation, held: Held, role: str, whose: Whose
) -> None:
    email = PERSON if role == "rep" else f"{role}-today@demo.example"
    if role != "rep":
        org.admin("person", "add", email, "--role", role, "--team", "Sales/East")
    with open_session(org.laptop(f"today-of-{role}", email)) as session:
        session.call(sample.fill)
        desk = Desk(session, held)
        today = desk.beside["today"] = Today(desk)
        today.look(True)
        desk.on_counts.read()
        held.turn()
        assert today.whose is whose
        assert today.asks_whose is (whose is not Whose.NOBODY)
        assert today.day is not None
        assert today.day.empty is (whose is Whose.NOBODY)
        assert desk.counts is not None
        assert desk.counts.due == (0 if whose is Whose.NOBODY else 1)
        today.ask(Whose.TEAM)
        held.turn()
        assert today.whose is (Whose.NOBODY if whose is Whose.NOBODY else Whose.TEAM)
        desk.close()

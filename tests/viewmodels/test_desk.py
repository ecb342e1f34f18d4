"""The workplace: what is shown, where one was, and what can be taken back."""

from __future__ import annotations

import msgspec
import pytest

from app.changes import SYNC, Changes
from app.commands import COMMANDS
from app.services.session import Session
from app.store import indexing, lists, records, settled
from app.store.store import Store
from app.viewmodels import overview, reading
from app.viewmodels.desk import Desk
from app.viewmodels.history import History
from app.viewmodels.records import now_ms
from sync.protocol.kinds import KINDS
from sync.protocol.merge import Conflict
from tests.ui import sample
from tests.viewmodels.conftest import Held


@pytest.fixture
def desk(session: Session, held: Held) -> Desk:
    """A workplace with its list loaded, that hears the session's news."""
    made = Desk(session, held)
    session.bus.subscribe(lambda changes: held.post(lambda: made.heard(changes)))
    made.start()
    held.turn()
    return made


def test_two_values_of_a_field_are_told_in_no_tone_of_alarm_and_hide_no_waiting(
    desk: Desk, held: Held, session: Session
) -> None:
    id_ = session.call(
        lambda store: lists.page(store, KINDS["customer"], where={"name": "Betatech"}).records
    )[0].id

    def meet(store: Store) -> None:
        met = Conflict(id=bytes(16), kind="customer", record=id_, cell="name", shown="Betatech", kept="Beta")
        with store.writing():
            settled.conflicts(store.db, [met], [])
            store.db.execute("UPDATE record_customer SET _conflicts = 1 WHERE _id = ?", (id_,))

    session.call(meet)
    record = session.call(records.get, id_)
    assert record.conflicts == 1
    assert reading.standing(msgspec.structs.replace(record, waiting=True))[0] == "waiting"
    assert reading.standing(msgspec.structs.replace(record, waiting=False)) == ("conflict", "plain")
    chips = session.read(overview.read, id_, now_ms()).chips
    assert ("1 conflict", "plain") in [tuple(each) for each in chips]
    desk.on_counts.read()
    held.turn()
    assert desk.counts is not None
    assert (desk.counts.conflicts, desk.counts.refused) == (1, 0)


def _at(desk: Desk, title: str) -> int:
    rows = (desk.rows.row(at) for at in range(desk.rows.count()))
    return next(at for at, row in enumerate(rows) if row is not None and row.title == title)


def test_the_last_row_chosen_is_shown_whatever_came_between(desk: Desk, held: Held) -> None:
    for title in ("Acme Corporation", "Betatech", "Bioholding", "Condax"):
        desk.choose(_at(desk, title))
    assert held.turn() == 2  # the first, and the last that was chosen meanwhile
    assert desk.detail is not None
    assert desk.detail.record.title == "Condax"


def test_news_of_a_record_do_not_call_it_back_when_another_was_chosen(
    desk: Desk, held: Held, session: Session
) -> None:
    desk.choose(_at(desk, "Betatech"))
    held.turn()
    assert desk.detail is not None
    own = (desk.detail.record.kind.name, desk.detail.record.id)
    desk.choose(_at(desk, "Condax"))
    desk.heard(Changes((own,)))
    held.turn()
    assert desk.detail.record.title == "Condax"


def test_a_record_that_changes_while_it_is_read_is_read_again(
    desk: Desk, held: Held, session: Session
) -> None:
    desk.choose(_at(desk, "Betatech"))
    session.call(records.edit, desk.list.shown(_at(desk, "Betatech")).id, {"industry": "Optics"})  # type: ignore[union-attr]
    desk.heard(Changes())
    held.turn()
    assert desk.detail is not None
    assert desk.detail.record.values["industry"] == "Optics"


def test_back_and_forth_between_sections_and_records(desk: Desk, held: Held) -> None:
    desk.choose(_at(desk, "Betatech"))
    held.turn()
    desk.go("deal")
    held.turn()
    desk.back()
    held.turn()
    assert (desk.section, desk.detail and desk.detail.record.title) == ("customer", "Betatech")
    desk.forth()
    held.turn()
    assert (desk.section, desk.detail) == ("deal", None)


def test_history_forgets_the_way_forth_when_one_goes_elsewhere() -> None:
    history = History()
    history.leave(("customer", None))
    assert history.back(("deal", None)) == ("customer", None)
    history.leave(("customer", None))
    assert history.forth(("task", None)) is None


def test_a_deletion_is_told_and_undone(desk: Desk, session: Session, held: Held) -> None:
    desk.choose(_at(desk, "Betatech"))
    held.turn()
    desk.delete()
    held.turn()
    assert desk.aside is not None
    assert desk.aside.undoes
    assert (
        len(sample.CUSTOMERS) - 1
        == desk.list.count()
        == session.call(reading.counts, now_ms()).kinds["customer"]
    )
    desk.undo()
    held.turn()
    assert desk.list.count() == len(sample.CUSTOMERS)
    assert desk.detail is not None
    assert desk.detail.record.title == "Betatech"


def test_records_that_left_are_told_by_number_alone(desk: Desk) -> None:
    told: list[str] = []
    desk.on_aside.watch(lambda: told.append(desk.aside.text if desk.aside is not None else ""))
    desk.heard(Changes(origin=SYNC))
    assert not told
    for left in (2, 40):  # two pages of one exchange
        desk.heard(Changes((("customer", bytes(16)),), SYNC, left))
    assert told[-1] == "42 records left this device: they are not yours to see any more."
    desk.say("Undone.")
    desk.heard(Changes((("customer", bytes(16)),), SYNC, 1))
    assert told[-1] == "1 record left this device: it is not yours to see any more."


def test_nothing_to_undo_says_so(desk: Desk) -> None:
    desk.undo()
    assert desk.aside is not None
    assert not desk.aside.undoes


def test_a_record_that_was_left_unsaved_is_saved_on_the_way(desk: Desk, session: Session, held: Held) -> None:
    desk.choose(_at(desk, "Betatech"))
    held.turn()
    assert desk.editor is not None
    desk.editor.type_text("industry", "Optics")
    record = desk.editor.id
    desk.choose(_at(desk, "Condax"))
    held.turn()
    assert session.call(records.get, record).values["industry"] == "Optics"
    desk.undo()
    held.turn()
    assert session.call(records.get, record).values["industry"] == "Medical"


def test_after_closing_nothing_of_a_record_is_held(desk: Desk, held: Held) -> None:
    desk.choose(_at(desk, sample.FIRST))
    desk.search("chen")
    held.turn()
    desk.choose(0)
    desk.close()
    held.turn()
    assert (desk.detail, desk.editor, desk.counts) == (None, None, None)
    assert desk.list.count() == desk.found.count() == 0


def test_the_first_page_tells_what_the_store_holds(session: Session) -> None:
    shown = session.call(lambda store: overview.read(store, sample.first_id(store), now_ms()))
    assert [line.title for line in shown.deals] == ["Analyser line 2", "Consumables 2027"]
    assert shown.deals_sum == "¥775,000"
    assert [(line.title, line.alarm) for line in shown.tasks] == [
        ("Send quote", True),
        ("Call Dr Chen", False),
        ("交付培训资料", False),
    ]
    assert ("Consent ends in 12 days", "warn") in shown.chips
    assert shown.related == {"contact": 3, "deal": 3, "task": 3, "activity": 4, "consent": 1, "attachment": 0}
    times = [moment.at_ms for moment in shown.moments]
    assert times == sorted(times, reverse=True)
    told = "\n".join(moment.title for moment in shown.moments)
    titles = ("Visit · demo of the new analyser", "Deal won: Analyser line 1", "Consent: Product news")
    assert all(title in told for title in titles)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_first_page(session: Session, kind: str) -> None:
    def first(store: Store) -> overview.Overview:
        if kind == "attachment":  # the sample has no files
            content = {"sha256": bytes(32), "size": 5, "key": bytes(32)}
            records.add(store, KINDS[kind], {"name": "card.png", "content": content})
        return overview.read(store, lists.page(store, KINDS[kind], limit=1).records[0].id, now_ms())

    assert session.call(first).moments


def test_a_note_is_an_activity_of_the_record(desk: Desk, session: Session, held: Held) -> None:
    desk.choose(_at(desk, "Betatech"))
    held.turn()
    desk.note("  First line\nand more  ")
    assert desk.detail is not None
    desk.notes.keep(desk.detail.record)
    held.turn()
    assert desk.detail.moments[0].title == "Note · First line"
    made = session.call(records.get, desk.detail.moments[0].id)
    assert made.values["about"] == "First line\nand more"
    assert made.values["customer"] == desk.detail.record.id


def test_commands_have_ids_and_keys_of_their_own() -> None:
    keys = [keys for command in COMMANDS for keys in command.keys]
    assert len(set(keys)) == len(keys)
    assert len({command.id for command in COMMANDS}) == len(COMMANDS)
    assert {f"go_{kind}" for kind in KINDS} <= {command.id for command in COMMANDS}


def test_after_an_update_the_found_list_says_how_far_search_is(
    desk: Desk, session: Session, held: Held
) -> None:
    def behind(store: Store) -> None:
        with store.db.write() as db:
            db.execute(
                "INSERT INTO indexing (kind, below) SELECT 'customer', max(_rowid) FROM record_customer"
            )

    session.call(behind)
    desk.found.find("betatech")
    held.turn()
    held.turn()
    assert desk.found.count()
    assert 0 <= desk.found.prepared < 100
    assert reading.preparing(desk.found.prepared).startswith("Search is being prepared")
    while session.call(indexing.step):
        pass
    desk.found.find("betatech ")
    held.turn()
    held.turn()
    assert (desk.found.prepared, reading.preparing(desk.found.prepared)) == (100, "")

"""What the palette offers, in which order, and what it remembers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.commands import BY_ID, Now
from app.services.session import Session
from app.store import lists, records
from app.viewmodels import address, overview
from app.viewmodels.base import Errands
from app.viewmodels.offers import Act, Offer, offers
from app.viewmodels.opened import KEPT, STAY_S, Opened, Uses
from app.viewmodels.overview import Overview
from app.viewmodels.palette import Palette
from app.viewmodels.reading import RowText, Shown
from app.viewmodels.records import now_ms
from sync.protocol import texts
from sync.protocol.kinds import KINDS
from tests.remembered import holders
from tests.viewmodels.conftest import Held

NOWHERE = Now()
EVERYTHING = Now("customer", record=True, form=True, next=True, undo=True, back=True, forth=True)


@pytest.fixture
def chinese() -> Iterator[None]:
    """Chinese for one test."""
    texts.use("zh_CN")
    yield
    texts.use("en")


def _titles(found: tuple[Offer, ...], *acts: Act) -> list[str]:
    return [offer.title for offer in found if not acts or offer.act in acts]


def _ask(text: str, now: Now = EVERYTHING, uses: Uses | None = None, *found: Shown) -> tuple[Offer, ...]:
    return offers(text, now, found, uses or Uses())


def _shown(title: str, kind: str = "customer", n: int = 1) -> Shown:
    return Shown(kind, bytes([n] * 16), RowText(title, "Customer"))


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("lock", "Lock"),
        ("LOCK", "Lock"),
        ("now sy", "Sync now"),
        ("port", "Import files"),
        ("shortcuts", "Keys"),
        ("accounts", "Customers"),
        ("客户", "Customers"),
        ("opportunit", "Deals"),
    ],
)
def test_a_command_answers_to_parts_of_its_names(text: str, title: str) -> None:
    now = Now("settings")
    assert title in _titles(_ask(text, now), Act.RUN)


@pytest.mark.parametrize(
    ("text", "id_"), [("设置", "settings"), ("sett", "settings"), ("置", "settings"), ("lock", "lock")]
)
@pytest.mark.usefixtures("chinese")
def test_a_command_answers_in_the_readers_language_and_in_english(text: str, id_: str) -> None:
    run = [offer.command.id for offer in _ask(text) if offer.act is Act.RUN and offer.command is not None]
    assert id_ in run


def test_one_letter_is_looked_for_at_the_beginning_of_words_alone() -> None:
    titles = _titles(_ask("y", NOWHERE), Act.RUN)
    assert "Sync now" not in titles
    assert "Sync now" in _titles(_ask("n", NOWHERE), Act.RUN)


def test_the_group_with_the_best_answer_stands_first() -> None:
    locke = _shown("Locke & Partners")
    assert _titles(_ask("lock", EVERYTHING, None, locke))[:2] == ["Lock", "Locke & Partners"]
    assert _titles(_ask("locke", EVERYTHING, None, locke))[0] == "Locke & Partners"
    both = _titles(_ask("lo", EVERYTHING, None, locke))
    assert both.index("Locke & Partners") < both.index("Lock")


def test_commands_come_in_order_of_use() -> None:
    uses = Uses()
    this = _titles(_ask("this record", EVERYTHING, uses), Act.RUN)
    assert this == ["Edit this record", "Delete this record"]
    uses.note("delete")
    assert _titles(_ask("this record", EVERYTHING, uses), Act.RUN) == this[::-1]
    uses.note("edit")
    assert _titles(_ask("this record", EVERYTHING, uses), Act.RUN) == this


def test_what_is_not_possible_is_not_offered() -> None:
    impossible = {"edit", "tear_off", "next", "undo", "delete", "back", "forth"}
    for id_ in impossible:
        assert BY_ID[id_].title not in _titles(_ask(BY_ID[id_].title, NOWHERE), Act.RUN)
        assert BY_ID[id_].title in _titles(_ask(BY_ID[id_].title, EVERYTHING), Act.RUN)


def test_every_kind_that_can_bear_the_name_can_be_made() -> None:
    made = [offer for offer in _ask("长") if offer.act is Act.MAKE]
    # The title of a consent is one of a few purposes; an attachment is made of a file.
    assert {offer.kind for offer in made} == set(KINDS) - {"consent", "attachment"}
    assert all(offer.text == "长" and "“长”" in offer.title for offer in made)
    assert made[0].kind == "customer"
    assert next(offer.kind for offer in _ask("长", Now("task")) if offer.act is Act.MAKE) == "task"
    assert "consent" in {offer.kind for offer in _ask("Product news") if offer.act is Act.MAKE}


def test_making_is_asked_for_by_its_own_words_too() -> None:
    found = _ask("new deal", Now("deal"))
    assert (found[0].act, found[0].kind, found[0].text, found[0].command) == (
        Act.MAKE,
        "deal",
        "",
        BY_ID["new"],
    )
    assert "New deal “new deal ltd”" in _titles(_ask("new deal ltd"))


@pytest.mark.parametrize("kind", KINDS)
def test_an_address_is_read_as_it_is_written(kind: str) -> None:
    id_ = bytes(range(16))
    written = address.written(kind, id_)
    assert address.read(written) == address.read(f"  {written.upper()}\n") == (kind, id_)
    for other in (kind, f"{kind}/", f"{kind}/{id_.hex()[:-1]}", f"x{written}", f"{written}/x"):
        assert address.read(other) is None


class Clock:
    """A clock that stands until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def _overviews(session: Session) -> list[Overview]:
    page = session.call(lambda store: lists.page(store, KINDS["customer"], limit=KEPT + 2))
    return [
        session.call(lambda store, id_=record.id: overview.read(store, id_, now_ms()))
        for record in page.records
    ]


def test_the_last_ten_records_that_one_stayed_with_are_kept(session: Session) -> None:
    clock = Clock()
    opened = Opened(clock)
    shown = _overviews(session)
    for each in shown:
        opened.show(each)
        clock.now += STAY_S
    assert [each.id for each in opened.last()] == [each.record.id for each in shown[:1:-1]]
    opened.show(shown[0])
    clock.now += STAY_S / 2
    opened.show(shown[1])  # the one before was passed by
    opened.keep()
    opened.show(None)
    assert [each.id for each in opened.last()][:2] == [shown[1].record.id, shown[-1].record.id]
    opened.clear()
    assert opened.last() == []


def test_a_record_asked_for_by_name_counts_however_short_it_is_shown(session: Session) -> None:
    opened = Opened(Clock())
    first, second, *_rest = _overviews(session)
    opened.expect(first.record.id)
    opened.show(first)
    opened.show(second)
    opened.show(None)
    assert [each.id for each in opened.last()] == [first.record.id]


def _palette(session: Session, held: Held, opened: Opened | None = None) -> Palette:
    return Palette(session, Errands(held), opened or Opened(), Uses(), EVERYTHING)


def test_commands_are_there_before_records_and_records_of_other_letters_count_for_nothing(
    session: Session, held: Held
) -> None:
    palette = _palette(session, held)
    palette.ask("Bet")
    settled = [palette.settled]
    assert "Betatech" not in _titles(palette.rows)
    assert "New customer “Bet”" in _titles(palette.rows)
    palette.ask("Condax")
    held.turn()
    settled.append(palette.settled)
    assert _titles(palette.rows, Act.OPEN)[0] == "Condax"
    palette.ask("Con")
    assert [*settled, palette.settled] == [False, True, False]
    assert "Condax" in _titles(palette.rows, Act.OPEN)  # stays until the next ones are here


def test_while_the_store_answers_only_the_last_letters_wait(session: Session, held: Held) -> None:
    palette = _palette(session, held)
    for text in ("B", "Be", "Bet", "Beta"):
        palette.ask(text)
    assert held.turn() == 2
    assert _titles(palette.rows, Act.OPEN) == ["Betatech"]


def test_a_closed_palette_holds_nothing(session: Session, held: Held) -> None:
    palette = _palette(session, held)
    palette.ask("Beta")
    held.turn()
    palette.ask("Betat")
    palette.close()
    held.turn()
    assert (palette.rows, palette.text) == ((), "")


def test_no_function_keeps_in_mind_the_records_that_were_found() -> None:
    found = _ask("quagg", EVERYTHING, None, _shown("Quaggavere Trading"))
    assert "Quaggavere Trading" in _titles(found, Act.OPEN)
    assert holders("uaggavere") == []


def test_what_was_opened_is_told_as_it_is_now(session: Session, held: Held) -> None:
    opened = Opened()
    shown = _overviews(session)[0]
    opened.show(shown)
    palette = _palette(session, held, opened)
    palette.ask("")
    assert _titles(palette.rows) == [shown.record.title]
    session.call(records.edit, shown.record.id, {"name": "Renamed"})
    palette.ask("")
    held.turn()
    assert _titles(palette.rows) == ["Renamed"]
    session.call(records.delete, shown.record.id)
    _palette(session, held, opened).ask("")
    held.turn()
    assert opened.last() == []

"""The painted list asks only for what is seen, is used by keyboard, and sets all scripts on one line."""

from __future__ import annotations

import time

import pytest
from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtGui import QAccessible, QImage, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.ui.kit.painted_list import PaintedList
from app.ui.kit.rows import FixedRows, Row, RowRole, RowsModel
from app.ui.theme import tokens
from app.ui.theme.style import Look, Theme
from app.ui.theme.tokens import ROW, Colour, Scheme

MANY = 100_000


class CountedRows:
    """Very many rows that note which of them were asked for."""

    def __init__(self, count: int = MANY) -> None:
        self._count = count
        self.asked: set[int] = set()

    def count(self) -> int:
        return self._count

    def row(self, at: int) -> Row | None:
        self.asked.add(at)
        return Row(f"Customer {at}", "Technology · Seattle", "3 d", "$42,300")


@pytest.fixture
def light(qapp: QApplication) -> Theme:
    theme = Theme(qapp)
    theme.use(Look.LIGHT)
    return theme


@pytest.fixture
def rows(qtbot: QtBot, light: Theme) -> PaintedList:
    made = PaintedList("Customers")
    qtbot.addWidget(made)
    made.resize(380, ROW * 10)
    with qtbot.waitExposed(made):
        made.show()
    made.setFocus()
    return made


def test_of_100_000_rows_only_those_in_view_are_asked_for(rows: PaintedList) -> None:
    source = CountedRows()
    rows.show_rows(source, 0)
    rows.grab()
    assert 10 <= len(source.asked) <= 12
    QTest.keyClick(rows, Qt.Key.Key_End)
    rows.grab()
    assert rows.chosen_row() == MANY - 1
    assert len(source.asked) <= 24
    assert len(rows.viewport().findChildren(QWidget)) == 0


def test_first_picture_and_scrolling_are_fast(rows: PaintedList) -> None:
    # Some ten times what an idle machine takes: it fails for work per row and not for a busy neighbour.
    start = time.perf_counter()
    rows.show_rows(CountedRows(), 0)
    rows.grab()
    first = time.perf_counter() - start
    start = time.perf_counter()
    for at in range(50):
        rows.verticalScrollBar().setValue(at * 5_000)
        rows.grab()
    frame = (time.perf_counter() - start) / 50
    assert first < 0.15
    assert frame < 0.1


def test_keys_choose_open_and_leave(rows: PaintedList, qtbot: QtBot) -> None:
    rows.show_rows(CountedRows(), 5)
    chosen: list[int] = []
    rows.chosen.connect(chosen.append)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End):
        QTest.keyClick(rows, key)
    assert chosen[:2] == [6, 5]
    assert 12 <= chosen[2] <= 15
    assert chosen[3:] == [0, MANY - 1]
    QTest.keyClick(rows, Qt.Key.Key_Up)
    with qtbot.waitSignal(rows.opened, timeout=1000) as opened:
        QTest.keyClick(rows, Qt.Key.Key_Return)
    assert opened.args == [MANY - 2]
    with qtbot.waitSignal(rows.left, timeout=1000):
        QTest.keyClick(rows, Qt.Key.Key_Escape)


def test_letters_are_handed_on_and_read_no_row(rows: PaintedList, qtbot: QtBot) -> None:
    source = CountedRows()
    rows.show_rows(source, 0)
    rows.grab()
    before = set(source.asked)
    with qtbot.waitSignal(rows.typed, timeout=1000) as typed:
        QTest.keyClick(rows, Qt.Key.Key_B)
    assert typed.args == ["b"]
    assert source.asked == before


def test_a_click_chooses(rows: PaintedList) -> None:
    rows.show_rows(CountedRows(), 0)
    chosen: list[int] = []
    rows.chosen.connect(chosen.append)
    place = QPoint(100, ROW * 3 + 10)
    QTest.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    assert chosen == [3]


def test_the_program_chooses_in_silence_and_news_keep_the_place(rows: PaintedList) -> None:
    chosen: list[int] = []
    rows.show_rows(CountedRows(), 0)
    rows.chosen.connect(chosen.append)
    rows.verticalScrollBar().setValue(4_000)
    rows.show_rows(CountedRows(MANY + 1), 2, stay=True)
    assert rows.verticalScrollBar().value() == 4_000
    assert rows.chosen_row() == 2
    assert rows.rows_in_view().start == 4_000 // ROW
    rows.show_rows(FixedRows())
    assert rows.chosen_row() == -1
    assert rows.rows_in_view() == range(0)
    assert chosen == []


def test_enter_without_a_chosen_row_opens_nothing(rows: PaintedList) -> None:
    rows.show_rows(CountedRows())
    opened: list[int] = []
    rows.opened.connect(opened.append)
    rows.setCurrentIndex(QModelIndex())
    rows.keyPressEvent(QKeyEvent(QKeyEvent.Type.KeyPress, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier))
    assert opened == []


def test_a_row_is_spoken_in_one_sentence(rows: PaintedList) -> None:
    rows.show_rows(
        FixedRows((Row("Acme", "Negotiation", "3 d", word="waiting"), Row("B", spoken="B, all well")))
    )
    spoken = QAccessible.queryAccessibleInterface(rows)
    assert spoken.text(QAccessible.Text.Name) == "Customers"
    children = [spoken.child(at) for at in range(spoken.childCount())]
    said = [child.text(QAccessible.Text.Name) for child in children if child.role() == QAccessible.Role.Cell]
    assert said == ["Acme, Negotiation, waiting", "B, all well"]
    assert [text for child in children if (text := child.text(QAccessible.Text.Name))] == said


def test_the_model_answers_every_role(qapp: QApplication) -> None:
    row = Row("Acme", "Technology", "3 d", "$1", word="waiting")
    model = RowsModel(FixedRows((row,)))
    index = model.index(0, 0)
    answers = [index.data(role) for role in RowRole]
    assert answers == [row, "Acme", "Technology", "3 d", "$1", "waiting"]
    assert index.data(Qt.ItemDataRole.DisplayRole) == "Acme"
    assert index.data(Qt.ItemDataRole.DecorationRole) is None


def test_latin_and_chinese_stand_on_the_same_line(rows: PaintedList) -> None:
    rows.show_rows(FixedRows((Row("HHHH HHHH"), Row("HHHH 上海恒远医疗 HHHH"))))
    shot = rows.grab().toImage()
    # The capitals before the Chinese characters must stand where they stand without them.
    latin, mixed = _inked(shot, 0, 16, 50), _inked(shot, ROW, 16, 50)
    assert latin == mixed
    assert latin[1] == 23  # the lowest inked line is just above the baseline at 24


def test_the_chosen_row_has_an_edge_and_the_focused_one_a_ring(rows: PaintedList, qtbot: QtBot) -> None:
    accent = tokens.value(Colour.ACCENT, Scheme.LIGHT).lower()
    rows.show_rows(FixedRows((Row("A"), Row("B"), Row("C"))), 1)
    rows.clearFocus()
    qtbot.waitUntil(lambda: not rows.hasFocus())
    shot = rows.grab().toImage()
    middle, far = ROW + ROW // 2, rows.viewport().width() - 1
    assert [shot.pixelColor(x, middle).name() == accent for x in range(4)] == [True, True, True, False]
    assert shot.pixelColor(far, middle).name() == tokens.value(Colour.CHOSEN, Scheme.LIGHT).lower()
    assert shot.pixelColor(1, ROW // 2).name() != accent
    rows.setFocus()
    shot = rows.grab().toImage()
    assert [shot.pixelColor(far - x, middle).name() == accent for x in range(3)] == [True, True, False]


def test_long_titles_are_cut_by_width_and_leave_the_right_alone(rows: PaintedList) -> None:
    long = Row("WWWW上海恒远医疗器械有限公司" * 9, right="Yesterday", figure="¥680,000")
    rows.show_rows(FixedRows((long, Row("", right="Yesterday", figure="¥680,000"))))
    shot = rows.grab().toImage()
    start = rows.viewport().width() - 16 - 56
    assert shot.copy(start, 0, 72, ROW - 1) == shot.copy(start, ROW, 72, ROW - 1)


@pytest.mark.parametrize(("title", "marks"), [("Betatech", ((4, 8),)), ("𠮷野家", ((1, 2),))])
def test_found_letters_get_a_ground_and_keep_their_place(
    rows: PaintedList, title: str, marks: tuple[tuple[int, int], ...]
) -> None:
    ground = tokens.value(Colour.MARK, Scheme.LIGHT).lower()
    rows.show_rows(FixedRows((Row(title, marks=marks), Row(title))))
    shot = rows.grab().toImage()
    assert _count(shot, 0, ground) > 20
    assert _count(shot, ROW, ground) == 0
    assert _inked(shot, 0, 16, 22) == _inked(shot, ROW, 16, 22)


def _inked(image: QImage, top: int, left: int, right: int) -> tuple[int, int]:
    """First and last line of a row, from its top, that has dark ink between two columns; title only."""
    lines = [
        y
        for y in range(ROW // 2 + 4)
        if any(image.pixelColor(x, top + y).lightness() < 110 for x in range(left, right))
    ]
    return lines[0], lines[-1]


def _count(image: QImage, top: int, colour: str) -> int:
    return sum(image.pixelColor(x, y).name() == colour for x in range(380) for y in range(top, top + ROW))

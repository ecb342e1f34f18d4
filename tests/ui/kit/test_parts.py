"""Every part that takes the focus has a name, a ring and a size to hit; every part says what it was given."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QTabBar, QWidget
from pytestqt.qtbot import QtBot

from app.ui.kit.card import Fact, FactsTable
from app.ui.kit.placeholder import Placeholder
from app.ui.kit.search_field import SearchField
from app.ui.kit.text import Line, Paragraph, label
from app.ui.kit.timeline import Moment, Timeline
from app.ui.theme import tokens
from app.ui.theme.style import Look, Theme
from app.ui.theme.tokens import TOUCH, Colour, Scheme
from tests.ui import pages


@pytest.fixture(params=list(Look)[1:])
def theme(request: pytest.FixtureRequest, qapp: QApplication) -> Theme:
    made = Theme(qapp)
    made.use(request.param)
    return made


def _stops(page: QWidget) -> list[QWidget]:
    return [
        widget
        for widget in page.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.focusProxy() is None
        and widget.isVisibleTo(page)
    ]


@pytest.mark.parametrize("make", [pages.window, pages.parts])
def test_what_takes_the_focus_is_as_large_as_a_finger(theme: Theme, qtbot: QtBot, make: object) -> None:
    assert callable(make)
    page: QWidget = make()
    qtbot.addWidget(page)
    with qtbot.waitExposed(page):
        page.show()
    stops = _stops(page)
    assert len(stops) > 10
    small = [type(stop).__name__ for stop in stops if min(stop.width(), stop.height()) < TOUCH]
    assert small == []


def test_what_takes_the_focus_in_a_window_has_a_name(theme: Theme, qtbot: QtBot) -> None:
    page = pages.window()
    qtbot.addWidget(page)
    # A tab bar speaks tab by tab; Qt gives the bar itself no name unless its page does.
    stops = [stop for stop in _stops(page) if not isinstance(stop, QTabBar)]
    assert len(stops) > 10
    nameless = [type(stop).__name__ for stop in stops if not _name(stop)]
    assert nameless == []


@pytest.mark.parametrize("name", pages.FOCUS)
def test_the_focus_ring_is_two_pixels_of_accent(theme: Theme, qtbot: QtBot, name: str) -> None:
    page, stops = pages.focus_page()
    qtbot.addWidget(page)
    with qtbot.waitExposed(page):
        page.show()
    page.activateWindow()
    other = stops["main" if name != "main" else "plain"]
    other.setFocus()
    qtbot.waitUntil(other.hasFocus)
    without = stops[name].grab().toImage()
    stops[name].setFocus()
    qtbot.waitUntil(stops[name].hasFocus)
    ringed = stops[name].grab().toImage()
    accent = tokens.value(Colour.ACCENT, theme.scheme).lower()
    column = ringed.width() // 2
    if name == "main":
        # On accent the ring is parted from the button by a gap in the colour of its words.
        gap = tokens.value(Colour.ON_ACCENT, theme.scheme)
        assert _near(ringed, column, 2, gap)
        assert not _near(without, column, 2, gap)
        return
    # Two pixels above and two below; words in accent are in both pictures.
    assert _count(ringed, column, accent) - _count(without, column, accent) == 4


def test_placeholder_tells_its_button(theme: Theme, qtbot: QtBot) -> None:
    made = Placeholder("customer", "No customers yet", "Add one.", "New customer", "Import")
    qtbot.addWidget(made)
    first, second = made.findChildren(QPushButton)
    with qtbot.waitSignal(made.acted, timeout=1000):
        QTest.keyClick(first, Qt.Key.Key_Space)
    with qtbot.waitSignal(made.other_acted, timeout=1000):
        second.click()
    assert [first.text(), second.text()] == ["New customer", "Import"]


def test_search_field_clears_then_leaves_and_goes_on(theme: Theme, qtbot: QtBot) -> None:
    field = SearchField("Search", "Search customers", "Ctrl K")
    qtbot.addWidget(field)
    left: list[bool] = []
    field.left.connect(lambda: left.append(True))
    QTest.keyClicks(field, "abc")
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert (field.text(), left) == ("", [])
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert left == [True]
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Return):
        with qtbot.waitSignal(field.onward, timeout=1000):
            QTest.keyClick(field, key)


def test_facts_are_replaced_and_tell_which_verb_was_clicked(theme: Theme, qtbot: QtBot) -> None:
    table = FactsTable((Fact("Phone", "138", "Show", "phone"), Fact("Source", "Fair")))
    qtbot.addWidget(table)
    verb = table.findChild(QPushButton)
    assert isinstance(verb, QPushButton)
    assert _name(verb) == "Show: Phone"
    with qtbot.waitSignal(table.acted, timeout=1000) as acted:
        verb.click()
    assert acted.args == ["phone"]
    table.show_facts((Fact("Source", "Fair"),))
    shown = [line.text() for line in table.findChildren(Line) if not line.isHidden()]
    assert shown == ["Source"]


def test_timeline_speaks_each_moment_and_opens_by_enter(theme: Theme, qtbot: QtBot) -> None:
    timeline = Timeline("What happened")
    qtbot.addWidget(timeline)
    timeline.show_moments((Moment("Visit", "Yesterday", "A talk"), Moment("Made")))
    spoken = QAccessible.queryAccessibleInterface(timeline)
    assert [spoken.child(at).text(QAccessible.Text.Name) for at in (0, 1)] == [
        "Visit, Yesterday, A talk",
        "Made",
    ]
    timeline.setCurrentIndex(timeline.model().index(1, 0))
    with qtbot.waitSignal(timeline.opened, timeout=1000) as opened:
        QTest.keyClick(timeline, Qt.Key.Key_Return)
    assert opened.args == [1]
    with qtbot.waitSignal(timeline.left, timeout=1000):
        QTest.keyClick(timeline, Qt.Key.Key_Escape)


def test_a_paragraph_breaks_a_word_that_is_too_wide_and_is_1_45_high_per_line(
    theme: Theme, qtbot: QtBot
) -> None:
    paragraph = Paragraph("a" * 200 + "\n直骨海令")
    qtbot.addWidget(paragraph)
    one = Paragraph("a").heightForWidth(400)
    assert one == round(13 * 1.45)
    lines = paragraph.heightForWidth(200) // one
    assert lines > paragraph.heightForWidth(400) // one > 2
    assert paragraph.minimumSizeHint().width() < 100


def test_a_cut_line_has_the_whole_in_its_tooltip(theme: Theme, qtbot: QtBot) -> None:
    line = Line("A very long name of a company")
    qtbot.addWidget(line)
    line.resize(60, 19)
    line.grab()
    assert line.toolTip() == line.text()
    line.resize(400, 19)
    line.grab()
    assert line.toolTip() == ""


def test_a_ground_is_no_ink(qapp: QApplication) -> None:
    with pytest.raises(ValueError, match="no ink"):
        label("x", colour=Colour.SURFACE)


def test_a_change_of_scheme_reaches_parts_that_are_there(qapp: QApplication, qtbot: QtBot) -> None:
    made = Theme(qapp)
    made.use(Look.LIGHT)
    page = pages.window()
    qtbot.addWidget(page)
    with qtbot.waitExposed(page):
        page.show()
    field = page.findChild(QLineEdit)
    assert isinstance(field, QLineEdit)
    page.setFocus()
    shots = {}
    for look, scheme in ((Look.LIGHT, Scheme.LIGHT), (Look.DARK, Scheme.DARK)):
        made.use(look)
        shots[scheme] = page.grab().toImage()
    for scheme, shot in shots.items():
        for x, y, ground in ((8, 600, Colour.RAIL), (500, 860, Colour.SURFACE), (900, 800, Colour.CANVAS)):
            assert shot.pixelColor(x, y).name() == tokens.value(ground, scheme).lower(), (scheme, ground)


def _name(widget: QWidget) -> str:
    spoken = QAccessible.queryAccessibleInterface(widget)
    return str(spoken.text(QAccessible.Text.Name))


def _count(image: QImage, column: int, colour: str) -> int:
    return sum(image.pixelColor(column, y).name() == colour for y in range(image.height()))


def _near(image: QImage, column: int, line: int, colour: str) -> bool:
    return tokens.contrast(image.pixelColor(column, line).name(), colour) < 1.6

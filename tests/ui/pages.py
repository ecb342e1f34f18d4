"""The painted parts placed on sample pages, for the gallery and for tests of all parts at once."""

from __future__ import annotations

from PySide6.QtCore import QDate, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDateEdit,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from app.ui.kit.badge import BadgeState, SyncBadge
from app.ui.kit.bars import Brand, FootLine, TopBar
from app.ui.kit.buttons import Button, Part, icon_button
from app.ui.kit.card import Card, Fact, FactsTable, FactStyle
from app.ui.kit.controls import CheckBox, framed
from app.ui.kit.marks import find_marks
from app.ui.kit.paint import Tone
from app.ui.kit.painted_list import PaintedList
from app.ui.kit.placeholder import Picture, Placeholder
from app.ui.kit.rail_button import RailButton
from app.ui.kit.rows import FixedRows, Row
from app.ui.kit.search_field import SearchField
from app.ui.kit.text import Line, Paragraph, Tag, hairline, key_hint, label
from app.ui.kit.timeline import Moment, Timeline
from app.ui.theme import icons
from app.ui.theme.fonts import px
from app.ui.theme.tokens import LIST_WIDTH, RAIL_NARROW, RAIL_WIDTH, S8, S12, S16, S24, Colour, Step
from tests.ui.wording import CHINESE

_language = "en"


def speak(language: str) -> None:
    """Make the pages in this language from now on."""
    global _language
    _language = language


def _(text: str) -> str:
    return CHINESE.get(text, text) if _language == "zh_CN" else text


ROWS = (
    Row("Acme Corporation", "Technology · Seattle", "Today", "$42,300"),
    Row("上海恒远医疗器械有限公司", "医疗器械 · 上海浦东", "Yesterday", "¥680,000"),
    Row("Betatech", "Medical · Boston", "3 d", "$12,900", marks=find_marks("Betatech", "tech")),
    Row("Bioholding", "Medical · Philadelphia", "4 d", "$9,100", word="waiting"),
    Row(
        "深圳市博泰电子科技",
        "电子 · 深圳南山",
        "16 d",
        "¥95,000",
        marks=find_marks("深圳市博泰电子科技", "博泰"),
    ),
    Row("Cancity", "Retail · Chicago", "8 d", "–", word="conflict", tone=Tone.PLAIN),
    Row(
        "A very long name of a company that no list is wide enough for",
        "Entertainment · Miami",
        "35 d",
        "$2,480",
    ),
    Row("直骨海令 (these four show whose Han shapes are in use)", "骨科 · 直销", "41 d"),
)


class _Gappy(FixedRows):
    """The sample rows, and after them rows that are still being fetched."""

    def count(self) -> int:
        return len(self.rows) + 3

    def row(self, at: int) -> Row | None:
        return self.rows[at] if at < len(self.rows) else None


def window() -> QWidget:
    """The parts placed as in the window, without data behind them."""
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    search = SearchField("search", _("Search customers, deals, notes or run a command"), "Ctrl K")
    top = TopBar(Brand("Fieldkeep"), search, px(RAIL_WIDTH) + S12)
    badge = SyncBadge()
    badge.show_state(BadgeState.SENT, _("Up to date · 10:42"))
    for widget in (badge, Button(_("Lock"), icon="lock"), Button(_("New"), Part.MAIN, "plus")):
        top.add(widget)
    column.addWidget(top)
    panes = QHBoxLayout()
    panes.setSpacing(0)
    panes.addWidget(_rail(compact=False))
    panes.addWidget(_list_pane())
    panes.addWidget(_detail(), 1)
    column.addLayout(panes, 1)
    foot = FootLine()
    foot.show_words("East · 12,481 customers on this device", "Works offline until 6 Dec")
    column.addWidget(foot)
    page.resize(1440, 900)
    return page


def _rail(*, compact: bool) -> QWidget:
    rail = QFrame()
    rail.setProperty("part", "rail")
    rail.setFixedWidth(px(RAIL_NARROW if compact else RAIL_WIDTH))
    column = QVBoxLayout(rail)
    column.setContentsMargins(S8, S12, S8, S12)
    column.setSpacing(2)
    sections = (
        ("today", "Today", "6", Tone.PLAIN),
        ("customer", "Customers", "12,481", Tone.PLAIN),
        ("contact", "Contacts", "31,007", Tone.PLAIN),
        ("deal", "Deals", "87", Tone.PLAIN),
        ("task", "Tasks", "14", Tone.PLAIN),
        ("activity", "Activities", "", Tone.PLAIN),
        ("consent", "Consents", "2", Tone.WARN),
    )
    for icon, name, count, tone in sections:
        button = RailButton(icon, _(name))
        button.set_count(count, tone)
        button.setChecked(icon == "customer")
        button.set_compact(compact)
        column.addWidget(button)
    column.addStretch(1)
    badge = SyncBadge()
    badge.set_compact(compact)
    badge.show_state(BadgeState.SENT, _("Up to date · 10:42"))
    column.addWidget(badge)
    settings = RailButton("settings", _("Settings"))
    settings.set_compact(compact)
    column.addWidget(settings)
    return rail


def _list_pane() -> QWidget:
    pane = QFrame()
    pane.setProperty("part", "list")
    pane.setFixedWidth(px(LIST_WIDTH))
    column = QVBoxLayout(pane)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    head = QHBoxLayout()
    head.setContentsMargins(S16, S8, S16, S8)
    head.addWidget(label(_("Customers"), Step.LARGE, semibold=True))
    head.addStretch(1)
    head.addWidget(icon_button("import", _("Import")))
    head.addWidget(icon_button("plus", _("New customer")))
    column.addLayout(head)
    column.addWidget(hairline())
    rows = PaintedList("customers")
    rows.show_rows(_Gappy(ROWS), 1)
    column.addWidget(rows, 1)
    return pane


def _detail() -> QWidget:
    page = QFrame()
    page.setProperty("part", "page")
    column = QVBoxLayout(page)
    column.setContentsMargins(S24, S16, S24, S16)
    head = QHBoxLayout()
    head.addWidget(Line("上海恒远医疗器械有限公司", Step.TITLE, semibold=True), 1)
    head.addWidget(Button(_("Log visit")))
    head.addWidget(Button(_("Edit")))
    column.addLayout(head)
    column.addWidget(Line("医疗器械 · 上海市浦东新区张江路", Step.BODY, Colour.SOFT))
    tags = QHBoxLayout()
    for text, tone in (
        ("Negotiation", Tone.ACCENT),
        ("Tier A", Tone.PLAIN),
        ("Consent ends in 12 d", Tone.WARN),
    ):
        tags.addWidget(Tag(text, tone))
    tags.addStretch(1)
    column.addLayout(tags)
    tabs = QTabBar()
    tabs.setDrawBase(False)
    tabs.setExpanding(False)
    for text in (_("Overview"), _("Contacts") + " 4", _("Deals") + " 2", _("Consents")):
        tabs.addTab(text)
    column.addWidget(tabs)
    column.addWidget(hairline())
    below = QHBoxLayout()
    below.setSpacing(S24)
    below.addWidget(_timeline(), 1)
    cards = QVBoxLayout()
    for card in (_facts(), _figures()):
        card.setFixedWidth(px(286))
        cards.addWidget(card)
    cards.addStretch(1)
    below.addLayout(cards)
    column.addLayout(below, 1)
    return page


def _timeline() -> Timeline:
    timeline = Timeline("what happened")
    timeline.show_moments(
        (
            Moment(
                "Visit · demo of the new analyser",
                "Yesterday 14:20",
                "Wants the service contract priced apart.",
            ),
            Moment("Deal moved to Negotiation", "18 Nov", "¥680,000 · expected close 20 Dec"),
            Moment("电话已更改,保留两个版本", "17 Nov", "双方离线时都编辑过。请在冲突中查看另一个版本。"),
            Moment("Consent recorded: product news by phone", "2 Nov", "Valid until 4 Dec."),
            Moment("Customer created from trade fair import", "28 Oct · import, 214 rows"),
        )
    )
    return timeline


def _facts() -> Card:
    card = Card(_("Key facts"))
    facts = (
        Fact(_("Phone"), "138 **** 5678", _("Show"), "phone"),
        Fact(_("E-mail"), "a.long.address.of.a.mailbox.somewhere@hengyuan.example"),
        Fact(_("Address"), "上海市浦东新区张江高科技园区张江路一百号二号楼三层"),
        Fact(_("Source"), "Trade fair, Oct 2026"),
    )
    card.add(FactsTable(facts))
    return card


def _figures() -> Card:
    card = Card(_("Open deals"), "¥775,000")
    facts = (Fact("Analyser line 2", "¥680,000"), Fact("Consumables 2027", "¥95,000", tone=Tone.WARN))
    card.add(FactsTable(facts, FactStyle.FIGURES))
    return card


def parts() -> QWidget:
    """Every part by itself, in its states."""
    page = QFrame()
    page.setProperty("part", "page")
    grid = QGridLayout(page)
    grid.setContentsMargins(S24, S24, S24, S24)
    grid.setSpacing(S24)
    grid.addLayout(_badges(), 0, 0)
    grid.addLayout(_buttons(), 0, 1)
    grid.addLayout(_fields(), 0, 2)
    grid.addWidget(_rail(compact=True), 0, 3)
    grid.addWidget(_card_of(_empty()), 1, 0)
    nothing = Placeholder("search", "No customer matches 'abc'", action="Clear filter", main=False)
    grid.addWidget(_card_of(nothing), 1, 1)
    grid.addWidget(_card_of(Placeholder("wiped", "This device was wiped by your organisation.")), 1, 2)
    grid.addLayout(_icons(), 2, 0, 1, 4)
    grid.addLayout(_words(), 3, 0, 1, 4)
    page.resize(1280, 900)
    return page


def _empty() -> Placeholder:
    explanation = _("Add your first customer, or bring them in from a file.")
    return Placeholder("customer", _("No customers yet"), explanation, _("New customer"), _("Import"))


def _card_of(widget: QWidget) -> QWidget:
    card = QFrame()
    card.setProperty("part", "card")
    QVBoxLayout(card).addWidget(widget)
    return card


def _badges() -> QVBoxLayout:
    column = QVBoxLayout()
    words = {
        BadgeState.SENT: "Up to date · 10:42",
        BadgeState.SENDING: "Sending 3 …",
        BadgeState.OFFLINE: "3 waiting · offline",
        BadgeState.REFUSED: "Not syncing · sign in",
    }
    for state, text in words.items():
        badge = SyncBadge()
        badge.show_state(state, text)
        column.addWidget(badge, 0, Qt.AlignmentFlag.AlignLeft)
    column.addStretch(1)
    return column


def _buttons() -> QVBoxLayout:
    column = QVBoxLayout()
    for part in Part:
        row = QHBoxLayout()
        row.addWidget(Button(f"Do {part}", part))
        row.addWidget(Button("With icon", part, "plus"))
        unable = Button("Not now", part)
        unable.setEnabled(False)
        row.addWidget(unable)
        row.addStretch(1)
        column.addLayout(row)
    column.addStretch(1)
    return column


def _fields() -> QVBoxLayout:
    column = QVBoxLayout()
    filled = QLineEdit("王芳 filled and selected")
    filled.selectAll()
    unable = QLineEdit("cannot be changed")
    unable.setReadOnly(True)
    combo = QComboBox()
    combo.addItems(["Negotiation", "合同谈判"])
    date = QDateEdit(QDate(2026, 11, 22))
    date.setCalendarPopup(True)
    check = CheckBox("May be called")
    check.setChecked(True)
    notes = QPlainTextEdit("Notes\n备注")
    notes.setFixedHeight(58)
    for widget in (
        SearchField("filter", "Filter", "Ctrl F"),
        filled,
        unable,
        combo,
        date,
        QSpinBox(),
        check,
        notes,
    ):
        if isinstance(widget, (QComboBox, QDateEdit, QSpinBox)):
            framed(widget)
        column.addWidget(widget)
    return column


def _icons() -> QGridLayout:
    grid = QGridLayout()
    for at, name in enumerate(icons.names()):
        grid.addWidget(Picture(name, px(24), Colour.TEXT), 0, at)
    return grid


def _words() -> QHBoxLayout:
    row = QHBoxLayout()
    for step in Step:
        row.addWidget(label(f"Type {int(step)} 字号", step))
    for colour in (Colour.SOFT, Colour.FAINT, Colour.OK, Colour.WARN, Colour.BAD):
        row.addWidget(label(str(colour), Step.BODY, colour))
    for tone in Tone:
        row.addWidget(Tag(str(tone), tone))
    row.addWidget(key_hint("Ctrl K"))
    row.addWidget(
        Paragraph("A paragraph of several lines.\n一段有好几行的文字,用来看行高。", Step.BODY, Colour.SOFT)
    )
    row.addStretch(1)
    return row


FOCUS = ("main", "plain", "rows", "field", "combo", "badge", "rail", "check", "link")


def focus_page() -> tuple[QWidget, dict[str, QWidget]]:
    """One of each part that takes the focus, by name, to be shot with the ring on it."""
    page = QFrame()
    page.setProperty("part", "page")
    column = QVBoxLayout(page)
    column.setContentsMargins(S16, S16, S16, S16)
    rows = PaintedList("rows")
    rows.show_rows(FixedRows(ROWS[:3]), 1)
    rows.setFixedHeight(px(56) * 3)
    badge = SyncBadge()
    badge.show_state(BadgeState.OFFLINE, "3 waiting · offline")
    combo = QComboBox()
    combo.addItems(["Negotiation", "合同谈判"])
    framed(combo)
    check = CheckBox("May be called")
    stops: dict[str, QWidget] = {
        "main": Button("Unlock", Part.MAIN),
        "plain": Button("Edit"),
        "rows": rows,
        "field": QLineEdit("王芳"),
        "combo": combo,
        "badge": badge,
        "rail": RailButton("customer", "Customers"),
        "check": check,
        "link": Button("Show", Part.LINK),
    }
    for widget in stops.values():
        column.addWidget(widget)
    page.resize(320, 560)
    return page, stops

"""Scenes for the pictures: a record in a window of its own, the badge in each of its states, the files of a record,
a PIN."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from app.changes import SYNC, Changes
from app.commands import DUPLICATES, SETTINGS
from app.keys.secret import SecretBytes
from app.services.guard import Reason, Rung
from app.services.reasons import Told, in_words
from app.services.why_locked import BY_IDLE
from app.store import duplicates, lists, records
from app.ui.attached import AttachedPage
from app.ui.kit.secret_line import SecretLine
from app.ui.pin_card import PinCard
from app.viewmodels import words
from app.viewmodels.attached import Progress, Row
from app.viewmodels.duplicates import Double, Duplicates
from app.viewmodels.notices import Screen
from app.viewmodels.ruled import Ruled
from sync.client.status import Phase, SyncStatus
from sync.protocol.kinds import KINDS
from sync.protocol.texts import gettext as _
from sync.protocol.uses import USES
from tests.house.tree import ROOT

if TYPE_CHECKING:
    from tests.ui.organisation import Organisation
    from tests.ui.pictures import Camera


def shoot_torn(camera: Camera, title: str) -> None:
    """A record in a window of its own, its form, and the menu of a field in it."""
    camera.choose(title)
    camera.work.tear_off()
    assert camera.desk.detail is not None
    window = camera.work.torn.windows[camera.desk.detail.record.id]
    camera.until(window.isVisible)
    camera.shoot("torn", window)
    window.pane.edit()
    camera.until(lambda: True)
    camera.shoot("torn-form", window)
    line = next(each for each in window.findChildren(QLineEdit) if each.isVisibleTo(window))
    menu = line.createStandardContextMenu()
    menu.ensurePolished()
    menu.resize(menu.sizeHint())
    camera.shoot("field-menu", menu)
    menu.deleteLater()
    window.close()
    camera.until(lambda: not camera.work.torn.windows)


def shoot_duplicates(camera: Camera) -> None:
    """A customer that is there twice: the mark in the list, what its page says, and both beside one another."""
    session = camera.desk.session
    twice = {
        "name": "Betatech Inc.", "industry": "Medical devices", "stage": "customer", "phones": "+1 617 555 0123",
        "address": {"city": "Boston", "street": "12 Harbor Street"}, "notes": "Met at the fair.", "tags": ["Tier B"],
    }  # fmt: skip
    made = session.call(lambda store: records.add(store, KINDS["customer"], twice))
    first = session.call(
        lambda store: lists.page(store, KINDS["customer"], where={"name": "Betatech"}).records[0]
    )
    session.call(lambda store: records.edit(store, first.id, {"notes": "Wants a demo."}))
    camera.desk.heard(Changes((("customer", made.id), ("customer", first.id))))
    camera.until(lambda: session.read(duplicates.count))
    camera.desk.heard(Changes())
    camera.choose("Betatech Inc.")
    camera.until(lambda: True)
    camera.shoot("duplicate-mark")
    camera.work.go(DUPLICATES)
    known = camera.desk.beside[DUPLICATES]
    assert isinstance(known, Duplicates)
    camera.until(lambda: known.shown)
    camera.shoot("duplicates")
    known.join(known.shown[0] if known.shown else _none())
    camera.until(lambda: known.shown == [])
    camera.shoot("duplicates-joined")
    camera.desk.undo()
    camera.until(lambda: known.shown)
    camera.work.go("customer")
    camera.until(lambda: camera.desk.list.ready)


def _none() -> Double:
    raise AssertionError("no pair is shown")


def shoot_policy(camera: Camera) -> None:
    """What policy asks, staged as it would be judged: a warning, then a restriction beside it."""
    old = Told(Rung.WARN, "app_version", *in_words(Reason(Rung.WARN, "app_version")))
    bare = Told(Rung.RESTRICT, "disk_encryption", *in_words(Reason(Rung.RESTRICT, "disk_encryption")))
    known = camera.shell.ruled
    for name, ruled in (("warned", Ruled((old,))), ("restricted", Ruled((bare, old), frozenset(USES)))):
        camera.shell._rule(ruled)
        camera.until(lambda: True)
        camera.shoot(f"policy-{name}")
    camera.shell._rule(known)
    camera.until(lambda: True)


def shoot_syncing(camera: Camera) -> None:
    """The badge in each of its states, staged as the engine would tell them."""
    now = camera.shell.sync.last_ok
    states = {
        "sent": SyncStatus(Phase.IDLE, last_ok=now),
        "sending": SyncStatus(Phase.SENDING, waiting=3, last_ok=now),
        "fetching": SyncStatus(Phase.SENDING, last_ok=now, first=True, fetched=340, percent=28),
        "offline": SyncStatus(Phase.OFFLINE, waiting=3, last_ok=now),
        "needs": SyncStatus(Phase.IDLE, conflicts=2, attention=2, last_ok=now),
        "refused": SyncStatus(Phase.REFUSED, title="The server is newer than this program.", last_ok=now),
    }
    for name, status in states.items():
        camera.shell._stands(status)
        camera.until(lambda: True)
        camera.shoot(f"badge-{name}", camera.work.rail)
    camera.window.resize(980, 700)
    camera.until(lambda: True)
    camera.shoot("badge-compact", camera.work.rail)
    camera.window.resize(1440, 900)
    camera.shell._stands(states["sent"])
    camera.desk.heard(Changes((("deal", bytes(16)),), SYNC, 12))
    camera.until(lambda: True)
    camera.shoot("left")
    camera.desk.hush()


def shoot_attached(camera: Camera, title: str) -> None:
    """The files of a record: none, one that is sent and one that waits, and one that is being fetched."""
    camera.choose_again(title)
    camera.work.detail.show_page("attachment")

    def page() -> AttachedPage:
        return next(each for each in camera.work.findChildren(AttachedPage) if each.isVisibleTo(camera.work))

    camera.until(lambda: page()._files.ready)
    files = page()._files
    if not files.count():
        camera.shoot("attached-none")
    files.attach([ROOT / "docs" / "pictures" / "list-light.png"])
    camera.until(lambda: files.count() and not files.rows[0].text.word)
    page().rows.choose(0)
    camera.until(lambda: True)
    camera.shoot("attached")
    first = files.rows[0]
    waits = Row(
        first.record, msgspec.structs.replace(first.text, title="合同 Contract.pdf", word=_("waits to go up"))
    )
    away = Row(first.record, msgspec.structs.replace(first.text, word=_("not here yet"), alarm="plain"))
    files.rows = (waits, away, first)
    files.progress = Progress(
        _("Fetching {name} … {share}").format(name=first.record.title, share=words.percent(34)), 34
    )
    files.tell()
    camera.shoot("attached-fetching")
    camera.work.go("attachment")
    camera.until(lambda: camera.desk.list.ready and camera.desk.list.count())
    camera.shoot("attachments")
    camera.work.go("customer")


def shoot_pin(camera: Camera, org: Organisation, name: str) -> None:
    """A PIN chosen on the settings page, asked for, given up, and chosen anew after IT's unlock."""
    locking, session = camera.shell.locking, camera.shell.session
    assert session is not None
    camera.work.go(SETTINGS)
    camera.until(lambda: camera.work.findChild(PinCard))
    card = camera.work.findChild(PinCard)
    assert isinstance(card, PinCard)
    card._act()
    line = card.findChild(SecretLine)
    assert isinstance(line, SecretLine)
    QTest.keyClicks(line, "382915")
    camera.until(lambda: card._form is not None and card._form._choice._tries is not None)
    camera.shoot("settings-pin")
    locking.choose_pin(SecretBytes(b"382915"))
    camera.until(lambda: session.state.reset_ack and not camera.shell.busy)
    locking.lock(BY_IDLE)
    camera.until(lambda: camera.shell.notice.needs_pin and not camera.shell.busy)
    camera.shoot("lock-pin")
    locking.unlock(SecretBytes(b"382916"))
    camera.until(lambda: camera.shell.problem is not None)
    camera.shoot("lock-pin-wrong")
    locking.give_up_pin()
    camera.until(lambda: camera.shell.notice.by_order and not camera.shell.busy)
    camera.shoot("lock-pin-given-up")
    org.admin("unlock", name)
    camera.shell.try_now()
    camera.until(lambda: camera.shell.notice.new_pin and not camera.shell.busy)
    camera.shoot("lock-new-pin")
    locking.choose_pin(SecretBytes(b"am blauen see"))
    camera.until(lambda: camera.shell.screen is Screen.WORK and camera.desk.list.ready)

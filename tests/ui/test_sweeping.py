"""Garbage goes in the screen's thread, whichever thread leaves it: elsewhere it can stop the window for good."""

from __future__ import annotations

import gc
import threading

from PySide6.QtCore import QCoreApplication, QObject
from pytestqt.qtbot import QtBot

from app.ui.sweeping import Sweeper

_LEFT = 5_000  # several times what makes the interpreter collect by itself


class Left:
    """Garbage that only a collection finds; says where it went."""

    def __init__(self, went: list[threading.Thread]) -> None:
        self.itself = self
        self._went = went

    def __del__(self) -> None:
        self._went.append(threading.current_thread())


def test_what_a_thread_leaves_goes_in_the_screens_thread(qtbot: QtBot, qapp: QCoreApplication) -> None:
    parent, went = QObject(qapp), list[threading.Thread]()
    gc.enable()
    Sweeper(parent).begin()
    assert not gc.isenabled()

    def leave() -> None:
        for _each in range(_LEFT):
            Left(went)

    thread = threading.Thread(target=leave)
    thread.start()
    thread.join()
    assert not went
    qtbot.waitUntil(lambda: len(went) == _LEFT, timeout=20_000)
    assert set(went) == {threading.main_thread()}
    parent.deleteLater()

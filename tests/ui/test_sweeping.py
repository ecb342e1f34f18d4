"""Garbage goes in the screen's thread, whichever thread leaves it: elsewhere it can stop the window for good."""

from __future__ import annotations

import gc
import threading

import pytest
from PySide6.QtCore import QCoreApplication, QObject
from pytestqt.qtbot import QtBot

from app.ui.sweeping import Sweeper, sweep

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


def test_all_is_looked_through_only_once_a_fourth_has_come_to_the_old(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked = list[int]()
    gc.disable()
    gc.collect()
    monkeypatch.setattr(gc, "get_threshold", lambda: (0, 0, 0))
    gc.callbacks.append(lambda phase, info: looked.append(info["generation"]) if phase == "start" else None)
    try:
        kept: list[list[object]] = [[]]
        left = sweep()  # nothing is known of a look before
        for _again in range(3):
            kept.append([[] for _each in range(left // 20)])
            gc.collect(1)  # what is left of it is old from here on
            left = sweep(left)
        assert looked.count(2) == 1
        kept.append([[] for _each in range(left // 5)])
        gc.collect(1)
        assert sweep(left) > left
        assert looked.count(2) == 2
    finally:
        gc.callbacks.pop()
        gc.enable()

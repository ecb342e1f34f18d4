"""The pen of a store: one holds it at a time, and who acts goes before rows that arrive."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from app.services.bulk.pen import Pen


def _until(true: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        threading.Event().wait(0.02)


def test_the_pen_goes_to_the_hurried_before_the_patient() -> None:
    pen, order = Pen(), list[str]()

    def take(name: str, *, patient: bool) -> None:
        with pen.held(patient=patient), pen.held():
            order.append(name)

    with pen.held():
        threads = [
            threading.Thread(target=take, args=("rows",), kwargs={"patient": True}),
            threading.Thread(target=take, args=("save",), kwargs={"patient": False}),
        ]
        threads[0].start()
        _until(lambda: len(pen._free._waiters) == 1)  # type: ignore[attr-defined]
        threads[1].start()
        _until(lambda: len(pen._free._waiters) == 2)  # type: ignore[attr-defined]
    for thread in threads:
        thread.join()
    assert order == ["save", "rows"]

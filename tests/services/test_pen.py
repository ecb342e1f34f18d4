"""The pen of a store: one holds it at a time, and who acts goes before rows that arrive."""

from __future__ import annotations

import threading

from app.services.bulk.pen import Pen
from tests.services.pages import until


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
        until(lambda: len(pen._free._waiters) == 1)  # type: ignore[attr-defined]
        assert not pen.wanted  # nobody hurries for rows
        threads[1].start()
        until(lambda: len(pen._free._waiters) == 2)  # type: ignore[attr-defined]
        until(lambda: pen.wanted)
    for thread in threads:
        thread.join()
    assert order == ["save", "rows"]

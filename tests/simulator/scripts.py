"""Runs to which dice come seldom, each as short as it gets: of a restored server, and of acts that meet."""

from __future__ import annotations

from typing import Final

from tests.simulator.steps import (
    Attach,
    Backup,
    Bring,
    Exchange,
    Forget,
    Junk,
    Move,
    Pair,
    Restore,
    Same,
    Step,
    Write,
)

RESTORES: Final[dict[str, list[Step]]] = {
    "work that others had gone past": [
        Write(0, "add", 0, 0), Exchange(0), Exchange(1), Backup(), Write(1, "add", 0, 1), Exchange(1), Restore(0),
        Write(0, "add", 0, 2), Write(0, "add", 0, 2), Exchange(0),
    ],
    "an edit that saw what was lost meets one that did not": [
        Write(0, "add", 0, 0), Exchange(0), Exchange(1), Exchange(2), Backup(), Write(0, "edit", 0, 1), Exchange(0),
        Exchange(1), Write(1, "edit", 0, 1), Restore(0), Write(2, "edit", 0, 1), Exchange(2), Exchange(2),
        Exchange(1), Exchange(1),
    ],
    "an op that the backup holds and its author does not know of": [
        Write(0, "add", 0, 0), Exchange(0), Exchange(1), Write(0, "edit", 0, 2), Exchange(0, "deaf"), Exchange(1),
        Write(1, "edit", 0, 2), Exchange(1), Backup(), Restore(0),
    ],
    "an edit that comes before its record": [
        Write(0, "add", 0, 0), Exchange(0), Backup(), Write(0, "add", 0, 0), Exchange(0), Exchange(1),
        Write(1, "edit", 0, 1), Write(1, "edit", 1, 2), Exchange(1), Restore(0), Exchange(1), Exchange(1),
    ],
    "a delete that comes last": [
        Write(0, "add", 0, 0), Exchange(0), Exchange(1), Backup(), Write(1, "edit", 0, 1), Exchange(1), Exchange(0),
        Write(0, "delete", 0, 0), Exchange(0), Restore(0), Exchange(1), Exchange(1),
    ],
    "a second restore, further back, before anybody read anything of the first": [
        Write(0, "add", 0, 1), Exchange(0), Backup(), Write(0, "edit", 0, 2), Exchange(0), Backup(), Restore(0),
        Exchange(0), Restore(1),
    ],
}  # fmt: skip

MEETINGS: Final[dict[str, list[Step]]] = {
    "somebody else has sent wrong bytes under the name of a file before its own device brings it": [
        Write(0, "add", 0, 0), Exchange(0), Exchange(1), Attach(0, 0), Exchange(0), Exchange(1), Junk(1, 1), Bring(0),
    ],
    "a join of which the first part is refused": [
        Same(0, 0), Exchange(0), Same(1, 0), Exchange(1), Exchange(0), Pair(1, "join", 0), Move(1, "rep", "Sales/West"),
        Exchange(1), Exchange(0),
    ],
    "a record that left, changed again, and of which old entries are folded": [
        Write(0, "add", 0, 0), Exchange(0), Exchange(1), Move(0, "rep", "Sales/West"), Exchange(0),
        Write(0, "edit", 0, 1), Exchange(0), Forget(), Exchange(1),
    ],
}  # fmt: skip

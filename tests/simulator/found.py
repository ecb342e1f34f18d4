"""Runs that broke a law once, cut down: each holds now, and a fault that comes back is told by its name."""

from __future__ import annotations

from typing import Final

from tests.simulator.steps import (
    Attach,
    Backup,
    Copy,
    Exchange,
    Expect,
    Fetch,
    Forget,
    Grant,
    MergeTeams,
    Move,
    Pair,
    PutBack,
    Restore,
    Same,
    Settle,
    Skew,
    Step,
    Territory,
    Write,
)

FOUND: Final[dict[str, list[Step]]] = {
    "a disk put back reads past its own changes before its numbers are found to be taken": [
        Write(1, "add", 0, 2), Exchange(1), Exchange(0), Write(0, "edit", 46, 12), Write(0, "add", 23, 30),
        Write(0, "add", 46, 13), Copy(0), Write(0, "edit", 59, 38), Exchange(0), Exchange(0), PutBack(0),
        Write(0, "edit", 37, 8),
    ],
    "a record given away by a disk that was put back changes again behind the cut of its first page": [
        Write(0, "add", 0, 0), Write(1, "add", 0, 1), Write(0, "add", 0, 2), Write(0, "give", 37, 3), Copy(0),
        Exchange(0), Exchange(3), PutBack(0), Write(4, "add", 33, 62), Write(4, "add", 6, 27), Exchange(4),
        Write(4, "add", 40, 22), Exchange(4), Exchange(4, "dies applied"), Write(3, "edit", 38, 17),
    ],
    "a conflict about a deleted record comes with it into sight": [
        Write(1, "add", 0, 2), Exchange(1), Exchange(0), Write(1, "edit", 27, 8), Write(0, "delete", 27, 8),
        Exchange(0), Exchange(1), Exchange(3), Move(1, "rep", "Sales/West"),
    ],
    "a record that came into sight before the cut of a page has changed behind it, and its conflict is older": [
        Write(4, "add", 0, 0), Write(0, "add", 0, 1), Write(1, "add", 0, 2), Write(1, "add", 10, 50),
        Write(4, "add", 58, 4), Exchange(4), Write(4, "add", 35, 62), Exchange(0), Exchange(4),
        Write(0, "edit", 53, 27), Write(4, "join", 46, 3), Exchange(1), Write(1, "delete", 23, 12), Same(4, 1),
        Exchange(4), Exchange(1), Exchange(3), MergeTeams("Sales/East", "Sales/West"),
    ],
    "a part holds what the server itself has moved": [
        Write(0, "add", 0, 0), Write(2, "add", 0, 1), Exchange(0), Same(1, 2), Exchange(1), Same(4, 2), Same(2, 2),
        Same(2, 5), Exchange(4), Exchange(2), Write(2, "place", 4, 9), Exchange(2), Move(3, "manager", "Sales"),
        Expect(3), Exchange(3), Fetch(3, "typed"),
    ],
    "a part is from before what the author of a waiting change had read": [
        Write(3, "add", 0, 1), Exchange(3), Write(3, "edit", 35, 56), Expect(2), Exchange(3), Exchange(2),
        Write(2, "edit", 49, 46), Fetch(2, "placed and killed"),
    ],
    "a join that is sent once more is refused, and the joined record stands": [
        Same(0, 0), Exchange(0), Backup(), Same(1, 0), Exchange(1), Pair(1, "join", 3), Exchange(1), Restore(0),
        Territory("grant", 1, "North", "South"),
    ],
    "who made a record that others joined sends it once more": [
        Backup(), Same(0, 0), Same(1, 0), Exchange(1), Exchange(0), Pair(0, "join", 2), Exchange(0), Exchange(1),
        Restore(0),
    ],
    "the same, where nobody knows how much is lost": [
        Backup(), Same(2, 2), Same(3, 2), Exchange(3), Exchange(2), Pair(2, "join", 3), Exchange(2), Exchange(3),
        Restore(1),
    ],
    "a delete that was not heard of is sent once more": [
        Write(1, "add", 0, 0), Write(0, "add", 0, 1), Write(0, "add", 0, 2), Exchange(0), Backup(), Same(1, 2),
        Same(0, 2), Exchange(0), Exchange(1), Restore(1), Same(1, 1), Exchange(0), Exchange(1), Exchange(1),
        Exchange(0), Write(0, "delete", 0, 58), Exchange(0, "torn"), Exchange(1), Restore(0),
    ],
    "a join comes before one of its records, and is sent again whole": [
        Backup(), MergeTeams("Sales/West", "Sales"), Same(2, 2), Exchange(2), Same(3, 2), Exchange(3),
        Pair(3, "join", 3), Restore(0), Exchange(3, "twice"), Exchange(3),
    ],
    "a join that was taken back comes before one of its records": [
        Backup(), Write(2, "join", 0, 0), Same(1, 0), Same(2, 0), Exchange(1), Exchange(2), Pair(2, "join", 0),
        Pair(2, "back", 0), Restore(0), Exchange(2), Exchange(2),
    ],
    "a record made once more, to which others had written what is refused since": [
        Backup(), Same(0, 0), Same(1, 0), Exchange(1), Exchange(0), Pair(0, "turn", 0), Exchange(0, "deaf"),
        Exchange(1), Restore(0), Move(1, "rep", "Sales"),
    ],
    "another was joined into a record that is deleted and forgotten": [
        Same(0, 1), Same(1, 1), Exchange(1), Exchange(0), Pair(0, "join", 0), Exchange(0), Write(0, "delete", 47, 12),
        Exchange(0, "dies answered"), Forget(),
    ],
    "an edit that came before its record, sent again behind what its author wrote there since": [
        Backup(), Same(1, 0), Exchange(1), Exchange(0), Restore(0), Exchange(0), Write(0, "edit", 49, 25), Exchange(0),
        Exchange(1), Write(0, "edit", 37, 9),
    ],
    "what was refused before its record came leaves its author after a second restore": [
        Write(0, "add", 0, 1), Write(0, "edit", 46, 54), Backup(), Exchange(0), Exchange(1), Write(1, "edit", 37, 14),
        Restore(0), Exchange(1), Exchange(1), Restore(1), Territory("grant", 1, "South", "North"),
    ],
    "what was refused and went with the server is hidden from its author after the restore": [
        Write(2, "add", 0, 0), Write(2, "edit", 31, 1), Grant(2, "internal"), Backup(), Exchange(2), Restore(0),
        Move(2, "it", "Sales/West"),
    ],
    "an edit that came before its record, of a device whose clock is a day ahead, sent again behind a later one": [
        Write(0, "add", 0, 0), Write(0, "add", 0, 2), Backup(), Write(0, "add", 36, 34), Write(0, "give", 49, 62),
        Same(0, 1), Exchange(0), Exchange(0), Exchange(1), Restore(0), Skew(1, 86_400_000), Exchange(0), Exchange(1),
        Write(1, "edit", 30, 54), Exchange(1), Exchange(0), Write(1, "edit", 26, 18),
    ],
    "what an open conflict alone kept in the lost history meets what was written beside it": [
        Write(2, "add", 0, 2), Write(2, "give", 61, 25), Write(3, "add", 6, 28), Backup(), Exchange(3), Same(1, 0),
        Same(2, 0), Exchange(1), Exchange(2), Write(2, "delete", 3, 0), Exchange(1), Write(1, "give", 57, 39),
        Write(1, "edit", 37, 0), Restore(0), Write(1, "add", 35, 32), Backup(), Write(1, "edit", 17, 50), Exchange(2),
        Exchange(2), Exchange(2), Exchange(1), Exchange(1), Exchange(1), Exchange(0), Settle(0, "take", 1), Exchange(0),
        Write(0, "edit", 63, 44), Restore(0),
    ],
    "a join that was sent in part is taken back": [
        Backup(), Same(0, 0), Exchange(0), Same(1, 0), Exchange(1), Exchange(0), Pair(0, "join", 3), Restore(0),
        Exchange(0), Same(0, 1), Exchange(0), Exchange(0), Same(0, 3), Pair(0, "back", 0), Pair(1, "join", 3),
        Restore(1),
    ],
    "a join that was held is taken back, and made once more by another": [
        Same(1, 0), Exchange(1), Same(0, 0), Exchange(0), Pair(0, "different", 1), Exchange(1), Pair(1, "turn", 1),
        Exchange(0), Exchange(1), Exchange(2), Pair(2, "turn", 1), Pair(1, "back", 0),
    ],
    "a join that was held is taken back, and then the delete is chosen": [
        Same(0, 1), Same(1, 1), Exchange(1, "crash 3"), Exchange(0), Exchange(2), Pair(0, "turn", 0),
        Pair(2, "different", 2), Exchange(2), Pair(0, "back", 2), Exchange(0), Settle(0, "take", 2),
    ],
    "who sees names again is told of pairs that were there all along": [
        Grant(2, "internal"), Same(0, 1), Same(3, 1), Exchange(0), Exchange(3), Same(0, 0), Exchange(2), Exchange(0),
        Grant(2, "confidential"), Exchange(2), Pair(2, "join", 1),
    ],
    "a delete of what had left is sent once more, and its record is seen again": [
        Same(1, 0), Exchange(1), Write(1, "delete", 44, 13), Backup(), Exchange(1), Move(1, "it", "Sales"), Exchange(1),
        Restore(1),
    ],
    "what was replaced by a delete comes once more to a record that is deleted and forgotten": [
        Write(0, "add", 0, 2), Exchange(0), Write(0, "edit", 61, 41), Write(0, "edit", 50, 52), Backup(),
        Write(0, "edit", 8, 22), Write(0, "edit", 20, 28), Exchange(0), Exchange(2), Write(2, "delete", 59, 37),
        Restore(1), Exchange(2), Exchange(2), Forget(),
    ],
    "what was given into sight and out of it again, both lost with the server": [
        Write(2, "add", 0, 0), Write(2, "give", 36, 47), Backup(), Exchange(2), Exchange(3), Same(2, 0), Same(0, 0),
        Write(2, "add", 53, 47), Write(3, "give", 0, 57), Exchange(3), Exchange(0), Exchange(2),
        Write(2, "give", 45, 55), Exchange(2), Restore(0),
    ],
    "what came into sight by a move that went with the server": [
        Same(2, 1), Exchange(2), Backup(), Move(2, "it", "Sales/East"), Exchange(0),
        Territory("grant", 0, "South", "North"), Restore(1),
    ],
    "whoever had come to a team after the backup is in the former one again": [
        Same(3, 1), Exchange(3), Backup(), Move(0, "rep", "Sales/West"), Exchange(0), Exchange(0), Restore(0),
    ],
    "who keeps what stands keeps an own edit, which then does not stand": [
        Write(0, "add", 0, 0), Write(0, "add", 0, 0), Write(0, "add", 0, 0), Write(0, "add", 0, 46), Same(0, 2),
        Exchange(0), Exchange(0), Exchange(1), Write(1, "delete", 0, 0), Exchange(1), Exchange(0),
        Write(1, "edit", 49, 0), Write(0, "edit", 49, 0), Same(1, 1), Same(0, 1), Exchange(1), Exchange(0), Exchange(1),
        Pair(1, "join", 0), Pair(0, "join", 0), Write(1, "edit", 7, 0), Write(0, "edit", 7, 0), Exchange(0),
        Exchange(1), Settle(1, "keep", 0),
    ],
    "who was moved meanwhile attaches a file to a customer that they had in sight": [
        Write(0, "add", 0, 0), Exchange(0), Exchange(4), Exchange(2), Move(2, "rep", "Sales/West"),
        Write(4, "place", 0, 0), Attach(2, 0, ""),
    ],
    "what a delete had hidden from who wrote on top of it comes once more": [
        Write(3, "add", 0, 2), Write(3, "give", 43, 20), Exchange(3), Exchange(0), Write(0, "edit", 4, 28), Exchange(1),
        Backup(), Write(1, "edit", 28, 4), Write(1, "delete", 63, 16), Exchange(1), Exchange(0), Settle(0, "take", 0),
        Restore(1), Write(0, "edit", 53, 48),
    ],
    "the same, where the conflict about it was heard and left open": [
        Write(3, "add", 0, 0), Write(3, "give", 0, 0), Exchange(3), Exchange(0), Write(0, "edit", 0, 0), Exchange(1),
        Backup(), Write(1, "edit", 0, 0), Write(1, "delete", 0, 0), Exchange(1), Exchange(0), Settle(0, "take", 0),
        Exchange(0), Restore(0), Write(0, "edit", 0, 0),
    ],
    "a join of which a part had left with its record is sent to a server of an older backup": [
        Write(0, "add", 0, 0), Write(0, "add", 0, 0), Write(1, "add", 0, 0), Exchange(0), Write(0, "delete", 0, 0),
        Backup(), Write(0, "give", 0, 47), Same(1, 1), Same(0, 1), Exchange(0), Exchange(1), Pair(1, "join", 0),
        Write(1, "delete", 0, 0), Exchange(1), Exchange(0), Write(0, "give", 26, 15), Backup(), Exchange(0),
        Exchange(1), Restore(1),
    ],
    "the answer that a delete was held is lost, and forgotten before it is asked for again": [
        Write(1, "add", 0, 0), Write(1, "add", 0, 0), Write(1, "add", 0, 0), Exchange(1), Write(1, "delete", 0, 0),
        Exchange(1, "torn"), Backup(), Write(1, "add", 0, 0), Exchange(1), Same(1, 2), Same(0, 2), Exchange(0),
        Exchange(1), Pair(1, "turn", 0), Write(0, "delete", 2, 0), Exchange(1), Exchange(0), Write(0, "add", 0, 0),
        Write(0, "edit", 53, 0), Same(1, 0), Same(0, 0), Exchange(0), Exchange(1), Write(0, "undelete", 43, 0), Copy(0),
        Write(0, "give", 6, 42), Write(1, "edit", 0, 0), Exchange(0), Write(0, "delete", 0, 0), Exchange(0),
        Exchange(1), PutBack(0), Write(1, "delete", 8, 0), Exchange(0), Restore(0), Exchange(0), Same(0, 2),
        Exchange(1), Exchange(0), Forget(), Exchange(1), Write(0, "edit", 24, 47), Exchange(1), Exchange(0),
        Exchange(0, "crash 5"), Exchange(0), Exchange(1), Exchange(1, "crash 4"), Forget(),
    ],
    "what waited on a record that left and came back is taken, and its conflicts are older": [
        Write(2, "add", 0, 0), Write(1, "add", 0, 0), Write(1, "add", 0, 0), Write(1, "edit", 0, 0), Backup(),
        Exchange(1), Exchange(0), Write(1, "edit", 0, 7), Write(0, "edit", 0, 7), Exchange(1), Exchange(0),
        Settle(0, "take", 0), Exchange(2), Write(0, "edit", 0, 0), Write(2, "edit", 43, 43), Settle(0, "back", 0),
        Restore(0), Write(0, "add", 0, 0), Write(2, "add", 0, 0), Territory("own", 0, "South", "North"), Exchange(1),
        Write(1, "delete", 17, 0), Write(1, "place", 0, 0), Backup(), Write(1, "give", 0, 0), Exchange(1, "crash 5"),
        Exchange(2), Exchange(1), Write(1, "edit", 0, 23), Exchange(1), Exchange(2), Settle(2, "take", 0),
        Write(0, "edit", 0, 0), Write(0, "place", 0, 13), Exchange(0), Exchange(0), Exchange(1), Restore(0),
    ],
    "a join waits for a record that never comes, and the other one is there": [
        Write(3, "edit", 0, 25), Backup(), Same(3, 1), Same(0, 1), Exchange(0), Same(2, 0), Same(3, 0), Exchange(2),
        Exchange(3), Exchange(2), Pair(2, "different", 0), Pair(2, "join", 2), Exchange(3), Exchange(2), Restore(0),
        Exchange(2), Grant(0, "internal"), Exchange(2),
    ],
    "two choose the same value of a conflict, and call it otherwise": [
        Write(2, "add", 0, 0), Write(0, "add", 0, 1), Write(0, "add", 0, 2), Same(2, 0), Same(0, 0), Exchange(0),
        Exchange(2), Pair(2, "join", 3), Exchange(2), Exchange(0), Exchange(1, "crash 5"), Write(1, "undelete", 42, 49),
        Backup(), Write(0, "edit", 63, 28), Exchange(1), Exchange(2), Write(2, "edit", 27, 9), Write(1, "edit", 27, 9),
        Exchange(1), Exchange(2), Settle(2, "take", 1), Exchange(2), Restore(0), Write(0, "give", 30, 6),
        Write(0, "undelete", 23, 42), Exchange(1, "dies committed"), Write(0, "delete", 60, 12), Exchange(1),
        Write(0, "undelete", 4, 6), Move(0, "manager", "Sales/West"), Exchange(0), Exchange(2), Exchange(0),
        Exchange(2), Settle(2, "take", 0), Exchange(0), Exchange(2), Write(2, "edit", 55, 45), Settle(0, "keep", 1),
        Exchange(0),
    ],
    "a delete is held by an edit, its answer is lost and then forgotten": [
        Same(1, 1), Same(0, 1), Exchange(1), Exchange(0), Write(0, "delete", 2, 0), Exchange(1),
        Write(1, "edit", 1, 47), Write(0, "give", 54, 11), Exchange(0, "crash 5"), Exchange(1, "twice"),
        Write(0, "delete", 30, 43), Exchange(0, "dies answered"), Forget(),
    ],
}  # fmt: skip

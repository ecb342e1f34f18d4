"""Broken syncing, each in one way that others have been broken: the simulator must notice every one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Final

import msgspec
import pytest

from app.store import missed, outbox, restored, seal_book, settled, sight
from app.store.replica import StoreReplica
from app.store.server_row import ServerRow
from app.store.store import Store
from sync.client.ports import Answer, Applied
from sync.protocol import merge, settling
from sync.protocol.errors import Outcome
from sync.protocol.merge import Merged
from sync.protocol.messages import Change, Cursor, OpResult
from sync.protocol.ops import Act, Op
from sync.server import access, auth, belonging, checking, exchange, feed, intake, masks
from sync.server.access import Rights, Scope
from sync.server.db.kept import Numbering
from sync.server.db.news import News
from sync.server.db.sql_histories import SqlHistories
from sync.server.db.sql_records import SqlRecords
from tests.simulator import broken_doubles, broken_files, part_mutations
from tests.simulator.laptop import Power
from tests.simulator.mutations_of_sight import OF_SIGHT, see_by

Mutation = Callable[[pytest.MonkeyPatch], None]


def cursor_saved_first(patch: pytest.MonkeyPatch) -> None:
    """The cursor is written before the page, and the power goes between them now and then."""
    whole, turn = StoreReplica.apply, [0]

    def apply(self: StoreReplica, answer: Answer) -> Applied:
        turn[0] += 1
        here = self._store.here()
        whole(self, Answer(answer.cursor, here.acked_n, here.durable_seq))
        if turn[0] % 3 == 0:
            raise Power
        return whole(self, answer)

    patch.setattr(StoreReplica, "apply", apply)


def tombstone_skipped(patch: pytest.MonkeyPatch) -> None:
    """Deleted records are not told to anybody."""
    whole = feed._change

    def change(*args: Any, **more: Any) -> Change | None:
        found = whole(*args, **more)
        return None if found is not None and found.gone == "deleted" else found

    patch.setattr(feed, "_change", change)


def no_version_guard(patch: pytest.MonkeyPatch) -> None:
    """A result is laid in after the page although it is older: the row that a repeat brings is that of then."""

    def take(self: ServerRow, change: Change) -> None:
        if change.gone:
            return whole(self, change)
        self.ver = 0
        whole(self, msgspec.structs.replace(change, ver=max(change.ver - 1, 0)))
        return None

    whole = ServerRow.take
    patch.setattr(ServerRow, "take", take)


def gap_accepted(patch: pytest.MonkeyPatch) -> None:
    """A device leaves an op out now and then, and the server does not mind."""
    whole = outbox.take

    def take(*args: Any) -> list[Op]:
        found = whole(*args)
        return found[1:] if len(found) > 2 else found

    patch.setattr(outbox, "take", take)
    patch.setattr(intake, "_contiguous", lambda ops, acked_n: None)


def sight_checked_when_edited_only(patch: pytest.MonkeyPatch) -> None:
    """Whatever changes goes to everybody."""
    see_by(patch, lambda rights, kind, scope: True)


def class_checked_when_edited_only(patch: pytest.MonkeyPatch) -> None:
    """Whatever care a cell needs, it goes to everybody who sees the record; only writing it is refused."""
    patch.setattr(masks, "seen", lambda rights, kind, cells: dict(cells))
    patch.setattr(feed, "_cell_seen", lambda reader, conflict: True)


def class_checked_when_read_only(patch: pytest.MonkeyPatch) -> None:
    """What somebody may not see, their device can still write, as one that is told late does."""
    open_handed = {**vars(access), "sets": lambda rights, kind, cells: True}
    patch.setattr(intake, "access", SimpleNamespace(**open_handed))


def mask_made_on_the_device(patch: pytest.MonkeyPatch) -> None:
    """Rows go out whole, for the device to hide what it may not show."""
    patch.setattr(feed, "_as_seen", lambda rights, kind, cells: feed._CELLS.decode(cells))


def hidden_words_kept(patch: pytest.MonkeyPatch) -> None:
    """What was refused keeps its words on the device, hidden or not."""
    patch.setattr(sight, "sets_hidden", lambda op, care: False)


def deleted_records_keep_what_is_hidden(patch: pytest.MonkeyPatch) -> None:
    """The server sends nothing of a deleted record again, so whatever it held stays."""
    patch.setattr(ServerRow, "bare", lambda self, care: None)
    patch.setattr(sight, "strip_deleted", lambda db, shapes, care: None)


def classes_change_nothing_there(patch: pytest.MonkeyPatch) -> None:
    """Who is granted less keeps what is there: nothing is gone through anew."""
    patch.setattr(belonging, "_sight", lambda person: (person.role, person.team, person.rights.territories))


def leaving_untold(patch: pytest.MonkeyPatch) -> None:
    """A record that goes out of somebody's sight stays with them."""
    patch.setattr(feed, "had", lambda *args, **more: False)


def acknowledged_too_far(patch: pytest.MonkeyPatch) -> None:
    """One op more than was acknowledged leaves the outbox."""
    whole = outbox.drop_up_to
    patch.setattr(outbox, "drop_up_to", lambda db, n: whole(db, n + 1))


def sent_is_gone(patch: pytest.MonkeyPatch) -> None:
    """Ops leave the outbox when they are sent, and not when they are answered."""

    def take(self: StoreReplica, ops_max: int, bytes_max: int, after: int = 0) -> list[Op]:
        found = whole(self, ops_max, bytes_max, after)
        if found:
            with self._store.db.write() as db:
                outbox.drop_up_to(db, found[-1].n)
        return found

    whole = StoreReplica.take
    patch.setattr(StoreReplica, "take", take)


def edit_brings_back(patch: pytest.MonkeyPatch) -> None:
    """An edit of a deleted record brings it back."""
    whole = merge.apply

    def apply(row: merge.Row | None, op: Op, *args: Any, **more: Any) -> Merged:
        if row is not None and row.deleted and op.act is Act.SET:
            row = replace(row, deleted=False)
        return whole(row, op, *args, **more)

    patch.setattr(merge, "apply", apply)


def conflict_not_kept(patch: pytest.MonkeyPatch) -> None:
    """Where two edits meet, the other one is thrown away."""
    patch.setattr(merge._Meeting, "keep", lambda self, cell, **sides: None)


def renumbering_forgets(patch: pytest.MonkeyPatch) -> None:
    """A copy set back throws away what waited when it takes new numbers."""
    whole = seal_book.number_anew

    def number_anew(store: Store, incarnation: bytes) -> None:
        whole(store, incarnation)
        with store.db.write() as db:
            outbox.clear(db)

    patch.setattr(seal_book, "number_anew", number_anew)


def own_changes_never_again(patch: pytest.MonkeyPatch) -> None:
    """What a device wrote itself is never sent to it, whatever it has lost since."""

    def change(tx: Any, reader: feed.Reader, entry: Any, traces: Any, *, sweeping: bool) -> Change | None:
        if entry.device == reader.device and not sweeping:
            return None
        return whole(tx, reader, entry, traces, sweeping=sweeping)

    whole = feed._change
    patch.setattr(feed, "_change", change)


def rights_read_once(patch: pytest.MonkeyPatch) -> None:
    """A change of role or team is heeded for what changes afterwards only."""
    whole = feed.page

    def page(tx: Any, reader: feed.Reader, cursor: Cursor, *rows: int) -> feed.Page:
        return whole(tx, reader, msgspec.structs.replace(cursor, scopes=reader.scopes), *rows)

    patch.setattr(feed, "page", page)


def conflicts_for_their_author_only(patch: pytest.MonkeyPatch) -> None:
    """Nobody hears of a conflict but who made it."""
    whole = exchange._conflicts

    def conflicts(tx: Any, reader: feed.Reader, taken: intake.Taken, page: feed.Page) -> list[merge.Conflict]:
        page.conflicts = []
        return whole(tx, reader, taken, page)

    patch.setattr(exchange, "_conflicts", conflicts)


def cursor_runs_ahead(patch: pytest.MonkeyPatch) -> None:
    """The cursor of a page that was cut stands at the end of everything."""
    whole = feed.page

    def page(tx: Any, reader: feed.Reader, cursor: Cursor, *rows: int) -> feed.Page:
        found = whole(tx, reader, cursor, *rows)
        found.cursor = msgspec.structs.replace(found.cursor, seq=tx.records.head())
        return found

    patch.setattr(feed, "page", page)


def notes_overwritten(patch: pytest.MonkeyPatch) -> None:
    """Of two notes about the same, the later takes the place of the other."""
    patch.setattr(merge, "join_notes", lambda base, theirs, mine: str(mine or ""))


def set_back_unnoticed(patch: pytest.MonkeyPatch) -> None:
    """Numbers that were given out before are answered as they were then, whatever stands under them now."""
    whole = auth.open_session
    patch.setattr(auth, "open_session", lambda *args: msgspec.structs.replace(whole(*args), rollback=False))
    take_in = intake.take

    def take(tx: Any, author: Any, ops: Sequence[Any], now: int) -> intake.Taken:
        known = tx.records.numbering(author.device.device, author.incarnation) or Numbering()
        old = [op for op in ops if op.n <= known.acked_n]
        taken = take_in(tx, author, ops[len(old) :], now)
        told = [OpResult(n=op.n, outcome=Outcome.OK, ver=tx.records.head()) for op in old]
        taken.results, taken.shown = [*told, *taken.results], [*([None] * len(old)), *taken.shown]
        return taken

    patch.setattr(intake, "take", take)


def answered_before_it_is_kept(patch: pytest.MonkeyPatch) -> None:
    """The server answers, and what it took is lost now and then."""
    whole, turn = intake.take, [0]

    def take(tx: Any, author: Any, ops: Sequence[Any], now: int) -> intake.Taken:
        turn[0] += 1
        if turn[0] % 4 or not ops:
            return whole(tx, author, ops, now)
        known = tx.records.numbering(author.device.device, author.incarnation) or Numbering()
        last = max(ops[-1].n, known.acked_n)
        tx.records.put_numbering(
            author.device.device, author.incarnation, msgspec.structs.replace(known, acked_n=last)
        )
        results = [OpResult(n=op.n, outcome=Outcome.OK, ver=tx.records.head()) for op in ops]
        return intake.Taken(last, results=results, shown=[None] * len(ops))

    patch.setattr(intake, "take", take)


def refused_is_thrown_away(patch: pytest.MonkeyPatch) -> None:
    """The server keeps nothing of a change that it does not take."""
    patch.setattr(checking, "to_keep", lambda op: b"")


def teams_below_forgotten(patch: pytest.MonkeyPatch) -> None:
    """A manager is not sent what belongs to a team below."""

    def sees(rights: Rights, kind: str, scope: Scope) -> bool:
        near = scope.team == rights.team or scope.person == rights.person
        return near and access.sees(rights, kind, scope)

    see_by(patch, sees)


def held_lines_forget_who_loses(patch: pytest.MonkeyPatch) -> None:
    """Who does not see a record any more is not told that it went."""
    whole = News.record
    patch.setattr(News, "record", lambda self, kind, scope, before=None: whole(self, kind, scope))


def held_lines_forget_teams_below(patch: pytest.MonkeyPatch) -> None:
    """A manager is not told of what changes in a team below."""
    whole = access.reached

    def reached(kind: str, scope: Scope) -> frozenset[access.Circle]:
        return whole(kind, scope) - {each for each in whole(kind, scope) if each[0] == "above"}

    patch.setattr(access, "reached", reached)


def later_choice_wins(patch: pytest.MonkeyPatch) -> None:
    """Of two people who choose differently, the second has it his way, and nobody is told."""

    def choose(choosing: Any, conflict: merge.Conflict, choice: str) -> None:
        whole(choosing, msgspec.structs.replace(conflict, state=merge.OPEN), choice)

    whole = settling._choose
    patch.setattr(settling, "_choose", choose)


def choice_without_its_value(patch: pytest.MonkeyPatch) -> None:
    """The other value is taken, and never put there."""

    def apply(row: merge.Row | None, op: Op, *args: Any, **more: Any) -> Merged:
        found = whole(row, op, *args, **more)
        swapped = merge.SWAPPED in op.settles.values() and op.act is Act.SET
        return replace(found, changed=False, row=row) if swapped else found

    whole = settling.apply
    patch.setattr(settling, "apply", apply)


def settled_is_not_told(patch: pytest.MonkeyPatch) -> None:
    """That a conflict is settled stays with who settled it."""
    whole = feed._since

    def since(*args: Any) -> Any:
        return (each for each in whole(*args) if getattr(each, "state", merge.OPEN) == merge.OPEN)

    patch.setattr(feed, "_since", since)


def still_whatever_there_is(patch: pytest.MonkeyPatch) -> None:
    """Who has nothing to say is told that there is nothing, and is not looked after."""
    patch.setattr(exchange, "still", lambda store, key, enrolment, rest, now, step: rest)


def archive_dropped(patch: pytest.MonkeyPatch) -> None:
    """What was acknowledged is not kept for a server that is restored."""
    whole = settled.results

    def results(store: Store, *args: Any, **more: Any) -> int:
        refused = whole(store, *args, **more)
        store.db.execute("DELETE FROM op_archive")
        return refused

    patch.setattr(settled, "results", results)


def history_kept_at_restore(patch: pytest.MonkeyPatch) -> None:
    """A restored server goes on with the history of its backup."""
    patch.setattr(SqlHistories, "begin", lambda self, epoch, head, order_number: None)


def reconciled_by_reading_alone(patch: pytest.MonkeyPatch) -> None:
    """A device reads a restored server's history from its start, and sends nothing again."""
    patch.setattr(restored, "_lost", lambda store, common: [])


def missed_for_ever(patch: pytest.MonkeyPatch) -> None:
    """An edit that came before its record stays refused."""
    patch.setattr(missed, "send_again", lambda store: 0)


def prints_forgotten(patch: pytest.MonkeyPatch) -> None:
    """The server does an op once more that comes under another number."""
    patch.setattr(SqlRecords, "answered", lambda self, print_: None)


MUTATIONS: Final[tuple[Mutation, ...]] = (
    cursor_saved_first, tombstone_skipped, no_version_guard, gap_accepted, sight_checked_when_edited_only,
    leaving_untold, acknowledged_too_far, sent_is_gone, edit_brings_back, conflict_not_kept,
    renumbering_forgets, own_changes_never_again, rights_read_once, conflicts_for_their_author_only,
    cursor_runs_ahead, notes_overwritten, set_back_unnoticed, answered_before_it_is_kept,
    refused_is_thrown_away, teams_below_forgotten, held_lines_forget_who_loses,
    held_lines_forget_teams_below, later_choice_wins, choice_without_its_value, settled_is_not_told,
    class_checked_when_edited_only, class_checked_when_read_only,
    mask_made_on_the_device, hidden_words_kept, classes_change_nothing_there,
    deleted_records_keep_what_is_hidden, *OF_SIGHT, still_whatever_there_is,
    *part_mutations.MUTATIONS,
    archive_dropped, history_kept_at_restore, reconciled_by_reading_alone, missed_for_ever, prints_forgotten,
    *broken_doubles.MUTATIONS, *broken_files.MUTATIONS,
)  # fmt: skip

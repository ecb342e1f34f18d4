"""An import in the window: read beside everything else, looked at, then brought in whole, stopped or left."""

from __future__ import annotations

import time
from pathlib import Path

from app.services.session import Session
from app.store import records
from app.viewmodels.bringing import Bringing
from app.viewmodels.desk import Desk
from sync.protocol.kinds import KINDS
from tests.viewmodels.conftest import Held

CUSTOMER = KINDS["customer"]
WAIT_S = 30


def table(folder: Path, count: int) -> Path:
    path = folder / "customers.csv"
    path.write_text("name,number\n" + "".join(f"Company {n},N{n}\n" for n in range(count)))
    return path


def settled(bringing: Bringing, held: Held) -> Bringing:
    """Once the reading thread has said what it found."""
    until = time.monotonic() + WAIT_S
    while bringing.busy:
        assert time.monotonic() < until
        held.turn()
    return bringing


def kept(session: Session) -> int:
    return int(session.call(lambda store: store.counts()["customer"]))


def test_files_are_read_while_others_save_and_then_come_in_whole(
    session: Session, held: Held, tmp_path: Path
) -> None:
    before = kept(session)
    bringing = Bringing(Desk(session, held), [table(tmp_path, 1_200)])
    session.call(records.add, KINDS["contact"], {"name": "Saved meanwhile"})
    settled(bringing, held)
    assert bringing.report is not None and bringing.problem is None
    assert (bringing.report.total("added"), bringing.may_apply, kept(session)) == (1_200, True, before)
    bringing.apply()
    assert bringing.busy and not bringing.may_apply
    settled(bringing, held)
    assert bringing.report.done
    assert kept(session) == before + 1_200
    far = bringing.progress.far()
    assert far is not None and (far.at, far.total) == (1_200, 1_200)


def test_a_stopped_import_leaves_nothing_and_may_be_done_after_all(
    session: Session, held: Held, tmp_path: Path
) -> None:
    before = kept(session)
    bringing = settled(Bringing(Desk(session, held), [table(tmp_path, 1_200)]), held)
    bringing.apply()
    bringing.stop()
    settled(bringing, held)
    assert bringing.problem is not None and "Nothing was imported" in bringing.problem.title
    assert kept(session) == before
    assert bringing.may_apply
    bringing.apply()
    again = settled(bringing, held)
    assert (again.problem, kept(session)) == (None, before + 1_200)


def test_reading_that_is_stopped_brings_no_plan(session: Session, held: Held, tmp_path: Path) -> None:
    bringing = Bringing(Desk(session, held), [table(tmp_path, 60_000)])
    bringing.stop()
    settled(bringing, held)
    assert bringing.report is None and bringing.problem is not None
    assert not bringing.may_apply

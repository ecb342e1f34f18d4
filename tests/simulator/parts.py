"""Ready parts in a run: made in this process, and taken by laptops while something happens."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from app.store import ready
from sync.client.errors import ExchangeError
from sync.protocol.errors import KnownError
from sync.protocol.ready import Fed, Made
from sync.server.db.base import Store
from sync.server.ready import LIFE_MS, Ready
from tests.simulator import steps
from tests.simulator.laptop import Power

if TYPE_CHECKING:
    from tests.simulator.world import World


def of(store: Store, folder: Path, now: Callable[[], int]) -> Ready:
    """The parts of a server, none yet; they lie in this folder."""
    (folder / "ready").mkdir(exist_ok=True)
    return Ready(store, folder / "ready", _made, now)


def _made(folder: Path, part: bytes, key: bytes, pages: Iterator[Fed]) -> Made:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        return ready.make(Path(name), pages, key, part, folder / f"{part.hex()}.part")


def fetch(world: World, step: steps.Fetch) -> None:
    """A laptop takes its person's part, if it may."""
    laptop = world.laptop(step.who)
    world.asking = laptop.card.person
    world.quiet.discard(step.who)  # it reads on from further back

    def meanwhile() -> None:
        if step.fate == "expires":
            world.elapsed += LIFE_MS
        elif step.fate == "moved":
            with contextlib.suppress(KnownError):
                world.office.add_person(laptop.card.person, "rep", "Sales/West", "")
        elif step.fate == "typed":
            for verb in ("add", "edit"):
                world.play(steps.Write(step.who, verb, world.counter, world.counter))

    try:
        laptop.fetch(step.fate, meanwhile)
    except Power:
        laptop.crash()
    except ExchangeError as problem:
        world.last = problem.title

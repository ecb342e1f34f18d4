"""One run: an organisation, its server, two laptops behind a bad network, and what happens to them by the script."""

from __future__ import annotations

import json
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests import forks
from tests.client.servers import answer
from tests.endurance import journal, oracle, script
from tests.endurance.laptop import SETTLES_S
from tests.endurance.oracle import Verdict
from tests.forks import Fork
from tests.network import weather
from tests.network.lossy import Lossy
from tests.network.places import behind
from tests.network.proxy import Proxy
from tests.road import ANNA, BEN, MANAGER, Laptop, Town

PORTAL: Final = answer(
    b"", status="302 Found", extra="Location: http://portal.example/\r\nConnection: close\r\n"
)
EAST, WEST = "Sales/East", "Sales/West"


class Desk:
    """One laptop, who sits at it, and what was typed there."""

    def __init__(self, town: Town, person: str, name: str, proxy: Proxy) -> None:
        self.person, self.proxy = person, proxy
        self.laptop = behind(proxy.url, town, person, name)
        self.journal = town.folder / f"{name}.jsonl"
        self.lives = 0
        self.process: Fork | None = None


class Run:
    """A run; `play` runs it to its end, `judge` says what came of it."""

    def __init__(
        self, folder: Path, seed: int, seconds: float, files: list[Path], lossy: Lossy | None = None
    ) -> None:
        self.luck = random.Random(seed)
        self.seed, self.seconds, self.files, self.lossy = seed, seconds, files, lossy
        self.town = Town(folder, lossy.host) if lossy is not None else Town(folder)
        self.town.settle()
        self.happened: Counter[str] = Counter()
        self.enough = folder / "enough"
        self.desks = [self._desk(ANNA, "anna"), self._desk(BEN, "ben")]
        self.say: Callable[[str], None] = lambda _text: None

    def _desk(self, person: str, name: str) -> Desk:
        proxy = Proxy(lambda: self.town.server.port, self.town.host)
        return Desk(self.town, person, name, proxy)

    def play(self) -> None:
        """Type, and have things happen, for as long as it lasts; then let all of it settle."""
        for desk in self.desks:
            desk.proxy.draw = weather.drawn(random.Random(f"{self.seed} {desk.person}"), calm=0.6)
            self._sit_down(desk)
        began = time.monotonic()
        for at, what, begins in script.drawn(self.luck, self.seconds):
            _until(began + at)
            self._look_after()
            self._happen(what, begins=begins)
        _until(began + self.seconds)
        self._settle()

    def close(self) -> None:
        """End what runs."""
        for desk in self.desks:
            if desk.process is not None:
                desk.process.kill()
            desk.proxy.close()
        self.town.server.stop()

    # -- what happens

    def _happen(self, what: str, *, begins: bool) -> None:
        desk = self.luck.choice(self.desks)
        self.say(f"{what}{'' if begins else ': over'}")
        self.happened[what] += begins
        if what == "kill a laptop":
            self._kill(desk)
        elif what == "kill the server":
            self.town.server.stop(signal.SIGKILL)
            _until(time.monotonic() + self.luck.uniform(0.1, 4))
            self.town.server.start()
        elif what == "restart the server":
            assert self.town.server.stop() == 0
            self.town.server.start()
        elif what == "back up":
            self._back_up()
        elif what == "network away":
            for each in self.desks:
                (each.proxy.leave if begins else each.proxy.back)()
        elif what == "captive portal":
            for each in self.desks:
                each.proxy.answer = PORTAL if begins else b""
                each.proxy.cut()
        elif what == "lock":
            self.town.admin("lock" if begins else "unlock", self.desks[0].laptop.id)
        elif what == "move to another team":
            team = WEST if begins else EAST
            self.town.admin("person", "add", BEN, "--role", "rep", "--team", team)

    def _kill(self, desk: Desk) -> None:
        assert desk.process is not None
        desk.process.kill()
        ended = desk.process.wait()
        if ended.code not in (0, -signal.SIGKILL):
            self.happened["a laptop ended by itself"] += 1
            self.say(ended.err)
        self._sit_down(desk)

    def _look_after(self) -> None:
        """A laptop that ended by itself is a fault, which is told, and it goes on."""
        for desk in self.desks:
            if desk.process is not None and desk.process.ended:
                self._kill(desk)

    def _back_up(self) -> None:
        file = self.town.folder / f"backup-{self.happened['back up']}"
        done = forks.run(
            "sync.compose.server:main",
            ["backup", str(file), "--data", str(self.town.data), "--secrets", str(self.town.secrets)],
        )
        assert done.code == 0, done.err

    def _sit_down(self, desk: Desk) -> None:
        desk.lives += 1
        asked = {
            "profile": str(desk.laptop.folder), "journal": str(desk.journal), "who": desk.person,
            "prefix": f"{desk.laptop.name[0]}{desk.lives}", "seed": f"{self.seed} {desk.person} {desk.lives}",
            "files": [str(each) for each in self.files], "scratch": str(self.town.folder), "enough": str(self.enough),
        }  # fmt: skip
        program, words = "tests.endurance.laptop:work", [json.dumps(asked)]
        if self.lossy is not None:
            program, words = self.lossy.words(program, words)
        desk.process = forks.start(program, words)

    # -- how it ends

    def _settle(self) -> None:
        """The network is good again and nobody types: all of it is exchanged within a time that ends."""
        self.say("settling")
        for desk in self.desks:
            desk.proxy.calm()
        self.enough.touch()
        for desk in self.desks:
            assert desk.process is not None
            self._at_rest(desk.process)
            desk.process = None

    def _at_rest(self, process: Fork) -> None:
        forks.wait_until(lambda: process.ended, "a laptop goes on", seconds=SETTLES_S + 60)
        ended = process.wait()
        if ended.code:
            self.happened["a laptop ended by itself"] += 1
            self.say(ended.err)

    def judge(self) -> Verdict:
        """Ask everybody what they hold, a new laptop of one who sees all of it too."""
        self.desks.append(all_of_it := self._desk(MANAGER, "manager"))
        for desk in self.desks:
            self._told(desk.laptop)  # what these send, the others have to fetch
        brought = all_of_it.laptop.act("tests.endurance.holdings:bring_back")
        assert brought.code == 0, brought.err
        told = {desk.person: self._told(desk.laptop) for desk in self.desks}
        everything = told.pop(all_of_it.person)
        refused = self.town.admin("refused", "--values")
        return oracle.judge(self.typed(), everything, told, refused)

    def _told(self, laptop: Laptop) -> dict[str, Any]:
        file = self.town.folder / f"{laptop.name}.json"
        done = laptop.act("tests.endurance.holdings:tell", told=str(file))
        assert done.code == 0, done.err
        return json.loads(file.read_text(encoding="utf-8"))  # type: ignore[no-any-return]

    def typed(self) -> list[dict[str, Any]]:
        """All that was written down, in the order of time."""
        return sorted(
            (line for desk in self.desks for line in journal.lines(desk.journal)), key=lambda line: line["t"]
        )


def _until(moment: float) -> None:
    """Wait for a moment of the monotonic clock."""
    threading.Event().wait(max(0.0, moment - time.monotonic()))

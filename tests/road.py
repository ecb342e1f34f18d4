"""An organisation on a real server, people of every role, and laptops that enrol: where every test of the road starts.

Everything is real: TLS on loopback, SQLCipher, the system keyring, each command a process.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.paths import Profile
from app.services.card import Card, read_card
from tests import forks
from tests.forks import Answer, Fork
from tests.keyring_of_tests import device_entries
from tests.served import Server

ANNA, BEN, WEST, OFFICE, MANAGER, PRIVACY = (
    f"{name}@example.com" for name in ("anna", "ben", "west", "office", "manager", "privacy")
)
IT = "it@example.com"
PEOPLE = {
    ANNA: ("rep", "Sales/East"),
    BEN: ("rep", "Sales/East"),
    WEST: ("rep", "Sales/West"),
    OFFICE: ("office", "Sales/East"),
    MANAGER: ("manager", "Sales"),
    PRIVACY: ("privacy", "Company"),
}
DAY_MS = 86_400_000


@dataclass
class Town:
    """An organisation and its server."""

    folder: Path
    host: str = "127.0.0.1"
    server: Server = field(init=False)
    laptops: list[Laptop] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = Server(self.data, self.secrets, self.log)
        done = forks.run(
            "sync.compose.server:main",
            ["init", "--data", str(self.data), "--secrets", str(self.secrets), "--keys", str(self.keys),
             "--org", "Example", "--admin", IT, "--host", self.host, "--port", "0"],
        )  # fmt: skip
        assert done.code == 0, done.err
        self.server.start()

    @property
    def data(self) -> Path:
        """The server's data."""
        return self.folder / "data"

    @property
    def secrets(self) -> Path:
        """The server's online keys."""
        return self.folder / "secrets"

    @property
    def keys(self) -> Path:
        """The keys that IT keeps offline."""
        return self.folder / "keys"

    @property
    def log(self) -> Path:
        """What the server says on stderr."""
        return self.folder / "server.log"

    def settle(self) -> None:
        """Give everybody an account."""
        for email, (role, team) in PEOPLE.items():
            self.admin("person", "add", email, "--role", role, "--team", team)

    def ask(self, *words: str) -> Answer:
        """A command of IT, with the offline keys at hand."""
        return forks.run(
            "sync.compose.admin:main", ["--data", str(self.data), "--keys", str(self.keys), *words]
        )

    def admin(self, *words: str) -> Any:
        """A command of IT that has to succeed; its JSON."""
        done = self.ask(*words, "--json")
        assert done.code == 0, done.err
        return done.json

    def code(self, person: str) -> str:
        """An enrolment code."""
        return str(self.admin("enrol-code", person)["code"])

    def laptop(self, person: str = "", name: str = "") -> Laptop:
        """A laptop; enrolled when a person is named."""
        name = name or f"laptop-{len(self.laptops) + 1}"
        made = Laptop(self, self.folder / name, name)
        self.laptops.append(made)
        if person:
            made.enrol(person)
        return made

    def device(self, laptop: Laptop) -> Any:
        """What IT sees of a laptop."""
        return next(each for each in self.admin("devices") if each["id"] == laptop.id)

    def order(self, verb: str, laptop: Laptop) -> None:
        """Lock, unlock or wipe a laptop, as far as IT can."""
        self.admin(verb, laptop.id, *(["--reason", "stolen"] if verb == "wipe" else []))


@dataclass
class Laptop:
    """One laptop of one person."""

    town: Town
    folder: Path
    name: str
    id: str = ""
    code: str = ""

    @property
    def profile(self) -> Profile:
        """Its files."""
        return Profile(self.folder)

    def start(self, *words: str, stdin: str | bytes = "", env: dict[str, str] | None = None) -> Fork:
        """Start a command on it."""
        return forks.start("app.__main__:main", ["--profile", str(self.folder), *words], stdin=stdin, env=env)

    def ask(self, *words: str, stdin: str | bytes = "", env: dict[str, str] | None = None) -> Answer:
        """Run a command on it."""
        answer = self.start(*words, stdin=stdin, env=env).wait()
        assert "Traceback" not in answer.err, answer.err
        return answer

    def json(self, *words: str, stdin: Any = "") -> Any:
        """A command that has to succeed; its JSON. `stdin` may be any JSON value."""
        done = self.ask(*words, "--json", stdin=stdin if isinstance(stdin, str) else json.dumps(stdin))
        assert done.code == 0, done.err
        return done.json

    def later(self, *words: str, stdin: str = "", **clock: Any) -> Answer:
        """Run a command with the clocks turned: wall_ms, boot_ms, boot_id."""
        asked = {"clock": clock, "words": ["--profile", str(self.folder), *words]}
        answer = forks.run("tests.acts:command", [json.dumps(asked)], stdin=stdin)
        assert "Traceback" not in answer.err, answer.err
        return answer

    def act(self, act: str, **asked: Any) -> Answer:
        """One of tests/acts.py on its profile, or another program ("module:function") that takes the same."""
        program = act if ":" in act else f"tests.acts:{act}"
        answer = forks.run(program, [json.dumps({"profile": str(self.folder), **asked})])
        assert "Traceback" not in answer.err, answer.err
        return answer

    def enrol(self, person: str) -> None:
        """Join the organisation with a fresh code."""
        self.code = self.town.code(person)
        self.id = self.json("enrol", "--name", self.name, stdin=self.code)["device_id"]

    def add(self, kind: str, **values: Any) -> str:
        """A new record; its id."""
        return str(self.json("add", kind, "-", stdin=values)["id"])

    def edit(self, record: str, **values: Any) -> None:
        """Change a record."""
        self.json("edit", record, "-", stdin=values)

    def show(self, record: str) -> Any:
        """A record."""
        return self.json("show", record)

    def sync(self) -> Any:
        """Exchange."""
        return self.json("sync")

    def holds(self, kind: str = "customer") -> dict[str, Any]:
        """Its records of a kind, by id, without what is each laptop's own."""
        own = ("waiting", "conflicts")
        return {
            each["id"]: {k: v for k, v in each.items() if k not in own} for each in self.json("list", kind)
        }

    def state(self) -> str:
        """active, locked or wiped."""
        return str(self.json("status")["state"])

    def card(self) -> Card:
        """Who it says it is."""
        return read_card(self.profile)

    def files(self) -> list[str]:
        """Names of its files."""
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())

    def entries(self) -> dict[str, str]:
        """What the keyring holds for it, read past our own code."""
        return device_entries(self.id.replace("-", ""))


def now_ms() -> int:
    """UTC milliseconds."""
    return time.time_ns() // 1_000_000


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One organisation for a module; its server must end well."""
    made = Town(tmp_path_factory.mktemp("town"))
    made.settle()
    yield made
    assert made.server.runs
    assert made.server.stop() == 0

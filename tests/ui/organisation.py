"""A real organisation for tests of the window: a server in a process of its own, people, enrolled profiles."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.paths import Profile
from app.services import enrolment
from app.services.opening import open_session
from app.services.syncing import Syncing
from tests import forks
from tests.served import Server
from tests.ui import sample

PERSON, COLLEAGUE = "anna@demo.example", "ben@demo.example"


class Organisation:
    """Runs the server and asks as IT does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data, self.secrets, self.keys = (folder / each for each in ("server", "secrets", "keys"))
        self._server = Server(self.data, self.secrets, folder / "server.log")

    def found(self, name: str) -> None:
        """Make the organisation with two people in it, and start its server."""
        self._run(
            "sync.compose.server:main", "init", "--data", self.data, "--secrets", self.secrets, "--keys", self.keys,
            "--org", name, "--admin", "it@demo.example", "--host", "127.0.0.1",
        )  # fmt: skip
        self.start()
        for email in (PERSON, COLLEAGUE):
            self.admin("person", "add", email, "--role", "rep", "--team", "Sales/East")

    def start(self) -> None:
        """Start the server, on the same port as before."""
        self._server.start()

    def stop(self) -> None:
        """Stop the server: everyone is offline."""
        self._server.stop()

    def admin(self, *arguments: str | Path, keys: bool = False) -> Any:
        """A command of IT; its JSON."""
        offline = ("--keys", self.keys) if keys else ()
        return self._run("sync.compose.admin:main", "--data", self.data, *offline, *arguments, "--json").json

    def person(self, name: str) -> str:
        """A person in a team of one, whose customers nobody else sees."""
        email = f"{name}@demo.example"
        self.admin("person", "add", email, "--role", "rep", "--team", f"Teams/{name}")
        return email

    def code(self, person: str = PERSON) -> str:
        """An enrolment code."""
        return str(self.admin("enrol-code", person)["code"])

    def laptop(self, name: str, person: str = PERSON) -> Profile:
        """An enrolled profile."""
        profile = Profile(self.folder / name)
        enrolment.enrol(profile, self.code(person), name)
        return profile

    def _run(self, program: str, *arguments: str | Path) -> forks.Answer:
        done = forks.run(program, [*map(str, arguments)])
        assert done.code == 0, done.err
        return done


def attach(folder: Path) -> Organisation:
    """The organisation that another process has made and serves."""
    return Organisation(folder)


@contextlib.contextmanager
def organisation(folder: Path, name: str = "Demo Ltd") -> Iterator[Organisation]:
    """An organisation while the block runs."""
    made = Organisation(folder)
    made.found(name)
    try:
        yield made
    finally:
        made.stop()


def fill(profile: Profile, *, many: int = 0) -> None:
    """Put the sample into a profile, and `many` customers beside it."""
    with open_session(profile) as session:
        session.call(sample.fill, many)


def plan(profile: Profile) -> None:
    """Put a day with something on it into a profile that has the sample."""
    with open_session(profile) as session:
        session.call(sample.plan)


def sync(profile: Profile) -> None:
    """One round of exchanges."""
    with open_session(profile) as session:
        syncing = Syncing(session)
        try:
            syncing.round()
        finally:
            syncing.close()


def meet(one: Profile, other: Profile) -> None:
    """Let two devices edit the same fields of the first customer while apart, and agree again."""
    sync(one)
    sync(other)
    for profile, industry, stage in ((one, "体外诊断设备", "prospect"), (other, "Diagnostics", "former")):
        with open_session(profile) as session:
            session.call(sample.edit_first, {"industry": industry, "stage": stage})
    for profile in (one, other, one):
        sync(profile)

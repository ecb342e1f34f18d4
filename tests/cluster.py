"""A PostgreSQL of the tests' own: a cluster in a folder of its own, from the system's programs, a database per test.

Databases sort by a language and not by characters' numbers, as an operator's may, and the server's user in them owns
its schema and nothing else. PostgreSQL does not run as root: there it is started as the user `postgres`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg
from cryptography.hazmat.primitives import serialization
from psycopg import sql

from sync.server import tls
from tests.forks import wait_until

PASSWORD: Final = "not a secret %s 'x"
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - nothing in it is anybody's, and it waits for no disk
_ROOM: Final = 2**29
_TRIES: Final = 5  # for a port that somebody else takes in the meantime
_ACCESS: Final = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
_SETTINGS: Final = (
    "max_connections=60", "shared_buffers=32MB", "wal_level=minimal", "max_wal_senders=0", "min_wal_size=32MB",
    "ssl=on", "ssl_cert_file=server.crt", "ssl_key_file=server.key", "listen_addresses=127.0.0.1",
)  # fmt: skip


def folder_of_programs() -> Path:
    """The folder of PostgreSQL's programs, of the newest version that is here."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda each: int(each.parts[-3]))
    here = shutil.which("initdb")
    if not found and here is None:
        raise RuntimeError("PostgreSQL is not installed; `make setup` says which packages to install")
    return found[-1].parent if found else Path(here or "").parent


@dataclass
class Cluster:
    """A running cluster; `folder` holds its socket and the authority of its certificate."""

    folder: Path
    port: int = 0
    pid: int = 0
    _names: list[str] = field(default_factory=list)

    @property
    def authority(self) -> Path:
        """Whose certificate it shows, PEM."""
        return self.folder / "ca.crt"

    def admin(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A line of whoever runs the cluster."""
        return psycopg.connect(
            host=str(self.folder), port=self.port, user="postgres", dbname=database, autocommit=True
        )

    def database(self) -> str:
        """A new database as an operator makes it; its name."""
        name = f"fk{len(self._names)}"
        self._names.append(name)
        with self.admin() as connection:
            made = sql.SQL("CREATE DATABASE {} TEMPLATE ready").format(sql.Identifier(name))
            connection.execute(made)
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still in it."""
        with self.admin() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def url(self, name: str) -> str:
        """Its address for the server, by the socket."""
        return f"postgresql://fieldkeep@/{name}?host={self.folder}&port={self.port}"

    def tcp_url(self, name: str, more: str = "") -> str:
        """Its address for the server, by the network."""
        return f"postgresql://fieldkeep@127.0.0.1:{self.port}/{name}{more}"

    def prepare(self) -> None:
        """Make the server's user and the database that the others are copies of."""
        with self.admin() as connection:
            connection.execute(
                sql.SQL("CREATE ROLE fieldkeep LOGIN PASSWORD {}").format(sql.Literal(PASSWORD))
            )
            connection.execute("CREATE DATABASE ready TEMPLATE template0")
        with self.admin("ready") as connection:
            connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
            connection.execute("CREATE SCHEMA fieldkeep AUTHORIZATION fieldkeep")


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """Start one for as long as the block lasts. Raises RuntimeError, CalledProcessError when that cannot be."""
    owner = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    roomy = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM
    folder = Path(tempfile.mkdtemp(prefix="fk-pg-", dir=_MEMORY if roomy else None))
    try:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        programs, data = folder_of_programs(), folder / "data"
        _as(
            owner, folder, str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8",
            "--no-sync", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en",
        )  # fmt: skip
        _certificate(folder, data, owner)
        (data / "pg_hba.conf").write_text(_ACCESS)
        with _running(owner, folder, programs, data) as made:
            made.prepare()
            yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _running(owner: pwd.struct_passwd, folder: Path, programs: Path, data: Path) -> Iterator[Cluster]:
    for _try in range(_TRIES):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        settings = (*_SETTINGS, f"port={port}", f"unix_socket_directories={folder}")
        words = [str(programs / "postgres"), "-D", str(data), *(f"--{each}" for each in settings)]
        with (folder / "log").open("ab") as log:
            # It ends when we are killed outright, too.
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "INT", "--", *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                **_owned(owner, folder),
            )  # fmt: skip
        made = Cluster(folder, port, process.pid)
        try:
            wait_until(functools.partial(_came, process, made), "PostgreSQL says nothing")
            if process.poll() is None:
                yield made
                return
        finally:
            if process.poll() is None:
                process.send_signal(2)  # ends every session and stops
            process.wait(30)
    raise RuntimeError("PostgreSQL did not start: " + (folder / "log").read_text()[-2000:])


def _came(process: subprocess.Popen[bytes], made: Cluster) -> bool:
    """Whether it answers, or has ended."""
    if process.poll() is not None:
        return True
    try:
        made.admin().close()
    except psycopg.OperationalError:
        return False
    return True


def _as(owner: pwd.struct_passwd, folder: Path, *words: str) -> None:
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **_owned(owner, folder)
    )
    if done.returncode != 0:
        raise RuntimeError(f"{Path(words[0]).name} failed: {done.stdout}{done.stderr}")


def _owned(owner: pwd.struct_passwd, folder: Path) -> dict[str, Any]:
    """What a program gets that must not run as root."""
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder)}
    others: dict[str, Any] = {}
    if os.geteuid() == 0:
        others = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    return {"env": env, "cwd": folder, **others}


def _certificate(folder: Path, data: Path, owner: pwd.struct_passwd) -> None:
    now = dt.datetime.now(dt.UTC)
    ca_key, key = tls.new_key(), tls.new_key()
    ca = tls.authority(ca_key, "database", now)
    (folder / "ca.crt").write_bytes(tls.pem(ca))
    (data / "server.crt").write_bytes(tls.pem(tls.leaf(ca, ca_key, key.public_key(), ["localhost"], now)))
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (data / "server.key").write_bytes(pem)
    (data / "server.key").chmod(0o600)
    for name in ("server.crt", "server.key"):
        os.chown(data / name, owner.pw_uid, owner.pw_gid)

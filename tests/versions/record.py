"""`python -m tests.versions.record NAME`: keeps what this version, or that of another tree, stores and says.

Run by hand at each release, in a keyring of its own:

    python packaging/keyring_session.py -- python -m tests.versions.record 0.1.0

`--tree DIR` takes the programs of another tree, such as a `git worktree` of an earlier commit; `--beside DIR` names a
folder of packages that they need and that of today does not.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from tests import cluster
from tests.conftest import ROOT
from tests.versions import story
from tests.versions.kept import ABOUT, ARCHIVE, LARGEST, PLACE, plain_store
from tests.versions.program import Version

_LEFT_OUT: Final = ("log", "tmp", "profile.lock", "server.lock", "store.lock", "admin.sock")
_NUMBERS: Final = """
import json
from app.store import schema as store
from sync.protocol import version
from sync.server.db import schema as server
print(json.dumps({"app": version.APP_VERSION, "protocol": version.PROTOCOL, "schema": version.SCHEMA,
    "store": store.VERSION, "server": server.VERSION}))
"""
_PICTURE: Final = "from tests.wire import picture; print(picture.text())"


def main() -> int:
    """Record, and say how much it came to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name")
    parser.add_argument("--tree", type=Path, default=ROOT)
    parser.add_argument("--beside", type=Path, action="append", default=[])
    asked = parser.parse_args()
    if "FIELDKEEP_KEYRING_SESSION" not in os.environ:
        parser.error("start it by packaging/keyring_session.py: it writes keys into a keyring")
    with tempfile.TemporaryDirectory() as folder:
        version = Version(asked.tree.absolute(), Path(folder), asked.beside, _free_port())
        about = {"name": asked.name, **json.loads(version.python(_NUMBERS))}
        _play(version)
        about["ended"] = time.time_ns() // 1_000_000
        about["port"] = version.port
        _write(version, "picture.json", json.loads(version.python(_PICTURE)))
        _dump_to_postgresql(version)
        _keep(version, about)
    size = (PLACE / asked.name / ARCHIVE).stat().st_size
    sys.stdout.write(f"{asked.name}: {size:,} bytes\n")
    return 0 if size < LARGEST else 1


def _play(version: Version) -> None:
    """The organisation as it was before the first request, the session, and what was there at its end."""
    version.found()
    try:
        version.serve()
        codes = story.begin(version)
        version.stop()
        (version.folder / "begin.sql").write_text(_dump(version), encoding="utf-8")
        version.serve()
        story.play(version, codes)
        _hold_line(version)
        _write(
            version,
            "synced.json",
            {name: story.told(version, name) for name in ("laptop-anna", "laptop-ben")},
        )
        story.wait(version)
        _write(version, "told.json", story.told(version, story.PROFILE))
    finally:
        version.stop()
    _write(version, "keyring.json", _entries(version))


def _hold_line(version: Version) -> None:
    """One question on a held line, in the session of the last exchange, where this version has such a line."""
    from sync.protocol import messages
    from tests.server.driver import Tls
    from tests.versions.kept import read_traffic, session_key

    taken = read_traffic(version.traffic)
    last = next(each for each in reversed(taken) if each.path == messages.EXCHANGE_PATH)
    session, counter = last.headers["fieldkeep-session"], int(last.headers["fieldkeep-counter"]) + 1
    target = f"{messages.EVENTS_PATH}?wait=1"
    mac = messages.request_mac(session_key(taken, session), "GET", target, b"", counter)
    line = Tls(f"https://127.0.0.1:{version.port}", None)
    line("GET", target, b"", {
        messages.SESSION_HEADER: session, messages.COUNTER_HEADER: str(counter), messages.MAC_HEADER: mac,
    })  # fmt: skip
    line.close()


def _entries(version: Version) -> dict[str, str]:
    """What the keyring holds for the laptop that is kept, read past any of our own code."""
    from tests.keyring_of_tests import device_entries

    card = json.loads((version.folder / story.PROFILE / "device.json").read_text(encoding="utf-8"))
    return device_entries(card["device"])


def _dump(version: Version) -> str:
    """The server's store as statements: a few kilobytes, where the file with its empty pages has hundreds."""
    with contextlib.closing(plain_store(version.server)) as db:
        lines = [f"PRAGMA user_version = {db.execute('PRAGMA user_version').fetchone()[0]}"]
        made = db.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
        ).fetchall()
        lines += [sql for _type, _name, sql in made]
        for name in [name for type_, name, _sql in made if type_ == "table"]:
            columns = [column for (column,) in db.execute("SELECT name FROM pragma_table_info(?)", (name,))]
            quoted = " || ',' || ".join(f'quote("{column}")' for column in columns)
            rows = db.execute(f'SELECT {quoted} FROM "{name}"').fetchall()
            lines += [f'INSERT INTO "{name}" VALUES ({row})' for (row,) in rows]
    return "".join(f"{' '.join(line.split(chr(10)))};\n" for line in lines)


def _dump_to_postgresql(version: Version) -> None:
    """The same organisation in a database, where this version knows one: as statements that psql reads."""
    if "migrate" not in version.run("sync.compose.server", "--help").stdout:
        return
    aside = version.folder / "server-before"
    shutil.copytree(version.server, aside)
    with cluster.cluster() as made:
        name = made.database()
        version.organise("migrate", "--to", made.url(name))
        words = ["--no-owner", "--no-privileges", "--schema=fieldkeep", "--inserts", "-h", str(made.folder)]
        dumped = subprocess.run(
            [str(cluster.folder_of_programs() / "pg_dump"), *words, "-p", str(made.port), "-U", "postgres", name],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    # Newer programs frame a dump by commands that older ones do not know.
    kept = [line for line in dumped.stdout.splitlines() if not line.startswith("\\")]
    (version.folder / "postgresql.sql").write_text("\n".join(kept) + "\n", encoding="utf-8")
    shutil.copytree(version.server, version.folder / "server-postgresql")
    shutil.rmtree(version.server)
    aside.rename(version.server)


def _write(version: Version, name: str, value: Any) -> None:
    (version.folder / name).write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")


def _keep(version: Version, about: dict[str, Any]) -> None:
    """One archive, and beside it what it is of."""
    place = PLACE / str(about["name"])
    place.mkdir(parents=True, exist_ok=True)

    def wanted(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if Path(entry.name).name in _LEFT_OUT or not (entry.isdir() or entry.isfile()):
            return None
        entry.uid = entry.gid = entry.mtime = 0
        entry.uname = entry.gname = ""
        return entry

    with tarfile.open(place / ARCHIVE, "w:xz", preset=9) as archive:
        for path in sorted(version.folder.iterdir()):
            if path.name not in ("server.log", "laptop-anna", "laptop-lost"):
                archive.add(path, path.name, filter=wanted)
    (place / ABOUT).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())

"""The same work done by Anki, over its own server: run by the Python of the peers, prints JSON (seconds).

`python anki_peer.py FOLDER NOTES CHANGES PULLED`; needs the package `anki` and nothing of ours. Its store is neither
encrypted nor searchable by words, and it speaks plain HTTP: all of that is in its favour.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from anki.collection import AddNoteRequest, Collection  # type: ignore[import-not-found]


def main() -> int:
    """Fill, send, fetch, change, send again, fetch the changes, ask when there is nothing."""
    folder, notes, changes, pulled = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    port = 27_700 + os.getpid() % 1_000
    server = subprocess.Popen(
        [sys.executable, "-m", "anki.syncserver"],
        env={
            **os.environ, "SYNC_USER1": "bench:bench", "SYNC_BASE": str(folder / "server"),
            "SYNC_HOST": "127.0.0.1", "SYNC_PORT": str(port),
        },
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}/"
    try:
        _wait_for(url)
        sys.stdout.write(json.dumps(_measured(folder, url, notes, changes, pulled)) + "\n")
    finally:
        server.terminate()
        server.wait()
    return 0


def _wait_for(url: str) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(url, timeout=1)  # noqa: S310 - our own address
        except urllib.error.HTTPError:
            return  # it answers, if only that there is nothing here
        except OSError:
            select.select([], [], [], 0.05)
        else:
            return
    raise TimeoutError("no server")


def _measured(folder: Path, url: str, notes: int, changes: int, pulled: int) -> dict[str, float]:
    first = Collection(str(folder / "first.anki2"))
    auth = first.sync_login("bench", "bench", url)
    kind = first.models.by_name("Basic")
    made = []
    for number in range(notes):
        note = first.new_note(kind)
        note.fields = [
            f"Customer {number} Ltd 有限公司",
            f"Long Road {number % 999}, Berlin. " + "Met at the fair. " * 24,
        ]
        made.append(AddNoteRequest(note=note, deck_id=1))
    first.add_notes(made)
    ids = [each.note.id for each in made]
    _whole(first, auth, upload=True)
    second = Collection(str(folder / "second.anki2"))
    initial = _timed(lambda: _whole(second, auth, upload=False))
    _change(first, ids[:changes], "one")
    upload = _timed(lambda: first.sync_collection(auth, False))
    second.sync_collection(auth, False)
    _change(first, ids[:pulled], "two")
    first.sync_collection(auth, False)
    pull = _timed(lambda: second.sync_collection(auth, False))
    polls = sorted(_timed(lambda: second.sync_collection(auth, False)) for _each in range(100))
    there = second.get_note(ids[0]).fields[1]
    assert there.startswith("two"), there
    first.close()
    second.close()
    return {"initial": initial, "upload": upload, "pull": pull, "poll": polls[50]}


def _whole(collection: Any, auth: Any, *, upload: bool) -> None:
    collection.sync_collection(auth, False)
    collection.close_for_full_sync()
    collection.full_upload_or_download(auth=auth, server_usn=None, upload=upload)
    collection.reopen(after_full_sync=True)


def _change(collection: Any, ids: Sequence[int], word: str) -> None:
    found = [collection.get_note(each) for each in ids]
    for note in found:
        note.fields[1] = f"{word} {note.fields[1]}"
    collection.update_notes(found)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())

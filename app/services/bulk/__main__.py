"""The bulk process: opens the store with the key it is given, and does what it is asked until its pipe ends."""

from __future__ import annotations

import contextlib
import gc
import os
import queue
import sys
import threading
from pathlib import Path
from typing import IO, Final

from app.keys.harden import harden
from app.paths import Profile
from app.services.bulk import pipe
from app.services.bulk.pipe import Bring, Ended, GoOn, Open, Prepare, Request, Stop
from app.services.bulk.work import Work
from app.store.store import Store
from sync.protocol import texts

HELD_KIB: Final = 262_144  # of the store in memory: rows go to all places of its indexes


def main() -> int:
    """Serve one window; the exit code."""
    harden()
    # It lives for one round, one import or one act, whose rows are many and hold no circles: looking for some took a
    # fourth.
    gc.disable()
    # Whatever prints must not end up among the messages.
    asked, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(nothing, number)
    try:
        opening = pipe.request(asked)
        if not isinstance(opening, Open):
            return 1
        texts.use(opening.language)
        profile = Profile(Path(os.fsdecode(opening.folder)))
        with pipe.take_key(asked) as key:
            store = Store.beside(profile, key, recovery=opening.recovery)
        store.db.hold(HELD_KIB)
        pipe.send(answers, pipe.Ready())
    except Ended:
        return 1
    except BaseException as problem:  # noqa: BLE001 - told to who asked
        with contextlib.suppress(Ended):
            pipe.send(answers, pipe.failure(problem))
        return 1
    work = Work(profile, store, answers)
    requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(asked, requests, work), daemon=True).start()
    while True:
        work.do(requests.get())


def _listen(asked: IO[bytes], requests: queue.SimpleQueue[Request], work: Work) -> None:
    """Hear at once that something is to be left off, or that there is nobody any more who asks."""
    while True:
        try:
            request = pipe.request(asked)
        except Ended:
            # What is being written is as if it had never been; nobody waits for it.
            os._exit(0)
        if isinstance(request, Stop):
            work.stop()
        elif isinstance(request, GoOn):
            work.go_on()
        else:
            if isinstance(request, Prepare | Bring):
                work.begin()
            requests.put(request)


if __name__ == "__main__":
    sys.exit(main())

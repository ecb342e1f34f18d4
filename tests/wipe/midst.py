"""What a laptop is in the midst of when it dies: a change of an older file, and tidying what is sealed.

Run by tests/forks.py, as the acts in tests/acts.py are.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from app import compose
from app.paths import Profile
from app.services.opening import open_session
from app.services.syncing import Syncing
from app.store import before, building
from app.store.seal import SealedOutbox
from tests.acts import Deadly
from tests.store.test_steps import make_old


def make_older(words: list[str]) -> int:
    """Have the store's file look as the first version made it."""
    asked = json.loads(words[0])
    compose.prepare()
    with open_session(Profile(Path(asked["profile"]))) as session:
        session.call(make_old)
    return 0


def work_on_store(words: list[str]) -> int:
    """Open the store, which changes the older file, and exchange, after which what is sealed is tidied; die at the nth
    durable step of it."""
    asked = json.loads(words[0])
    compose.prepare()
    deadly = Deadly(asked["at"])
    for owner, name in ((Path, "replace"), (before, "_copy"), (building, "build"), (SealedOutbox, "keep")):
        setattr(owner, name, deadly.around(name, getattr(owner, name)))
    with open_session(Profile(Path(asked["profile"]))) as session:
        Syncing(session).round()
        sys.stdout.write(json.dumps(deadly.seen))
    return 0

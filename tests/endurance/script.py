"""When what happens in a run, drawn from its seed: kills, restarts, backups, networks that go away, orders."""

from __future__ import annotations

import random
from typing import Final

# Of each, one in so many seconds; a short run has one of each all the same.
EVERY_S: Final = {
    "kill a laptop": 60,
    "kill the server": 150,
    "restart the server": 200,
    "back up": 300,
    "network away": 100,
    "captive portal": 240,
    "lock": 280,
    "move to another team": 420,
}
# What ends by itself, after how long at least and at most.
LASTS_S: Final = {
    "network away": (3.0, 30.0),
    "captive portal": (3.0, 15.0),
    "lock": (3.0, 15.0),
    "move to another team": (10.0, 40.0),
}


def drawn(luck: random.Random, seconds: float) -> list[tuple[float, str, bool]]:
    """At which second what begins (True) or ends (False)."""
    found: list[tuple[float, str, bool]] = []
    for name, every in EVERY_S.items():
        times = max(1, round(seconds / every))
        for number in range(times):
            begins = seconds * (number + luck.uniform(0.05, 0.75)) / times
            found.append((begins, name, True))
            if name in LASTS_S:
                low, high = LASTS_S[name]
                share = 0.2 * seconds / times
                found.append((begins + min(luck.uniform(low, high), share), name, False))
    return sorted(found)

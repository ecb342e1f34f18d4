"""What networks do, drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.network.proxy import NONE, Deed, Fault, Way

# What a session and an exchange come to, from a handshake's first bytes to a page of records.
_FEW, _MANY = 1, 40_000


def drawn(luck: random.Random, *, calm: float = 0.5) -> Callable[[], Fault]:
    """Faults for one connection after the other; `calm` of them have none."""

    def draw() -> Fault:
        if luck.random() < calm:
            return NONE
        deed = luck.choices(
            [Deed.CUT, Deed.END, Deed.TWICE, Deed.STALL, None], [30, 20, 10, 8, 32], k=1
        )[0]  # fmt: skip
        if deed is None:
            if luck.random() < 0.7:
                return Fault(delay_s=luck.uniform(0.02, 0.4))
            return Fault(delay_s=luck.uniform(0.005, 0.03), piece=luck.randint(20, 400))
        way = luck.choice([Way.UP, Way.DOWN])
        return Fault(deed, way, int(_FEW * (_MANY / _FEW) ** luck.random()))

    return draw

"""How much memory this process holds, in megabytes."""

from __future__ import annotations

import psutil


def held() -> dict[str, float]:
    """What is in memory (`rss`), the same with each shared page counted by its part (`pss`), and what is its alone."""
    found = psutil.Process().memory_full_info()
    return {name: getattr(found, name) / 2**20 for name in ("rss", "pss", "uss")}

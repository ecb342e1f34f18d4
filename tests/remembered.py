"""What functions keep in mind beyond one call: every cache of this process is looked through for a text."""

from __future__ import annotations

import functools
import gc
import sys
from collections.abc import Iterator


def holders(text: str) -> list[str]:
    """The functions whose caches hold the text, whatever it is wrapped in."""
    gc.collect()
    return sorted({cache.__qualname__ for cache in _caches() if any(text in held for held in _texts(cache))})


def _caches() -> Iterator[functools._lru_cache_wrapper[object]]:
    """Those of our modules, which the collector does not list where it was frozen; and all that it lists."""
    ours = [each for name, each in list(sys.modules.items()) if name.partition(".")[0] in ("app", "sync")]
    for each in (*(value for module in ours for value in vars(module).values()), *gc.get_objects()):
        if isinstance(each, functools._lru_cache_wrapper):
            yield each


def _texts(cache: functools._lru_cache_wrapper[object]) -> Iterator[str]:
    seen: set[int] = set()
    level = gc.get_referents(cache)
    for _depth in range(6):
        fresh = [each for each in level if id(each) not in seen and not callable(each)]
        seen.update(map(id, fresh))
        yield from (each for each in fresh if isinstance(each, str))
        level = gc.get_referents(*fresh)

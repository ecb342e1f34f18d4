"""Keyrings that misbehave, and one in memory for tests that try thousands of damaged files."""

from __future__ import annotations

import threading

from app.errors import KeyringUnreachable


class MemoryRing:
    """Is an `app.keys.ring.Keyring`; counts what is asked of it."""

    def __init__(self, entries: dict[str, str] | None = None) -> None:
        self.entries = dict(entries or {})
        self.asked = 0

    def get(self, name: str) -> str | None:
        self.asked += 1
        return self.entries.get(name)

    def set(self, name: str, value: str) -> None:
        self.asked += 1
        self.entries[name] = value

    def delete(self, name: str) -> bool:
        self.asked += 1
        self.entries.pop(name, None)
        return True


class DeadRing:
    """Is a `Keyring` whose daemon is gone; `after` calls still work."""

    def __init__(self, living: MemoryRing, after: int = 0) -> None:
        self.living = living
        self.after = after

    def _ask(self) -> MemoryRing:
        self.after -= 1
        if self.after < 0:
            raise KeyringUnreachable("dead", "")
        return self.living

    def get(self, name: str) -> str | None:
        return self._ask().get(name)

    def set(self, name: str, value: str) -> None:
        self._ask().set(name, value)

    def delete(self, name: str) -> bool:
        return self._ask().delete(name)


class StagedBackend:
    """Is an `app.keys.backends.Backend` that hangs, lies, forgets or raises as a test asks."""

    def __init__(self) -> None:
        self.kept: dict[str, list[str]] = {}
        self.hold = threading.Event()  # set: calls pass; cleared: they hang until it is set
        self.hold.set()
        self.calls: list[str] = []
        self.forgets = False
        self.deletes = 1  # copies that one delete removes
        self.raises: Exception | None = None

    def _enter(self, call: str) -> None:
        self.hold.wait()
        self.calls.append(call)
        if self.raises is not None:
            raise self.raises

    def get(self, service: str, name: str) -> str | None:
        self._enter("get")
        return next(iter(self.kept.get(name, [])), None)

    def set(self, service: str, name: str, value: str) -> None:
        self._enter("set " + value)
        if not self.forgets:
            self.kept[name] = [value]

    def delete(self, service: str, name: str) -> None:
        self._enter("delete")
        for _copy in range(min(self.deletes, len(self.kept.get(name, [])))):
            self.kept[name].pop()

    def present(self, service: str, name: str) -> bool:
        self._enter("present")
        return bool(self.kept.get(name))

"""All sealed work of a device as one stream to hand in: what its store does not know, and its sealed outbox.

Every byte of both goes along: where a length is rotten, IT's desk finds what stands behind it.
"""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from typing import IO, BinaryIO, cast

from app.paths import Profile
from app.store.seal import is_torn, looked_through, may_hold, rest_of


def open_all(profile: Profile) -> BinaryIO:
    """The stream, from its beginning and to be closed. Raises FileNotFoundError when there is no such work."""
    lost, outbox = profile.sealed_lost, profile.sealed_outbox
    if not lost.is_file():
        if not outbox.is_file():
            raise FileNotFoundError
        return outbox.open("rb")
    paths = [lost, *([outbox] if outbox.is_file() else [])]
    if rest_of(lost):
        paths.reverse()  # records are counted up to what cannot be read
    return cast("BinaryIO", io.BufferedReader(_Joined([(path, path.stat().st_size) for path in paths])))


def set_aside(profile: Profile) -> int:
    """How many sealed records are kept that the store does not know; those behind a rotten length count as one.

    Raises StoreDamaged.
    """
    count, rest = looked_through(profile.sealed_lost)
    return count + (may_hold(rest) and not is_torn(rest))


class _Joined(io.RawIOBase):
    """Files one behind the other, each up to a length."""

    def __init__(self, parts: list[tuple[Path, int]]) -> None:
        self._at = 0
        self._files: list[tuple[IO[bytes], int]] = []
        with contextlib.ExitStack() as opened:
            for path, length in parts:
                self._files.append((opened.enter_context(path.open("rb", buffering=0)), length))
            self._opened = opened.pop_all()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        end = sum(length for _file, length in self._files)
        self._at = max(0, offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: end}[whence])
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        begin = 0
        for file, length in self._files:
            if self._at < begin + length:
                file.seek(self._at - begin)
                data = file.read(min(len(buffer), begin + length - self._at))
                buffer[: len(data)] = data
                self._at += len(data)
                return len(data)
            begin += length
        return 0

    def close(self) -> None:
        self._opened.close()
        super().close()

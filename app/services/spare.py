"""Gives memory that was let go of back to the system: the C library keeps it for the process otherwise."""

from __future__ import annotations

import contextlib
import ctypes
import sys


def give_back() -> None:
    """Give back every whole page that nobody uses, of all threads. Where the C library has no such call, do nothing."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError, OSError):  # another C library than glibc
            ctypes.CDLL(None).malloc_trim(0)

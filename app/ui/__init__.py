"""The desktop. Only these rooms know of Qt.

PySide wraps the import statement: it reads the source of whatever is imported after it, to see whether that uses
its own `__feature__`. Nothing here does, and the reading costs a part of every start, so the interpreter's own import
is put back before the first room is entered.
"""

from __future__ import annotations

import builtins

import PySide6.QtCore  # noqa: F401 - lays its wrapper around the import

builtins.__import__ = getattr(builtins, "__orig_import__", builtins.__import__)

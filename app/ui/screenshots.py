"""Keeps a window out of screenshots and shared screens, where the system has a way to.

Linux has none, on X11 as on Wayland. Windows and macOS are written from their documentation and have not been run
there; the posture says whether the system has the call (app/services/posture), and policy what happens without.
"""

from __future__ import annotations

import ctypes
import logging
import sys
from typing import Any, Final

from PySide6.QtWidgets import QWidget

_LOG = logging.getLogger("app.ui.screenshots")
_EXCLUDE_FROM_CAPTURE: Final = 0x11
_SHARING_NONE, _SHARING_READ_ONLY = 0, 1


def shield(window: QWidget, wanted: bool) -> bool:
    """Keep a window out of screenshots, or no longer; whether the system did it."""
    system: str = (
        sys.platform
    )  # named, so that the type checker does not take the other systems for dead code
    try:
        if system == "win32":
            return _windows(int(window.winId()), wanted)
        if system == "darwin":
            return _macos(int(window.winId()), wanted)
    except (AttributeError, OSError) as problem:
        _LOG.warning("screenshots cannot be kept away: %s", type(problem).__name__)
    return False


def _windows(handle: int, wanted: bool) -> bool:
    user: Any = ctypes.WinDLL("user32")  # type: ignore[attr-defined] # on Windows alone
    return bool(
        user.SetWindowDisplayAffinity(ctypes.c_void_p(handle), _EXCLUDE_FROM_CAPTURE if wanted else 0)
    )


def _macos(view: int, wanted: bool) -> bool:
    objc: Any = ctypes.CDLL("/usr/lib/libobjc.dylib")
    objc.sel_registerName.restype = ctypes.c_void_p
    send = objc.objc_msgSend
    send.restype, send.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_void_p]
    window = send(view, objc.sel_registerName(b"window"))
    if not window:
        return False
    send.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_ulong]
    send(window, objc.sel_registerName(b"setSharingType:"), _SHARING_NONE if wanted else _SHARING_READ_ONLY)
    return True

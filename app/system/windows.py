"""Windows: session and power messages to a window that is never shown.

Written from the system's documentation and not run there yet; what a message means is tested on every system.
"""

from __future__ import annotations

import contextlib
import ctypes
from typing import Any, Final

from app.system.events import Event, Source
from app.system.looped import Looped

WM_DESTROY: Final = 0x0002
WM_CLOSE: Final = 0x0010
WM_POWERBROADCAST: Final = 0x0218
WM_WTSSESSION_CHANGE: Final = 0x02B1
_SESSION_EVENTS: Final = {
    0x2: Event.SWITCHED,  # WTS_CONSOLE_DISCONNECT
    0x4: Event.SWITCHED,  # WTS_REMOTE_DISCONNECT
    0x6: Event.SWITCHED,  # WTS_SESSION_LOGOFF
    0x7: Event.SCREEN,  # WTS_SESSION_LOCK
}
_POWER_EVENTS: Final = {
    0x4: Event.SLEEP,  # PBT_APMSUSPEND; Windows waits about two seconds for whoever got it
    0x7: Event.WOKE,  # PBT_APMRESUMESUSPEND
    0x12: Event.WOKE,  # PBT_APMRESUMEAUTOMATIC
}
_THIS_SESSION: Final = 0  # NOTIFY_FOR_THIS_SESSION
_CLASS: Final = "FieldkeepSystemEvents"


def event_of(message: int, what: int) -> Event | None:
    """What a window message tells; None for one that asks for nothing."""
    if message == WM_WTSSESSION_CHANGE:
        return _SESSION_EVENTS.get(what)
    return _POWER_EVENTS.get(what) if message == WM_POWERBROADCAST else None


class WindowsListener(Looped):
    """Listens in a thread that has a window of its own: a window for messages alone is told nothing of sleep."""

    def __init__(self) -> None:
        super().__init__(Source.WINDOWS)

    def _stop(self, handle: int) -> None:
        with contextlib.suppress(AttributeError, OSError):
            ctypes.WinDLL("user32").PostMessageW(handle, WM_CLOSE, 0, 0)  # type: ignore[attr-defined]

    def _listen(self) -> None:
        from ctypes import wintypes

        user: Any = ctypes.WinDLL("user32", use_last_error=True)  # type: ignore[attr-defined]
        sessions: Any = ctypes.WinDLL("wtsapi32")  # type: ignore[attr-defined]
        kernel: Any = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined]
        long_, handle = ctypes.c_ssize_t, ctypes.c_void_p
        prototype: Any = ctypes.WINFUNCTYPE(  # type: ignore[attr-defined]
            long_, handle, ctypes.c_uint, ctypes.c_size_t, ctypes.c_ssize_t
        )
        user.DefWindowProcW.argtypes = (handle, ctypes.c_uint, ctypes.c_size_t, ctypes.c_ssize_t)
        user.DefWindowProcW.restype = long_
        user.CreateWindowExW.restype = handle
        kernel.GetModuleHandleW.restype = handle

        def answer(window: int, message: int, what: int, more: int) -> int:
            event = event_of(message, what)
            if event is not None:
                self._on_event(event)
                return 1
            if message == WM_DESTROY:
                user.PostQuitMessage(0)
                return 0
            return int(user.DefWindowProcW(window, message, what, more))

        class WindowClass(ctypes.Structure):
            """WNDCLASSW."""

            _fields_ = (
                ("style", ctypes.c_uint), ("proc", prototype), ("class_extra", ctypes.c_int),
                ("window_extra", ctypes.c_int), ("instance", handle), ("icon", handle), ("cursor", handle),
                ("background", handle), ("menu", wintypes.LPCWSTR), ("name", wintypes.LPCWSTR),
            )  # fmt: skip

        procedure = prototype(answer)  # kept until the loop ends: the system calls it
        module = kernel.GetModuleHandleW(None)
        kind = WindowClass(proc=procedure, instance=module, name=_CLASS)
        if not user.RegisterClassW(ctypes.byref(kind)):
            raise OSError("no window class")
        window = user.CreateWindowExW(0, _CLASS, _CLASS, 0, 0, 0, 0, 0, None, None, handle(module), None)
        if not window:
            raise OSError("no window")
        if not sessions.WTSRegisterSessionNotification(handle(window), _THIS_SESSION):
            self._said = "WTSRegisterSessionNotification"
        self._runs(int(window))
        message = wintypes.MSG()
        while user.GetMessageW(ctypes.byref(message), None, 0, 0) > 0:
            user.TranslateMessage(ctypes.byref(message))
            user.DispatchMessageW(ctypes.byref(message))
        sessions.WTSUnRegisterSessionNotification(handle(window))

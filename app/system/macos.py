"""macOS: the lock of the screen by distributed notifications, sleep by IOKit.

Written from the system's documentation and not run there yet; what a message means is tested on every system.
Switching users locks the screen of the one who goes, so it comes as that.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

from app.system.events import Event, Source
from app.system.looped import Looped

SCREEN_LOCKED: Final = "com.apple.screenIsLocked"
SAVER_ON: Final = "com.apple.screensaver.didstart"
_NOTES: Final = {SCREEN_LOCKED: Event.SCREEN, SAVER_ON: Event.SCREEN}
CAN_SLEEP: Final = 0xE0000270  # kIOMessageCanSystemSleep: asks only
WILL_SLEEP: Final = 0xE0000280  # kIOMessageSystemWillSleep: waits for our word, up to 30 seconds
HAS_POWER: Final = 0xE0000300  # kIOMessageSystemHasPoweredOn
_POWER: Final = {WILL_SLEEP: Event.SLEEP, HAS_POWER: Event.WOKE}
_UTF8: Final = 0x08000100
_AT_ONCE: Final = 4  # CFNotificationSuspensionBehaviorDeliverImmediately


def event_of_note(name: str) -> Event | None:
    """What a distributed notification tells."""
    return _NOTES.get(name)


def event_of_power(message: int) -> Event | None:
    """What a message of IOKit tells."""
    return _POWER.get(message)


class MacListener(Looped):
    """Listens in a thread with a run loop of its own."""

    def __init__(self) -> None:
        super().__init__(Source.MACOS)

    def _stop(self, handle: int) -> None:
        _core().CFRunLoopStop(ctypes.c_void_p(handle))

    def _listen(self) -> None:
        core, power = _core(), _power()
        pointer = ctypes.c_void_p
        heard_note: Any = ctypes.CFUNCTYPE(None, pointer, pointer, pointer, pointer, pointer)
        heard_power: Any = ctypes.CFUNCTYPE(None, pointer, ctypes.c_uint32, ctypes.c_uint32, pointer)
        names = {name: pointer(core.CFStringCreateWithCString(None, name.encode(), _UTF8)) for name in _NOTES}
        port, notifier = pointer(), ctypes.c_uint32()

        def note(_center: object, _observer: object, name: int, _object: object, _info: object) -> None:
            text = ctypes.create_string_buffer(128)
            if core.CFStringGetCString(pointer(name), text, len(text), _UTF8):
                event = event_of_note(text.value.decode())
                if event is not None:
                    self._on_event(event)

        def sleep(_context: object, _service: int, message: int, argument: int) -> None:
            event = event_of_power(message)
            if event is not None:
                self._on_event(event)
            if message in (CAN_SLEEP, WILL_SLEEP):
                power.IOAllowPowerChange(root, ctypes.c_long(argument or 0))

        kept = (heard_note(note), heard_power(sleep))  # the system calls them until the loop ends
        root = power.IORegisterForSystemPower(None, ctypes.byref(port), kept[1], ctypes.byref(notifier))
        if not root:
            raise OSError("no power messages")
        loop = core.CFRunLoopGetCurrent()
        mode = pointer.in_dll(core, "kCFRunLoopDefaultMode")
        core.CFRunLoopAddSource(pointer(loop), pointer(power.IONotificationPortGetRunLoopSource(port)), mode)
        center = pointer(core.CFNotificationCenterGetDistributedCenter())
        for name in names.values():
            core.CFNotificationCenterAddObserver(center, None, kept[0], name, None, _AT_ONCE)
        self._runs(int(loop))
        core.CFRunLoopRun()


def _core() -> Any:
    core: Any = ctypes.CDLL("/System/Library/Frameworks/CoreFoundation.framework/CoreFoundation")
    for name in (
        "CFStringCreateWithCString",
        "CFRunLoopGetCurrent",
        "CFNotificationCenterGetDistributedCenter",
    ):
        getattr(core, name).restype = ctypes.c_void_p
    return core


def _power() -> Any:
    power: Any = ctypes.CDLL("/System/Library/Frameworks/IOKit.framework/IOKit")
    power.IONotificationPortGetRunLoopSource.restype = ctypes.c_void_p
    return power

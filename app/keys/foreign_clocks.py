"""Time since boot, sleep included, and the boot's name, on Windows and macOS.

Written from the systems' documentation and not run there yet. Where a call is missing the boot has no name, and
then the wall clock is all there is (trusted_time.py, rule 2): stricter, never looser.
"""

from __future__ import annotations

import ctypes
import importlib
import time
from typing import Any, Final

_PREFETCH: Final = r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters"
_UUID_MAX: Final = 64


def windows() -> tuple[int, str]:
    """Nanoseconds since boot by GetTickCount64, and the boot counter of the registry."""
    try:
        kernel: Any = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined] # on Windows alone
        kernel.GetTickCount64.restype = ctypes.c_uint64
        ticks_ms = int(kernel.GetTickCount64())
        registry: Any = importlib.import_module("winreg")
        with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, _PREFETCH) as key:
            boot, _type = registry.QueryValueEx(key, "BootId")
    except (AttributeError, ImportError, OSError):
        return time.monotonic_ns(), ""
    return ticks_ms * 1_000_000, f"windows-{int(boot)}"


def macos() -> tuple[int, str]:
    """Nanoseconds since boot by mach_continuous_time, and the boot session's UUID."""
    try:
        system: Any = ctypes.CDLL("/usr/lib/libSystem.dylib")
        base = (ctypes.c_uint32 * 2)()
        system.mach_timebase_info(ctypes.byref(base))
        system.mach_continuous_time.restype = ctypes.c_uint64
        ticks = int(system.mach_continuous_time())
        name = ctypes.create_string_buffer(_UUID_MAX)
        size = ctypes.c_size_t(_UUID_MAX)
        failed = system.sysctlbyname(b"kern.bootsessionuuid", name, ctypes.byref(size), None, 0)
    except (AttributeError, OSError):
        return time.monotonic_ns(), ""
    if failed or not base[1]:
        return time.monotonic_ns(), ""
    return ticks * base[0] // base[1], name.value.decode("ascii", "replace")

"""Real D-Bus daemons of a test's own, and services on them that answer to the names of logind and a screen saver.

What is staged is the service alone: the daemon is dbus-daemon, and the signals go the way that they go everywhere.
"""

from __future__ import annotations

import contextlib
import os
import queue
import select
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from jeepney import DBusAddress, HeaderFields, Message, MessageType, new_error, new_method_return, new_signal
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, Proxy, open_dbus_connection

from app.system.linux import LOGIND, MANAGER, OF_SESSION, PROPERTIES

OWN: Final = "/org/freedesktop/login1/session/_31"
OTHER: Final = "/org/freedesktop/login1/session/_32"
GNOME: Final = "org.gnome.ScreenSaver"
FREEDESKTOP: Final = "org.freedesktop.ScreenSaver"
_CONFIG: Final = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow own="*"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow user="*"/></policy></busconfig>
"""


class Daemon:
    """A bus; `stop` kills it, `start` brings another one up at the same place."""

    def __init__(self, folder: Path, name: str) -> None:
        self._config = folder / f"{name}.conf"
        self._socket = folder / f"{name}.sock"
        self._config.write_text(_CONFIG.format(path=self._socket), encoding="utf-8")
        self.address = f"unix:path={self._socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it is there when this comes back."""
        self._socket.unlink(missing_ok=True)
        reading, writing = os.pipe()
        command = ["dbus-daemon", f"--config-file={self._config}", "--nofork", f"--print-address={writing}"]
        self._process = subprocess.Popen(command, pass_fds=[writing])
        os.close(writing)
        with os.fdopen(reading, "rb") as told:
            ready, _, _ = select.select([told], [], [], 10)
            assert ready and told.readline(), "dbus-daemon did not start"

    def stop(self) -> None:
        """Kill it, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None


class Service:
    """Somebody on a bus who owns names, answers calls by `methods` (member -> signature and values), and emits."""

    def __init__(self, daemon: Daemon, *names: str) -> None:
        self.methods: dict[str, Callable[[Message], tuple[str, tuple[Any, ...]]]] = {}
        self.calls: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._line: DBusConnection = open_dbus_connection(daemon.address, enable_fds=True)
        for name in names:
            assert Proxy(message_bus, self._line).RequestName(name, 0) == (1,)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def serve(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def emit(self, path: str, interface: str, member: str, signature: str, *values: Any) -> None:
        """Emit a signal."""
        at = DBusAddress(path, interface=interface)
        self._line.send(new_signal(at, member, signature or None, values))

    def close(self) -> None:
        """Leave the bus."""
        with contextlib.suppress(OSError):
            self._line.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._line.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while True:
                call = self._line.receive()
                if call.header.message_type is MessageType.method_call:
                    self._answer(call)

    def _answer(self, call: Message) -> None:
        member = call.header.fields[HeaderFields.member]
        self.calls.put(member)
        method = self.methods.get(member)
        if method is None:
            self._line.send(new_error(call, "org.freedesktop.DBus.Error.UnknownMethod"))
            return
        signature, values = method(call)
        self._line.send(new_method_return(call, signature or None, values))


class LogindService(Service):
    """Answers as logind: one session of ours, and a delay inhibitor whose end in our hand tells when it is let go."""

    def __init__(self, daemon: Daemon) -> None:
        super().__init__(daemon, LOGIND)
        self.properties: dict[str, bool] = {"Active": True, "LockedHint": False}
        self.holds: queue.SimpleQueue[int] = (
            queue.SimpleQueue()
        )  # reading ends: closed at the other when let go
        self.methods.update(
            GetSession=lambda _call: ("o", (OWN,)),
            GetSessionByPID=lambda _call: ("o", (OWN,)),
            Inhibit=self._inhibit,
            Get=lambda call: ("v", (("b", self.properties[call.body[1]]),)),
        )

    def say_sleep(self, begins: bool) -> None:
        """Say that the machine is about to sleep, or woke."""
        self.emit("/org/freedesktop/login1", MANAGER, "PrepareForSleep", "b", begins)

    def lock(self, path: str = OWN) -> None:
        """Ask a session to lock."""
        self.emit(path, OF_SESSION, "Lock", "")

    def change(self, path: str = OWN, **changed: bool) -> None:
        """Say that properties of a session are others now."""
        values = {name: ("b", value) for name, value in changed.items()}
        self.emit(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", OF_SESSION, values, [])

    def _inhibit(self, call: Message) -> tuple[str, tuple[Any, ...]]:
        assert call.body[0] == "sleep" and call.body[3] == "delay"
        reading, writing = os.pipe()
        self.holds.put(reading)
        self._given = os.fdopen(writing, "wb")  # until it is sent
        return "h", (self._given,)

    def _answer(self, call: Message) -> None:
        super()._answer(call)
        given = self.__dict__.pop("_given", None)
        if given is not None:
            given.close()


class SaverService(Service):
    """Answers as a screen saver under one of its names."""

    def __init__(self, daemon: Daemon, name: str = GNOME) -> None:
        super().__init__(daemon, name)
        self.name = name
        self.active = False
        self.methods["GetActive"] = lambda _call: ("b", (self.active,))

    def turn(self, on: bool) -> None:
        """Come on, or go off."""
        self.active = on
        self.emit("/" + self.name.replace(".", "/"), self.name, "ActiveChanged", "b", on)


def let_go(hold: int, seconds: float) -> bool:
    """Whether nobody holds the other end of an inhibitor any more, by then."""
    ready, _, _ = select.select([hold], [], [], seconds)
    return bool(ready) and os.read(hold, 1) == b""


@contextlib.contextmanager
def two_buses(folder: Path) -> Iterator[tuple[Daemon, Daemon]]:
    """A system bus and a session bus."""
    system, session = Daemon(folder, "system"), Daemon(folder, "session")
    system.start()
    session.start()
    try:
        yield system, session
    finally:
        system.stop()
        session.stop()

"""One D-Bus line on which signals are heard, in a thread of its own, and taken up anew whenever it breaks.

Nothing here waits for an answer longer than two seconds, and whatever a bus or a service does wrong ends the line and
no more: a desktop works without either bus.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from jeepney import DBusAddress, MatchRule, Message, MessageType, new_method_call
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, Proxy, open_dbus_connection
from jeepney.wrappers import unwrap_msg

ANSWER_S: Final = 2.0
AGAIN_S: Final = 0.5  # after a break; doubled each time, up to
AGAIN_MOST_S: Final = 60.0
SYSTEM: Final = "SYSTEM"
SESSION: Final = "SESSION"
_NAMES: Final = {SYSTEM: "system", SESSION: "session"}

_log = logging.getLogger(__name__)


class Line:
    """Hears the signals of `rules` on a bus: `begun(line)` once for each time it is taken up, `heard(signal)` for
    each signal, `lost()` when it broke; all in its own thread."""

    def __init__(
        self,
        bus: str,
        rules: Sequence[MatchRule],
        begun: Callable[[Line], None],
        heard: Callable[[Message], None],
        lost: Callable[[], None],
    ) -> None:
        self.bus = bus
        self.problem = ""  # why there is no line; "" while there is one
        self._rules = rules
        self._begun = begun
        self._heard = heard
        self._lost = lost
        self._ended = threading.Event()
        self._settled = threading.Event()
        self._connection: DBusConnection | None = None
        self._turn = threading.Lock()
        self._thread = threading.Thread(target=self._loop, name=f"fieldkeep-{bus.lower()}-bus", daemon=True)

    def begin(self) -> None:
        """Listen from now on."""
        self._thread.start()

    def settled(self, seconds: float) -> bool:
        """Wait until there is a line, or it is known why not."""
        return self._settled.wait(seconds)

    def end(self) -> None:
        """Listen no more; waits for what is being done about a signal."""
        self._ended.set()
        with self._turn:
            if self._connection is not None:
                with contextlib.suppress(OSError):
                    self._connection.sock.shutdown(socket.SHUT_RDWR)  # whoever waits at it wakes up
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(2 * ANSWER_S)

    def ask(self, whom: DBusAddress, method: str, signature: str = "", body: tuple[Any, ...] = ()) -> Any:
        """Call a method; its answer, one value or several. Only in `begun` and `heard`. Raises whatever goes wrong."""
        connection = self._connection
        if connection is None:
            raise ConnectionError("there is no line")
        call = new_method_call(whom, method, signature or None, body)
        answer = unwrap_msg(connection.send_and_get_reply(call, timeout=ANSWER_S))
        return answer[0] if len(answer) == 1 else answer

    def owned(self, name: str) -> bool:
        """Whether somebody answers to a name; starts nobody."""
        connection = self._connection
        if connection is None:
            raise ConnectionError("there is no line")
        return bool(Proxy(message_bus, connection, timeout=ANSWER_S).NameHasOwner(name)[0])

    def _loop(self) -> None:
        pause = AGAIN_S
        while not self._ended.is_set():
            try:
                self._listen()
            except Exception as problem:  # noqa: BLE001 - whatever a bus does wrong, it is taken up anew
                said = type(problem).__name__
                if said != self.problem and not self._ended.is_set():
                    _log.info("the %s bus is not listened to: %s", _NAMES.get(self.bus, ""), type(problem))
                pause = AGAIN_S if not self.problem else min(2 * pause, AGAIN_MOST_S)
                self.problem = said
            finally:
                with self._turn:
                    self._connection = None
                if not self._ended.is_set():
                    self._lost()
                self._settled.set()
            self._ended.wait(pause)

    def _listen(self) -> None:
        with open_dbus_connection(self.bus, enable_fds=True) as connection:
            with self._turn:
                if self._ended.is_set():
                    return
                self._connection = connection
            signals: deque[Message] = deque()
            with connection.filter(MatchRule(type="signal"), queue=signals):
                calls = Proxy(message_bus, connection, timeout=ANSWER_S)
                for rule in self._rules:
                    calls.AddMatch(rule)
                self._begun(self)
                self.problem = ""
                self._settled.set()
                while not self._ended.is_set():
                    while signals:
                        self._heard(signals.popleft())
                    connection.recv_messages()


def is_signal(message: Message, interface: str, member: str) -> bool:
    """Whether a message is this signal."""
    from jeepney import HeaderFields

    fields = message.header.fields
    return (
        message.header.message_type is MessageType.signal
        and fields.get(HeaderFields.interface) == interface
        and fields.get(HeaderFields.member) == member
    )

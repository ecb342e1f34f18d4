"""The thread that listens, against real TLS servers on loopback that hold, hold back, fall silent and refuse."""

from __future__ import annotations

import queue
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sync.client import listener, pace, surroundings
from sync.client.cycle import NOTHING_HELD
from sync.client.https import Held, Said, own_trust
from sync.client.line import Line
from sync.client.listener import Listener
from sync.client.surroundings import Surroundings
from sync.protocol import codec, messages
from sync.protocol.errors import Problem
from sync.protocol.messages import BEAT, EVENTS_PATH, POKE, Trouble
from tests.client.memory import MemoryServer, line_to
from tests.client.servers import Authority, Behaviour, Server, Talk, answer, serving

OURS = Authority()
SOON = 20.0  # the longest a busy machine may take for what is due now
START = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
    b"Connection: close\r\n\r\n"
)
END = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """A piece of a body that is sent as it comes."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class Engine:
    """Notes what it is told; signs in anew where it exchanges."""

    def __init__(self, line: Line) -> None:
        self.told: queue.Queue[str] = queue.Queue()
        self.losses: queue.Queue[str] = queue.Queue()
        self._line = line

    def poked(self) -> None:
        self.told.put("poked")

    def reached(self) -> None:
        self._line.open(NOTHING_HELD, "active")
        self.told.put("reached")

    def lost(self) -> None:
        self.losses.put("lost")

    def returned(self) -> None:
        self.told.put("returned")

    def hears(self, count: int = 1) -> list[str]:
        """What it is told next."""
        return [self.told.get(timeout=SOON) for _each in range(count)]


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "BACKOFF_FIRST_S", 0.02)
    monkeypatch.setattr(pace, "BACKOFF_LAST_S", 0.2)


@contextmanager
def _listening(
    behaviour: Behaviour, folder: Path, *, signed_in: bool = True
) -> Iterator[tuple[Engine, Server, Listener]]:
    line = line_to(MemoryServer())
    if signed_in:
        line.open(NOTHING_HELD, "active")
    engine, trust = Engine(line), own_trust([OURS.pem])
    with serving(behaviour, OURS.context(folder)) as server:

        def hold(target: tuple[str, dict[str, str]], tell: Callable[[Held, Said], None]) -> Held:
            return Held(server.url, trust, target, tell, silent_s=listener.SILENT_S)

        listening = Listener(line, hold, engine)
        listening.start()
        try:
            yield engine, server, listening
        finally:
            listening.stop(SOON)
            assert not [each for each in threading.enumerate() if each.name == "fieldkeep-listener"]


def _hold(*said: bytes) -> Behaviour:
    """Hold a line and say this on it; then nothing more comes."""

    def behave(talk: Talk) -> None:
        talk.send(START + b"".join(chunk(each) for each in said))
        talk.over.wait()

    return behave


def _asked(server: Server, count: int, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Wait until a server was asked so often; `meanwhile` is done again and again, and never as a flood."""
    pause, ends = threading.Event(), time.monotonic() + SOON
    while len(server.asked) < count:
        assert time.monotonic() < ends, f"asked {len(server.asked)} times, not {count}"
        meanwhile()
        pause.wait(0.02)


def _refused(problem: Problem, status: str) -> bytes:
    body = codec.encode([(messages.TROUBLE, Trouble(problem=problem))])
    return answer(body, status=status, media=codec.MEDIA_TYPE)


def test_an_opening_and_each_poke_is_told(tmp_path: Path) -> None:
    with _listening(_hold(BEAT, POKE, BEAT, POKE), tmp_path) as (engine, server, _listener):
        assert engine.hears(3) == ["reached", "poked", "poked"]
        (asked,) = server.asked
        assert (asked.method, asked.target, asked.body) == ("GET", EVENTS_PATH, b"")
        assert len(server.connections) == 1


def test_the_request_is_signed_within_the_session(tmp_path: Path) -> None:
    with _listening(_hold(BEAT), tmp_path) as (engine, server, _listener):
        engine.hears()
        headers = server.asked[0].headers
        mac = messages.request_mac(
            bytes([1]) * 32, "GET", EVENTS_PATH, b"", int(headers[messages.COUNTER_HEADER.lower()])
        )
        assert headers[messages.MAC_HEADER.lower()] == mac


def test_nothing_is_asked_before_there_is_a_session(tmp_path: Path) -> None:
    with _listening(_hold(BEAT), tmp_path, signed_in=False) as (engine, server, listening):
        listening.look()
        with pytest.raises(queue.Empty):
            engine.told.get(timeout=0.1)
        assert server.asked == []
        engine._line.open(NOTHING_HELD, "active")
        listening.look()
        assert engine.hears() == ["reached"]


def test_a_line_that_falls_silent_is_given_up_and_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "SILENT_S", 0.1)
    with _listening(_hold(BEAT), tmp_path) as (engine, server, _listener):
        engine.hears(3)
        assert len(server.connections) >= 3


def test_a_line_that_was_open_and_is_lost_is_told_and_one_that_never_opened_is_not(tmp_path: Path) -> None:
    held = threading.Event()

    def behave(talk: Talk) -> None:
        talk.send(START + chunk(BEAT))
        held.wait(SOON)
        talk.send(END)

    with _listening(behave, tmp_path) as (engine, _server, _listener):
        assert engine.hears() == ["reached"]
        assert engine.losses.empty()
        held.set()
        assert engine.losses.get(timeout=SOON) == "lost"
    with _listening(lambda talk: talk.send(START + END), tmp_path) as (engine, server, _listener):
        _asked(server, 3)
        assert engine.losses.empty()


def test_bytes_that_are_no_heartbeat_keep_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A time-out between two bytes would never end this one."""
    monkeypatch.setattr(listener, "SILENT_S", 0.3)

    def dribble(talk: Talk) -> None:
        talk.send(START + chunk(BEAT))
        while not talk.over.wait(0.05):
            talk.send(chunk(b"x"))

    with _listening(dribble, tmp_path) as (engine, _server, _listener):
        assert engine.hears(2) == ["reached", "reached"]


def test_behind_a_proxy_that_holds_back_single_events_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "FIRST_S", 0.2)
    monkeypatch.setattr(listener, "QUICK_S", 0.0)
    news: queue.Queue[bytes] = queue.Queue()
    news.put(BEAT)
    news.put(POKE)

    def proxy(talk: Talk) -> None:
        if "wait=" not in talk.asked.target:
            talk.over.wait()
            return
        while not talk.over.is_set():
            try:
                talk.send(answer(news.get(timeout=0.05)))
                return
            except queue.Empty:
                continue

    with _listening(proxy, tmp_path) as (engine, server, _listener):
        assert engine.hears() == ["poked"]
        news.put(POKE)
        assert engine.hears() == ["poked"]
        targets = [each.target for each in server.asked]
        assert targets[0] == EVENTS_PATH
        assert set(targets[1:]) == {f"{EVENTS_PATH}?wait=25"}


def test_a_proxy_that_sends_the_head_and_holds_back_the_rest_is_one_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "FIRST_S", 0.2)

    def proxy(talk: Talk) -> None:
        if "wait=" in talk.asked.target:
            talk.send(answer(POKE))
            return
        talk.send(START)
        talk.over.wait()

    with _listening(proxy, tmp_path) as (engine, _server, _listener):
        assert engine.hears() == ["poked"]


def test_one_who_answers_at_once_again_and_again_is_asked_ever_more_slowly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "FIRST_S", 0.1)
    waits: list[int] = []

    def backoff(failures: int, luck: float, retry_after: float = 0.0) -> float:
        waits.append(failures)
        return 0.01

    monkeypatch.setattr(listener, "backoff", backoff)

    def cache(talk: Talk) -> None:
        if "wait=" not in talk.asked.target:
            talk.over.wait()
            return
        talk.send(answer(POKE))

    with _listening(cache, tmp_path) as (engine, _server, _listener):
        engine.hears(6)
    assert waits[:5] == sorted(set(waits[:5]))


@pytest.mark.parametrize("after", [END, b""], ids=["ended", "cut"])
def test_a_line_that_ends_is_made_anew(tmp_path: Path, after: bytes) -> None:
    def behave(talk: Talk) -> None:
        talk.send(START + chunk(BEAT) + after)
        raise OSError

    with _listening(behave, tmp_path) as (engine, server, _listener):
        assert engine.hears(3) == ["reached"] * 3
        assert len(server.connections) >= 3


def test_a_server_of_before_is_asked_once_in_a_session(tmp_path: Path) -> None:
    def behave(talk: Talk) -> None:
        talk.send(_refused(Problem.NOT_HERE, "404 Not Found"))

    with _listening(behave, tmp_path) as (engine, server, listening):
        _asked(server, 1, listening.look)
        for _each in range(5):
            listening.look()
        with pytest.raises(queue.Empty):
            engine.told.get(timeout=0.3)
        assert len(server.asked) == 1
        engine._line.forget()
        engine._line.open(NOTHING_HELD, "active")
        _asked(server, 2, listening.look)


def test_a_server_that_has_forgotten_the_session_makes_the_engine_exchange(tmp_path: Path) -> None:
    def behave(talk: Talk) -> None:
        if talk.asked.headers[messages.SESSION_HEADER.lower()] == (1).to_bytes(16, "big").hex():
            talk.send(_refused(Problem.UNSIGNED, "401 Unauthorized"))
            return
        talk.send(START + chunk(BEAT + POKE))
        talk.over.wait()

    with _listening(behave, tmp_path) as (engine, _server, _listener):
        assert engine.hears(3) == ["reached", "reached", "poked"]


def test_a_busy_server_is_left_alone_and_the_engine_is_not_called(tmp_path: Path) -> None:
    def behave(talk: Talk) -> None:
        talk.send(_refused(Problem.BUSY, "503 Service Unavailable"))

    with _listening(behave, tmp_path) as (engine, server, _listener):
        _asked(server, 3)
        assert engine.told.empty()


def test_after_an_outage_the_line_comes_back_with_the_first_exchange_that_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "BACKOFF_FIRST_S", 600.0)
    monkeypatch.setattr(pace, "BACKOFF_LAST_S", 600.0)
    monkeypatch.setattr(listener, "AGAIN_S", 0.0)
    away = threading.Event()
    away.set()

    def behave(talk: Talk) -> None:
        if away.is_set():
            raise OSError
        _hold(BEAT)(talk)

    with _listening(behave, tmp_path) as (engine, server, listening):
        _asked(server, 1)
        listening.look()  # an exchange that failed says nothing of the server
        with pytest.raises(queue.Empty):
            engine.told.get(timeout=0.3)
        away.clear()
        _asked(server, 2, lambda: listening.look(answered=True))
        assert engine.hears() == ["reached"]


def test_a_machine_that_has_slept_lets_go_and_exchanges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept = [0.0]
    monkeypatch.setattr(surroundings, "slept_s", lambda: slept[0])
    monkeypatch.setattr(listener, "LOOK_S", 0.02)
    with _listening(_hold(BEAT), tmp_path) as (engine, server, _listener):
        assert engine.hears() == ["reached"]
        slept[0] = 600.0
        assert engine.hears(2) == ["returned", "reached"]
        assert len(server.connections) == 2


def test_surroundings_tell_of_another_way_out_and_not_of_none(monkeypatch: pytest.MonkeyPatch) -> None:
    ways = iter(["192.0.2.7", "192.0.2.7", "", "192.0.2.7", "198.51.100.4", "198.51.100.4"])
    monkeypatch.setattr(surroundings, "way_out", lambda: next(ways))
    looked = Surroundings()
    assert [looked.changed() for _each in range(5)] == [False, False, False, True, False]


def test_a_late_look_counts_as_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "way_out", lambda: "192.0.2.7")
    looked = Surroundings()
    monkeypatch.setattr(surroundings, "LATE_S", -surroundings.LOOK_S)
    assert looked.changed()


def test_the_real_clocks_and_the_real_way_out_are_steady() -> None:
    looked = Surroundings()
    assert not any(looked.changed() for _each in range(3))


def test_stopping_lets_go_of_the_line_at_once(tmp_path: Path) -> None:
    gone = threading.Event()

    def behave(talk: Talk) -> None:
        talk.send(START + chunk(BEAT))
        try:
            while not talk.over.wait(0.02):
                talk.send(chunk(BEAT))
        except (OSError, ssl.SSLError):
            gone.set()
            raise

    with _listening(behave, tmp_path) as (engine, _server, listening):
        engine.hears()
        listening.stop(SOON)
        assert gone.wait(SOON)

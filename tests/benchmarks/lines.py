"""What a held line costs the server, and how soon a commit is told: `python -m tests.benchmarks.lines [LINES]`.

The twin is a bare echo of asyncio over the same TLS, which passes each byte of one line on to another. Both are
measured in one run, one after the other. No time is judged here.
"""

from __future__ import annotations

import asyncio
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psutil

from sync.protocol.messages import EVENTS_PATH
from tests.benchmarks.serve import say
from tests.server.driver import Device, Tls
from tests.server.running import Org

EDITS: Final = 100
POKE: Final = b"event: poke"


class Lines:
    """Lines that this process holds, on a loop in a thread of its own; when each was told is kept."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.told: list[list[float]] = []
        self._readers: list[asyncio.Task[None]] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self._context = context

    def open(self, port: int, first: bytes, mark: bytes) -> int:
        """A line on which `first` is sent; its number once something came. Then each `mark` that comes is timed."""
        number: int = self._run(self._open(port, first, mark))
        return number

    def close(self) -> None:
        """Let go of all."""
        self._run(self._stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def wait(self, held: Callable[[], bool], what: str) -> None:
        """Wait until it is so."""
        ends, never = time.monotonic() + 60, threading.Event()
        while not held():
            if time.monotonic() > ends:
                raise SystemExit(f"{what} did not come")
            never.wait(0.0005)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    async def _open(self, port: int, first: bytes, mark: bytes) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=self._context)
        writer.write(first)
        await reader.read(10_000)
        number = len(self.told)
        self.told.append([])
        self._readers.append(asyncio.create_task(self._read(reader, writer, self.told[number], mark)))
        return number

    async def _read(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, told: list[float], mark: bytes
    ) -> None:
        try:
            while data := await reader.read(10_000):
                told += [time.perf_counter()] * data.count(mark)
        finally:
            writer.transport.abort()

    async def _stop(self) -> None:
        for each in self._readers:
            each.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)


def echo(certificate: str, key: str) -> None:
    """The twin: whatever comes on one line goes out on the first that was opened."""
    import uvloop

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate, key)
    writers: list[asyncio.StreamWriter] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.write(await reader.read(100))
        while data := await reader.read(100):
            writers[0].write(data)

    async def serve() -> None:
        server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context, backlog=2048)
        sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()
        async with server:
            await server.serve_forever()

    uvloop.run(serve())


def _held(org: Org, url: str, count: int, lines: Lines, process: psutil.Process) -> float:
    """Hold so many lines; KiB of the server's memory for each."""
    root, devices = None, []
    for number in range(count):
        device = Device(Tls(url, None), f"idle-{number}")
        device.enrol(org.code("idle@example.com"))
        root = device.root or root
        device.sign_in()
        device.send.close()  # type: ignore[attr-defined]
        devices.append(device)
    before = process.memory_info().rss
    for device in devices:
        lines.open(urlsplit(url).port or 0, request(device), POKE)
    return (process.memory_info().rss - before) / 1024 / count


def request(device: Device) -> bytes:
    headers = device.headers(b"", EVENTS_PATH, "GET")
    said = "".join(f"{name}: {value}\r\n" for name, value in {"Host": "127.0.0.1", **headers}.items())
    return f"GET {EVENTS_PATH} HTTP/1.1\r\n{said}\r\n".encode()


def _edits(maker: Device, told: list[float], lines: Lines, every_s: float) -> list[float]:
    """Milliseconds from the edit's request to the poke, for each edit."""
    took = []
    for number in range(EDITS):
        maker.add("customer", name=f"Edit {number}")
        before, began = len(told), time.perf_counter()
        maker.exchange()
        lines.wait(lambda before=before: len(told) > before, "a poke")  # type: ignore[misc]
        took.append((told[-1] - began) * 1000)
        threading.Event().wait(every_s)
    return took


def _echoes(port: int, count: int, process: psutil.Process) -> tuple[float, list[float]]:
    lines = Lines()
    try:
        lines.open(port, b"a", b"x")
        before = process.memory_info().rss
        for _each in range(count):
            lines.open(port, b"a", b"x")
        size = (process.memory_info().rss - before) / 1024 / count
        maker = lines._context.wrap_socket(_connected(port))
        maker.sendall(b"a")
        maker.recv(10)
        took = []
        for _each in range(EDITS):
            known, began = len(lines.told[0]), time.perf_counter()
            maker.sendall(b"x")
            lines.wait(lambda known=known: len(lines.told[0]) > known, "an echo")  # type: ignore[misc]
            took.append((lines.told[0][-1] - began) * 1000)
        maker.close()
        return size, took
    finally:
        lines.close()


def _connected(port: int) -> Any:
    import socket

    return socket.create_connection(("127.0.0.1", port))


def _say(name: str, size: float, took: list[float]) -> None:
    ranks = statistics.quantiles(took, n=100, method="inclusive")
    say(f"{name:<24} {size:7.1f} KiB a line   p50 {ranks[49]:7.2f} ms   p99 {ranks[98]:7.2f} ms")


def main(words: list[str]) -> int:
    """Print the figures."""
    if words[:1] == ["--echo"]:
        echo(words[1], words[2])
        return 0
    count = int(words[0]) if words else 200
    with tempfile.TemporaryDirectory() as folder:
        org = Org(Path(folder), Path(sys.executable).parent)
        org.init()
        for email, team in (("ana", "Sales/East"), ("bo", "Sales/East"), ("idle", "Sales/West")):
            org.admin("person", "add", f"{email}@example.com", "--role", "rep", "--team", team)
        server = org.serve_command()
        certificate = [str(org.secrets / name) for name in ("tls.crt", "tls.key")]
        twin = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.lines", "--echo", *certificate], stdout=subprocess.PIPE
        )
        lines = Lines()
        try:
            assert twin.stdout is not None
            bare, echoed = _echoes(int(twin.stdout.readline()), count, psutil.Process(twin.pid))
            process = psutil.Process(server.process.pid)
            size = _held(org, server.url, count, lines, process)
            maker, other = (Device(Tls(server.url, None), name) for name in ("ana", "bo"))
            for device in (maker, other):
                device.enrol(org.code(f"{device.name}@example.com"))
                device.sync()
            heard = lines.told[lines.open(urlsplit(server.url).port or 0, request(other), POKE)]
            took = _edits(maker, heard, lines, 0.35)
            _say(f"ours, {count} lines held", size, took)
            _say("bare echo", bare, echoed)
            _everybody(maker, lines, count, process)
            for device in (maker, other):
                device.send.close()  # type: ignore[attr-defined]
        finally:
            lines.close()
            twin.kill()
            twin.wait()
            code = server.stop()
        return code


def _everybody(maker: Device, lines: Lines, count: int, process: psutil.Process) -> None:
    """A product concerns everybody: when the first and the last are told, and what that costs the server."""
    before = [len(each) for each in lines.told]
    spent = sum(process.cpu_times()[:2])
    maker.add("product", name="For all")
    began = time.perf_counter()
    maker.exchange()
    lines.wait(
        lambda: all(len(each) > known for each, known in zip(lines.told, before, strict=True)), "each poke"
    )
    at = sorted((each[-1] - began) * 1000 for each in lines.told)
    cost = (sum(process.cpu_times()[:2]) - spent) * 1000
    say(f"{count} told of one commit: the first after {at[0]:.1f} ms, the last after {at[-1]:.0f} ms; "
        f"{cost:.0f} ms of the server's processor")  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

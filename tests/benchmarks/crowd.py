"""A server on PostgreSQL with a crowd of devices: `python -m tests.benchmarks.crowd [DEVICES]`. It judges no time.

What a held line takes, what an exchange costs the server's processor and the database's while all lines are held, and
a thousand devices that come back at once.
"""

from __future__ import annotations

import contextlib
import http.client
import resource
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psutil

from sync.protocol.errors import Problem
from tests import cluster as clusters
from tests.benchmarks.lines import POKE, Lines, request
from tests.benchmarks.serve import Spent, say
from tests.server.driver import Device, Refusal, Tls
from tests.server.inside import Inside
from tests.server.running import Org

TEAM: Final = 25  # devices that see each other's edits
BUSY_ONES: Final = 64  # devices that exchange without a pause
TURNS: Final = 30  # exchanges of each
AT_ONCE: Final = 16
BACK: Final = 1_000


def main(words: list[str]) -> int:
    """Print the figures."""
    count = int(words[0]) if words else 5_000
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with contextlib.ExitStack() as held:
        made = held.enter_context(clusters.cluster())
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        devices = enrolled(folder, made.url(made.database()), count)
        org = Org(folder, Path(sys.executable).parent)
        server = org.serve_command()
        process = psutil.Process(server.process.pid)
        spent = Spent(process, psutil.Process(made.pid))
        lines = Lines()
        held.callback(lines.close)
        each(devices, lambda device: signed_in(device, server.url))
        say(f"{count} devices signed in: {spent.told()}")
        hold(lines, devices, urlsplit(server.url).port or 0, process)
        say(f"opening them: {spent.told()}")
        exchanges(devices[:BUSY_ONES], spent, changing=False)
        exchanges(devices[:BUSY_ONES], spent, changing=True)
        assert server.stop() == 0
        server = org.serve_command()
        back(devices[:BACK], server.url, Spent(psutil.Process(server.process.pid), psutil.Process(made.pid)))
        return server.stop()


def enrolled(folder: Path, url: str, count: int) -> list[Device]:
    """So many devices in teams, made by a server in this process."""
    inside = Inside(folder, url)
    devices: list[Device] = []
    for number in range(count):
        team, member = divmod(number, TEAM)
        email = f"p{team}@example.com"
        if not member:
            inside.person(email, team=f"Sales/{team}")
        devices.append(inside.device(email, f"{team}-{member}"))
    inside.store.close()
    return devices


def each(devices: Sequence[Device], work: Callable[[Device], None]) -> None:
    """Do this for all of them, some at a time."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(work, devices))


def signed_in(device: Device, url: str) -> None:
    """A session, and no connection kept."""
    device.send, device.session = Tls(url, None), None
    device.sign_in()
    device.send.close()


def hold(lines: Lines, devices: Sequence[Device], port: int, process: psutil.Process) -> None:
    """Hold a line for each of them."""
    done, before = 0, process.memory_info().rss
    for until in sorted({min(len(devices), some) for some in (100, 500, 1_000, 2_000, 5_000)}):
        for device in devices[done:until]:
            lines.open(port, request(device), POKE)
        now = process.memory_info().rss
        say(
            f"{until:6} lines held: {(now - before) / 1024 / (until - done):6.1f} KiB for each of the last "
            f"{until - done}; {now / 2**20:.0f} MiB in all"
        )
        done, before = until, now


def exchanges(devices: Sequence[Device], spent: Spent, *, changing: bool) -> None:
    """All of them exchange again and again; with `changing`, every fourth time something was edited."""
    took: list[float] = []

    def work(device: Device) -> None:
        for turn in range(TURNS):
            if changing and turn % 4 == 0:
                device.add("customer", name=f"Turn {turn}", industry="Trade")
            began = time.perf_counter()
            device.exchange()
            took.append((time.perf_counter() - began) * 1000)

    each(devices, Device.sync)  # the connection is made
    spent.told()
    began = time.perf_counter()
    each(devices, work)
    seconds, told = time.perf_counter() - began, spent.told()
    ranks = statistics.quantiles(took, n=100, method="inclusive")
    what = "every fourth with an edit" if changing else "without a change"
    say(
        f"{len(took)} exchanges {what}, {AT_ONCE} at a time: {len(took) / seconds:.0f} a second, "
        f"p50 {ranks[49]:.0f} ms, p99 {ranks[98]:.0f} ms; {told}"
    )


def back(devices: Sequence[Device], url: str, spent: Spent) -> None:
    """The server has just started, and all of them sign in and exchange at once, again where they are told to wait."""
    busy, broken, lock = 0, 0, threading.Lock()
    first = threading.Barrier(len(devices))

    def come(device: Device) -> None:
        nonlocal busy, broken
        first.wait()
        while True:
            device.send, device.session = Tls(url, None), None
            try:
                device.sync()
            except Refusal as refusal:
                assert refusal.trouble.problem is Problem.BUSY, refusal
                with lock:
                    busy += 1
                threading.Event().wait(refusal.trouble.retry_after * (0.5 + hash(device.name) % 100 / 100))
            except (OSError, http.client.HTTPException):  # it waited for longer than it may
                with lock:
                    broken += 1
            else:
                return
            finally:
                device.send.close()

    for device in devices:
        device.add("customer", name=f"Written meanwhile by {device.name}")
    threads = [threading.Thread(target=come, args=(device,)) for device in devices]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    assert not any(device.waiting for device in devices)
    say(
        f"{len(devices)} devices back at once, each with an edit: all through after {seconds:.1f} s, "
        f"told to wait {busy} times, {broken} requests broke; {spent.told()}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

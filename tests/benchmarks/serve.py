"""Figures of a real server over TLS on loopback: `python -m tests.benchmarks.serve [postgresql]`. It asserts no time.

Processor time is the server's own; with PostgreSQL that of its processes stands behind it.
"""

from __future__ import annotations

import contextlib
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil

from sync.protocol import codec, messages
from tests import cluster as clusters
from tests.server.driver import Device, Tls
from tests.server.running import Org

ROWS = 10_000
POLLS = 200


def filled(device: Device, number: int) -> None:
    """One customer with the fields that people fill in."""
    device.add(
        "customer",
        name=f"Customer {number} 有限公司",
        industry="Manufacturing",
        stage="prospect",
        owner="ana@example.com",
        phones=[{"label": "work", "value": f"+86 10 5550 {number:04}"}],
        emails=[{"label": "work", "value": f"office{number}@example.com"}],
        address={"street": f"{number} Harbour Road", "city": "上海", "country": "CN"},
        notes="Met at the fair; wants a quotation for the second half of the year.",
        tags=["fair", "2026"],
    )


def say(text: str) -> None:
    """One line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Spent:
    """Processor time of the server and of what serves it, since it was asked last."""

    def __init__(self, server: psutil.Process, database: psutil.Process | None) -> None:
        self._server, self._database = server, database
        self._last = self._now()

    def _now(self) -> tuple[float, float]:
        there = [*self._database.children(), self._database] if self._database else []
        return sum(self._server.cpu_times()[:2]), sum(sum(each.cpu_times()[:2]) for each in there)

    def told(self) -> str:
        """In words."""
        (server, database), last = self._now(), self._last
        self._last = server, database
        more = f" + {database - last[1]:.2f} s in the database" if self._database else ""
        return f"processor {server - last[0]:.2f} s{more}"


def main() -> int:
    """Print the figures."""
    with contextlib.ExitStack() as held:
        if sys.argv[1:] != ["postgresql"]:
            return figures("", None)
        made = held.enter_context(clusters.cluster())
        return figures(made.url(made.database()), psutil.Process(made.pid))


def figures(store: str, database: psutil.Process | None) -> int:
    """Of a server with this store."""
    with tempfile.TemporaryDirectory() as folder:
        org = Org(Path(folder), Path(sys.executable).parent)
        org.init(*(["--store", store] if store else []))
        org.admin("person", "add", "ana@example.com", "--role", "rep", "--team", "Sales")
        server = org.serve_command()
        process = psutil.Process(server.process.pid)
        spent = Spent(process, database)
        say(f"RSS at the start          {process.memory_info().rss / 2**20:8.1f} MiB")
        ana = Device(Tls(server.url, None), "ana")
        ana.enrol(org.code("ana@example.com"))
        ana.root, root = None, ana.root  # the sealed outbox is not what is measured here
        for number in range(ROWS):
            filled(ana, number)
        ana.root = root
        ana.exchange([])
        times = []
        spent.told()
        while ana.waiting:
            body = ana.body(ana.waiting[: messages.OPS_MAX])
            headers = ana.headers(body)
            began = time.perf_counter()
            _status, answer = ana.send("POST", messages.EXCHANGE_PATH, body, headers)
            times.append(time.perf_counter() - began)
            acked = codec.read(codec.decode(answer)[0][1], messages.ReplyHead).acked_n
            ana.waiting = [op for op in ana.waiting if op.n > acked]
        say(
            f"exchange of 1,000 ops     {statistics.median(times):8.3f} s  (median of {len(times)}; {spent.told()})"
        )
        bo = Device(Tls(server.url, None), "bo")
        bo.enrol(org.code("ana@example.com"))
        began = time.perf_counter()
        pages = 0
        while True:
            pages += 1
            if not bo.exchange().head.more:
                break
        took = time.perf_counter() - began
        say(
            f"pull of {len(bo.rows):,} rows       {took:8.3f} s  ({pages} pages, decoding included; {spent.told()})"
        )
        times = []
        for _each in range(POLLS):
            body = bo.body()
            headers = bo.headers(body)
            began = time.perf_counter()
            bo.send("POST", messages.EXCHANGE_PATH, body, headers)
            times.append(time.perf_counter() - began)
        say(
            f"exchange without a change {statistics.median(times) * 1000:8.2f} ms (median of {POLLS}; {spent.told()})"
        )
        say(f"RSS at the end            {process.memory_info().rss / 2**20:8.1f} MiB")
        size = sum(path.stat().st_size for path in org.data.iterdir())
        say(f"data folder               {size / 2**20:8.1f} MiB")
        for device in (ana, bo):
            device.send.close()  # type: ignore[attr-defined]
        return server.stop()


if __name__ == "__main__":
    sys.exit(main())

"""What a run came to, in figures."""

from __future__ import annotations

import statistics
from collections import Counter
from typing import Any

from tests.endurance.oracle import Verdict
from tests.network.proxy import Proxy, Way

Line = dict[str, Any]


def told(typed: list[Line], happened: Counter[str], proxies: list[Proxy], verdict: Verdict) -> list[str]:
    """Lines for a person to read."""
    deeds = Counter(line["deed"] for line in typed if line["what"] == "saved")
    problems = Counter(line["problem"].partition(":")[0] for line in typed if line["what"] == "problem")
    faults = Counter(each.name for proxy in proxies for each in proxy.came)
    stands = Counter(line["phase"] for line in typed if line["what"] == "stands")
    moved = sum(proxy.passed[way] for proxy in proxies for way in Way)
    ways = sorted(_ways(typed))
    found = [
        f"typed and saved: {_all(deeds)}",
        f"not done, and said so: {_all(problems) or 'nothing'}",
        f"happened: {_all(happened)}",
        f"connections: {_all(faults)}; {moved / 2**20:.1f} MiB",
        f"rounds: {stands['IDLE']} whole, {stands['OFFLINE']} failed, {stands['REFUSED']} refused",
        f"the longest time for which a badge said that it exchanges: {_longest(typed):.1f} s",
    ]
    if len(ways) > 1:
        ranks = statistics.quantiles(ways, n=100, method="inclusive")
        found.append(
            f"from an edit to the other laptop, {len(ways)} edits: p50 {ranks[49]:.2f} s, p99 {ranks[98]:.1f} s, "
            f"the longest {ways[-1]:.1f} s"
        )
    found.append(
        f"of {verdict.saved} values: {verdict.shown} shown, {verdict.in_conflict} in open conflicts, "
        f"{verdict.replaced} replaced or settled by who saw them, {verdict.refused} refused and kept"
    )
    for who, took in _rests(typed):
        found.append(f"{who}: at rest {took:.1f} s after the last edit, on a good network")
    return [*found, *(f"FAULT: {each}" for each in verdict.faults)]


def _rests(typed: list[Line]) -> list[tuple[str, float]]:
    ended = {line["who"]: line["t"] for line in typed if line["what"] == "enough"}
    return [(line["who"], line["t"] - ended[line["who"]]) for line in typed if line["what"] == "at rest"]


def _all(counted: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counted.most_common())


def _ways(typed: list[Line]) -> list[float]:
    """Seconds from each save to its first sight on the other laptop."""
    saved = {
        line["value"]: line for line in typed if line["what"] == "saved" and line["deed"] in ("edit", "add")
    }
    found: dict[str, float] = {}
    for line in typed:
        if line["what"] != "came":
            continue
        for value in _words(line["values"]):
            made = saved.get(value)
            if made is not None and made["who"] != line["who"] and value not in found:
                found[value] = max(0.0, line["at"] - made["t"])
    return list(found.values())


def _words(values: dict[str, Any]) -> list[str]:
    words: list[str] = []
    for value in values.values():
        if isinstance(value, str):
            words += value.split()
        elif isinstance(value, list):
            words += [each for each in value if isinstance(each, str)]
    return words


def _longest(typed: list[Line]) -> float:
    """Seconds of the longest time for which a badge said that it exchanges."""
    since: dict[str, float] = {}
    longest = 0.0
    for line in typed:
        if line["what"] == "started":
            since.pop(line["who"], None)
        elif line["what"] == "stands":
            began = since.pop(line["who"], None)
            if began is not None:
                longest = max(longest, line["t"] - began)
            if line["phase"] == "SENDING":
                since[line["who"]] = line["t"] if began is None else began
    return longest

"""Judges a run: everything that was typed is in its record, in a conflict, among the refused, or was replaced by
somebody who saw it; and nothing is there twice."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

GATHERED: Final = ("notes", "tags")


@dataclass
class Verdict:
    """What was found."""

    saved: int = 0
    shown: int = 0
    in_conflict: int = 0
    refused: int = 0
    replaced: int = 0
    faults: list[str] = field(default_factory=list)


Told = dict[str, Any]
Line = dict[str, Any]


def judge(typed: list[Line], everything: Told, laptops: dict[str, Told], refused: list[Any]) -> Verdict:
    """`everything` is what one who may see all of it holds, `laptops` what the others do, `refused` what IT sees."""
    verdict = Verdict()
    told = [everything, *laptops.values()]
    here = everything["records"]
    saw, settled = _seen(typed)
    met: dict[str, str] = defaultdict(str)
    for each in (conflict for one in told for conflict in one["conflicts"]):
        # of a tag it is the cell's name that says which
        met[each["record"]] += json.dumps([each["field"], each["values"]], ensure_ascii=False)
    turned_away = json.dumps([[one["refused"] for one in told], refused], ensure_ascii=False)
    for record, name, value in _edits(typed):
        verdict.saved += 1
        standing = here.get(record)
        shown = json.dumps(standing["values"].get(name), ensure_ascii=False) if standing else ""
        if value in shown:
            verdict.shown += 1
            if name == "notes" and shown.count(value) != 1:
                verdict.faults.append(f"{value} stands {shown.count(value)} times in the notes of {record}")
        elif value in met[record]:
            verdict.in_conflict += 1
        elif value in turned_away:
            verdict.refused += 1
        elif value in settled[record] or (name not in GATHERED and value in saw[record, name]):
            verdict.replaced += 1
        else:
            verdict.faults.append(f"{value}, typed into {name} of {record}, is nowhere")
    _names(typed, here, turned_away, verdict)
    for who, one in (("the one who sees all", everything), *laptops.items()):
        _agrees(who, one, here, verdict)
    return verdict


def _edits(typed: list[Line]) -> list[tuple[str, str, str]]:
    """Record, field and value of everything that was said to be saved."""
    found = []
    for line in typed:
        if line["what"] != "saved":
            continue
        if line["deed"] == "edit":
            found.append((line["record"], line["field"], line["value"]))
        elif line["deed"] == "act":
            found += [(record, line["field"], line["value"]) for record in line["saw"]]
    return found


def _seen(typed: list[Line]) -> tuple[dict[tuple[str, str], str], dict[str, str]]:
    """What whoever wrote into a field saw there, and what whoever settled something of a record saw of it."""
    saw: dict[tuple[str, str], str] = defaultdict(str)
    settled: dict[str, str] = defaultdict(str)
    for line in typed:
        if line["what"] not in ("begun", "saved"):
            continue
        if line["deed"] == "edit":
            saw[line["record"], line["field"]] += json.dumps(line["saw"], ensure_ascii=False)
        elif line["deed"] == "act":
            for record, value in line["saw"].items():
                saw[record, line["field"]] += json.dumps(value, ensure_ascii=False)
        elif line["deed"] == "delete":
            # Whoever brings it back with a value from a conflict puts that over what was deleted in full view.
            for name, value in line["saw"].items():
                saw[line["record"], name] += json.dumps(value, ensure_ascii=False)
        elif line["deed"] == "settle":
            settled[line["record"]] += json.dumps([line["field"], line["saw"]], ensure_ascii=False)
    return saw, settled


def _names(typed: list[Line], here: dict[str, Any], turned_away: str, verdict: Verdict) -> None:
    """Each customer that was added is there once."""
    count = Counter(each["values"].get("name") for each in here.values())
    for line in typed:
        if line["what"] != "saved":
            continue
        if line["deed"] == "add":
            verdict.saved += 1
            if count[line["value"]] == 1:
                verdict.shown += 1
            elif not count[line["value"]] and line["value"] in turned_away:
                verdict.refused += 1
            else:
                verdict.faults.append(f"{line['value']} was added, and is there {count[line['value']]} times")
        elif line["deed"] == "import":
            verdict.faults += [
                f"{name} was imported, and is not there" for name in line["names"] if not count[name]
            ]


def _agrees(who: str, one: Told, here: dict[str, Any], verdict: Verdict) -> None:
    if one["unsent"]:
        verdict.faults.append(f"{who}: {one['unsent']} changes are unsent")
    if one["differing"]:
        verdict.faults.append(f"{who}: {one['differing']} records differ from the server's")
    for record, held in one["records"].items():
        if record not in here:
            verdict.faults.append(f"{who}: {record} is nowhere else")
        elif held != here[record]:
            verdict.faults.append(f"{who}: {record} is not what the others hold")

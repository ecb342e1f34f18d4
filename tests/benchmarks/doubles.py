"""How well duplicates are told on sets in which somebody has said what is one: `python -m tests.benchmarks.doubles`.

Precision is the share of the pairs told that are right, recall the share of the right ones that is told. Of sets
without a twin in them, every pair told is wrong. `FIELDKEEP_REAL_DATA` names the folder of real files.
"""

from __future__ import annotations

import csv
import itertools
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from app.store import alike
from tests.benchmarks.measure import say
from tests.benchmarks.real import real_data

Values = dict[str, Any]
Pairs = set[tuple[int, int]]


@dataclass(frozen=True)
class Told:
    """What came of a set: records, right pairs, those told, the right ones of these, and why wrong ones were told."""

    name: str
    rows: int
    right: int
    told: int
    hits: int
    wrong: Counter[str]
    micros: float  # of processor for each record

    @property
    def precision(self) -> float:
        """Of what is told, how much is right."""
        return self.hits / self.told if self.told else 1.0

    @property
    def recall(self) -> float:
        """Of what is right, how much is told."""
        return self.hits / self.right if self.right else 1.0


def measure(name: str, rows: Sequence[Values], right: Pairs) -> Told:
    """Tell the pairs of a set as a device does: by keys, then by the rule."""
    began = time.process_time()
    said = [alike.said_of("customer", each) for each in rows]
    by_key: dict[int, list[int]] = defaultdict(list)
    for at, each in enumerate(said):
        for key in alike.keys("customer", each):
            by_key[key].append(at)
    met = {
        pair
        for some in by_key.values()
        if 1 < len(some) <= alike.CROWD
        for pair in itertools.combinations(some, 2)
    }
    why = {(one, other): alike.why(said[one], said[other]) for one, other in met}
    micros = (time.process_time() - began) / len(rows) * 1e6
    told = {pair for pair, reason in why.items() if reason}
    wrong = Counter(why[pair] for pair in told - right)
    return Told(name, len(rows), len(right), len(told), len(told & right), wrong, micros)


# --- the sets ----------------------------------------------------------------------------------------


def sets(folder: Path) -> dict[str, Callable[[], tuple[list[Values], Pairs]]]:
    """Every set by name; those whose records are no customers stand in for them by their titles alone."""
    return {
        "febrl 1, persons": lambda: _febrl(folder / "er_febrl/dataset1.csv", tax=True),
        "febrl 3, persons": lambda: _febrl(folder / "er_febrl/dataset3.csv", tax=True),
        "febrl 3, without their number": lambda: _febrl(folder / "er_febrl/dataset3.csv", tax=False),
        "dedupe, sites of a city": lambda: _sites(folder / "er_dedupe_examples/csv_example"),
        "splink, 1,000 persons": lambda: _splink(folder / "er_splink/fake_1000.csv", "cluster"),
        "splink, 20,000 persons": lambda: _splink(folder / "er_splink/fake_20000.csv", "group"),
        "S&P 500": lambda: _listed(folder / "companies_sp500/constituents.csv"),
        "Chinese companies": lambda: _han(folder / "companies_cn_short"),
        "ccer D2, products by title": lambda: _titles(folder, "D2", "abt", "buy", "|", "name"),
        "ccer D3, products by title": lambda: _titles(folder, "D3", "amazon", "gp", "#", "title"),
        "ccer D4, papers by title": lambda: _titles(folder, "D4", "dblp", "acm", "%", "title"),
        "cora, citations by title": lambda: _cora(folder / "er_der_cora"),
    }


def customer(kind: str, name: str, **said: str) -> Values:
    """Values of a customer, of what is said of it."""
    values: Values = {"name": name or "?", "type": kind}
    address = {
        part: said[part].strip() for part in ("street", "city", "postcode") if said.get(part, "").strip()
    }
    if address:
        values["address"] = address
    for field, word in (("emails", "email"), ("phones", "phone")):
        if said.get(word):
            values[field] = [{"id": "0" * 16, "label": "", "value": said[word]}]
    if said.get("tax_number"):
        values["tax_number"] = said["tax_number"]
    return values


def _febrl(file: Path, *, tax: bool) -> tuple[list[Values], Pairs]:
    rows = [{name.strip(): (text or "").strip() for name, text in row.items()} for row in _table(file)]
    persons = [
        customer(
            "person", f"{r['given_name']} {r['surname']}".strip(), street=f"{r['street_number']} {r['address_1']}",
            city=r["suburb"], postcode=r["postcode"], tax_number=r["soc_sec_id"] if tax else "",
        )
        for r in rows
    ]  # fmt: skip
    return persons, _together(row["rec_id"].split("-")[1] for row in rows)


def _sites(folder: Path) -> tuple[list[Values], Pairs]:
    rows = list(_table(folder / "csv_example_input_with_true_ids.csv"))
    sites = [
        customer(
            "company",
            r["Site name"],
            street=r["Address"],
            city="Chicago",
            postcode=r["Zip"],
            phone=r["Phone"],
        )
        for r in rows
    ]
    return sites, _together(row["True Id"] for row in rows)


def _splink(file: Path, group: str) -> tuple[list[Values], Pairs]:
    rows = list(_table(file))
    persons = [
        customer("person", f"{r['first_name']} {r['surname']}".strip(), city=r["city"], email=r["email"])
        for r in rows
    ]
    return persons, _together(row[group] for row in rows)


def _listed(file: Path) -> tuple[list[Values], Pairs]:
    return [customer("company", r["Security"], city=r["Headquarters Location"]) for r in _table(file)], set()


def _han(folder: Path) -> tuple[list[Values], Pairs]:
    (file,) = folder.glob("Company-Shorter-Form*.txt")
    names = file.read_text(encoding="utf-8-sig").split("\n")[3:]  # below the head of the file
    return [customer("company", each.strip()) for each in names if each.strip()], set()


def _titles(
    folder: Path, part: str, one: str, other: str, sign: str, field: str
) -> tuple[list[Values], Pairs]:
    here = folder / "er_ccer_pyjedai" / part
    first, second = (list(_table(here / f"{name}.csv", sign)) for name in (one, other))
    left = {row["id"]: at for at, row in enumerate(first)}
    right = {row["id"]: len(first) + at for at, row in enumerate(second)}
    said = list(csv.reader((here / "gt.csv").open(encoding="utf-8"), delimiter=sign))[1:]
    pairs = {(left[a], right[b]) for a, b in said if a in left and b in right}
    return [customer("company", row[field]) for row in (*first, *second)], pairs


def _cora(folder: Path) -> tuple[list[Values], Pairs]:
    said = csv.reader((folder / "cora_gt.csv").open(encoding="utf-8"), delimiter="|")
    pairs = {(min(pair), max(pair)) for pair in ((int(a), int(b)) for a, b in said)}
    rows = _table(folder / "cora.csv", "|")
    return [customer("company", row["title"], city=row["venue"]) for row in rows], pairs


def _table(file: Path, sign: str = ",") -> Iterator[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, delimiter=sign)


def _together(groups: Iterable[str]) -> Pairs:
    by: dict[str, list[int]] = defaultdict(list)
    for at, group in enumerate(groups):
        by[group].append(at)
    return {pair for some in by.values() for pair in itertools.combinations(some, 2)}


HEAD: Final = f"{'set':32} {'records':>8} {'right':>7} {'told':>7} {'precision':>9} {'recall':>7}  µs each"


def main() -> int:
    """Measure every set and print a table; 1 where there is no real data."""
    folder = real_data()
    if folder is None:
        say("No real data: set FIELDKEEP_REAL_DATA to its folder.")
        return 1
    say(HEAD)
    for name, read in sets(folder).items():
        told = measure(name, *read())
        figures = (
            f"{told.rows:>8,} {told.right:>7,} {told.told:>7,} {told.precision:>9.3f} {told.recall:>7.3f}"
        )
        say(f"{name:32} {figures}  {told.micros:>7.0f}  {dict(told.wrong) or ''}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

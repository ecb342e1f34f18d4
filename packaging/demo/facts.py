"""The figures of the demo's input, read by nothing but the csv module: what the product must agree with."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Facts:
    """What the files hold."""

    name: str
    files: list[Path]
    customers: int
    products: int
    deals: int
    won: int
    won_minor: int
    without_customer: int
    without_amount: int


def find() -> Facts:
    """The real set when it is here, else the sample in the source tree."""
    real = Path(os.environ.get("FIELDKEEP_REAL_DATA", TREE.parent / "shared" / "data")) / "crm_maven_sales"
    if real.is_dir():
        return _read(
            "crm_maven_sales",
            [real / "accounts.csv", real / "products.csv", real / "sales_pipeline.csv"],
            stage="deal_stage",
            value="close_value",
        )
    sample = TREE / "resources" / "sample"
    names = ("accounts.csv", "products.csv", "contacts.csv", "deals.csv")
    return _read(
        "the sample in resources/sample", [sample / name for name in names], stage="stage", value="amount"
    )


def _read(name: str, files: list[Path], *, stage: str, value: str) -> Facts:
    accounts, products, deals = rows(files[0]), rows(files[1]), rows(files[-1])
    lower = [
        {key.strip().casefold().replace(" ", "_"): text.strip() for key, text in row.items()} for row in deals
    ]
    won = [row for row in lower if row[stage].casefold() == "won"]
    return Facts(
        name=name,
        files=files,
        customers=len(accounts),
        products=len(products),
        deals=len(deals),
        won=len(won),
        won_minor=sum(_minor(row[value]) for row in won),
        without_customer=sum(1 for row in lower if not row["account"]),
        without_amount=sum(1 for row in lower if not row[value]),
    )


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _minor(text: str) -> int:
    number = "".join(c for c in text if c.isdigit() or c == ".")
    whole, _point, cents = number.partition(".")
    return int(whole or 0) * 100 + int((cents + "00")[:2])

"""The sample book: the same on every machine, small, and free of anything to complain about."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

from app import resources
from app.services.exchange.plan import prepare
from sync.protocol.kinds import KINDS
from tests.conftest import ROOT
from tests.services.exchange.conftest import TODAY, bring
from tests.services.exchange.twin import TwinBook

NAMES = ("accounts.csv", "contacts.csv", "products.csv", "deals.csv")


def _generator() -> Any:
    spec = importlib.util.spec_from_file_location("sample_script", ROOT / "packaging" / "sample.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shipped() -> dict[str, Path]:
    return {name: resources.path(f"sample/{name}") for name in NAMES}


def test_the_generator_makes_what_is_shipped() -> None:
    made = _generator().files()
    assert made == {name: path.read_bytes() for name, path in shipped().items()}
    assert sum(len(data) for data in made.values()) < 700_000


def test_it_comes_in_without_a_word_of_complaint() -> None:
    book = TwinBook()
    report = bring(book, *shipped().values())
    assert not report.problems
    counts = {kind.name: len(book.of(kind)) for kind in KINDS.values() if book.of(kind)}
    assert counts == {"customer": 2000, "contact": 3000, "product": 12, "deal": 4000}
    assert report.total("added") == 9012
    assert not prepare(list(shipped().values()), book, today=TODAY).steps


def test_it_speaks_both_languages_and_reaches_nobody() -> None:
    book = TwinBook()
    bring(book, *shipped().values())
    customers = book.of(KINDS["customer"])
    chinese = sum(bool(re.search(r"[\u4e00-\u9fff]", customer["name"])) for customer in customers)
    assert 600 < chinese < 1000
    mails = {
        mail["value"].rpartition("@")[2] for person in book.of(KINDS["contact"]) for mail in person["emails"]
    }
    assert mails == {"example.com", "example.net"}
    phones = [phone["value"] for customer in customers for phone in customer.get("phones", ())]
    assert phones
    assert all(re.fullmatch(r"\+1 \d{3} 555 01\d\d|\+86 \d{2,3} 5550 \d{4}", phone) for phone in phones)

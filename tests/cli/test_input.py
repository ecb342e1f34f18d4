"""What people and scripts put in: every script of the world, text that is none, and what must never be shown."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from tests.road import ANNA, BEN, Laptop, Town


@pytest.fixture(scope="module")
def laptop(town: Town) -> Laptop:
    """One laptop."""
    return town.laptop(ANNA)


SCRIPTS = (
    "王芳", "Ünal Straße ﬁ", "Ἀθηνᾶ", "Владимир Ёлкин", "שלום עולם", "مُحَمَّد", "เชียงใหม่", "हिन्दी", "日本語テスト",
    "한국어", "👩🏽‍🚀 Rocket", "ⅣⅤ", "a\u0301b", "𝔘𝔫𝔦", "ｆｕｌｌ", "Çığ", "Nguyễn Thị Minh",
)  # fmt: skip


def test_names_of_every_script_come_back_as_they_were(laptop: Laptop) -> None:
    made = laptop.json("add", "customer", "-", stdin=[{"name": name} for name in SCRIPTS])
    for name, record in zip(SCRIPTS, made, strict=True):
        assert unicodedata.normalize("NFC", record["name"]) == unicodedata.normalize("NFC", name)
        assert laptop.show(record["id"])["name"] == record["name"]
        found = [each["id"] for each in laptop.json("search", "-", stdin=record["name"])]
        assert record["id"] in found, name
    by_word = laptop.json("add", "customer", "name=Ὀδυσσεύς 奥德赛")
    assert by_word["name"] == "Ὀδυσσεύς 奥德赛"


@pytest.mark.slow
def test_naughty_strings_do_no_harm(laptop: Laptop, real_data: Path) -> None:
    """Each is kept (without what no line of text holds) or refused with a word; none is run, lost or doubled."""
    strings = [text for text in json.loads((real_data / "strings_blns" / "blns.json").read_text()) if text]
    kept = _keep_each(laptop, strings)
    assert len(kept) > 0.9 * len(strings)
    held = laptop.holds()
    for record, (text, made) in kept.items():
        assert held[record]["name"] == made["name"]
        wanted = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
        bare = re.sub(r"\s+", "", unicodedata.normalize("NFKC", made["name"]))
        assert [c for c in wanted if c.isalnum()] == [c for c in bare if c.isalnum()], ascii(text)
    laptop.sync()
    assert laptop.holds() == held
    assert laptop.json("doctor")["ok"] is True


def _keep_each(laptop: Laptop, strings: list[str]) -> dict[str, tuple[str, Any]]:
    """Add customers of these names; what was kept, by id. A list is added whole or not at all, so it is halved."""
    asked = json.dumps([{"name": text} for text in strings])
    done = laptop.ask("add", "customer", "-", "--json", stdin=asked)
    if done.code == 0:
        return {made["id"]: (text, made) for text, made in zip(strings, done.json, strict=True)}
    assert done.code == 1
    assert done.err.strip()
    if len(strings) == 1:
        return {}
    half = len(strings) // 2
    return _keep_each(laptop, strings[:half]) | _keep_each(laptop, strings[half:])


NO_RECORDS = (
    "",
    "{",
    "not json",
    "[1, 2]",
    '"name"',
    "3",
    "null",
    '{"name": NaN}',
    '{"name": 1}',
    '{"name": {"a": 1}}',
    '{"name": ["x"]}',
    '{"name": "X", "employees": 1e400}',
    '{"name": "X", "employees": 10000000000000000000000}',
    '{"name": "X", "phones": [{"number": "1"}]}',
    '{"name": "X", "tags": [[1]]}',
    '{"name": "X", "parent": 5}',
    '{"name": "X", "revenue": {"minor": 1.5, "currency": "EUR"}}',
    '{"name": "X", "": "Y"}',
    '{"name": "\\u0000"}',
    '{"name": "   "}',
    '{"name": null}',
    "[" * 100_000,
    '{"a":' * 5_000,
)


def test_what_is_no_record_is_refused(laptop: Laptop) -> None:
    before = laptop.holds()
    for text in NO_RECORDS:
        done = laptop.ask("add", "customer", "-", stdin=text)
        assert done.code in (1, 2), text[:40]
        assert (done.out, done.err.strip() != "") == ("", True), text[:40]
    assert laptop.holds() == before


def test_text_that_is_no_utf8_is_refused_and_not_mended(laptop: Laptop) -> None:
    before = len(laptop.json("list", "customer"))
    for words in (("add", "customer", "-"), ("search", "-"), ("edit", laptop.add("task", subject="x"), "-")):
        done = laptop.ask(*words, stdin=b'{"name": "M\xfcller"}')
        assert (done.code, done.err) == (1, "Standard input is not UTF-8 text.\nNothing was changed.\n")
    assert len(laptop.json("list", "customer")) == before


def test_half_a_character_is_no_text(laptop: Laptop) -> None:
    """Lone surrogates can be written in JSON and in no database."""
    done = laptop.ask("add", "customer", "-", "--json", stdin='{"name": "half \\ud83d rocket"}')
    assert done.code in (0, 1)
    if done.code == 0:
        assert "\ud83d" not in done.json["name"]
        assert laptop.show(done.json["id"])["name"] == done.json["name"]
    else:
        assert done.err.strip()


def test_too_much_is_refused_before_it_is_read_whole(laptop: Laptop) -> None:
    done = laptop.ask("add", "customer", "-", stdin='{"name": "' + "x" * (17 * 2**20) + '"}')
    assert (done.code, done.err.splitlines()[0]) == (1, "Too much on standard input.")


def test_nothing_personal_stands_in_what_goes_wrong(town: Town, laptop: Laptop) -> None:
    """Messages, the log and the process list name no customer, no number and no code."""
    secret = "Quillfeather"
    record = laptop.add(
        "customer", name=f"{secret} Ltd", phones=[{"label": "work", "value": "+49 30 5550177"}]
    )
    said = [
        laptop.ask("add", "customer", "-", stdin=json.dumps({"name": secret * 200})).err,
        laptop.ask("add", "customer", "-", stdin=json.dumps({"name": "x", "stage": secret})).err,
        laptop.ask("add", "customer", "-", stdin=json.dumps({"name": "x", "employees": secret})).err,
        laptop.ask("add", "deal", "-", stdin=json.dumps({"name": "x", "customer": secret})).err,
        laptop.ask("add", "customer", "-", stdin=secret).err,
        laptop.ask("list", "deal", "--where", f"customer={secret}").err,
    ]
    laptop.edit(record, name=f"{secret} & Sons")
    laptop.sync()
    log = (laptop.profile.log / "fieldkeep.log").read_text()
    server = town.log.read_text()
    for text in (*said, log, server):
        for word in (secret, "5550177", ANNA, BEN, laptop.code, laptop.code.replace("-", "")):
            assert word not in text
    assert sum(bool(text.strip()) for text in said) >= 5


def test_the_code_is_in_no_process_list(town: Town) -> None:
    """While a device enrols, its code stands in no argument and no environment."""
    code, made = town.code(BEN), town.laptop()
    running = made.start("enrol", "--name", made.name, stdin=code)
    seen = [(Path("/proc") / str(running.pid) / name).read_bytes() for name in ("cmdline",)]
    assert running.wait().code == 0
    assert not any(code.encode() in text for text in seen)
    assert code.encode() not in b"".join(
        path.read_bytes() for path in made.folder.rglob("*") if path.is_file()
    )


def test_what_is_printed_moves_no_cursor_and_shows_no_name_as_another(laptop: Laptop, tmp_path: Path) -> None:
    """A name may come from another program's file; the terminal obeys nothing of it, and JSON keeps it whole."""
    name = "Zebra\u202egpj.exe\u200b\u2066"
    made = laptop.json("add", "customer", "-", stdin={"name": name, "industry": "one\u2069two"})
    assert made["name"] == name
    file = tmp_path / "bad\u202e.csv"
    file.write_text(f'Name,Employees,\u202eOther\n"Okapi",many\u202e\n"{name} 2","a\nb"\n', encoding="utf-8")
    shown = [
        laptop.ask("show", made["id"]).out,
        laptop.ask("list", "customer").out,
        laptop.ask("search", "Zebra").out,
        laptop.ask("import", str(file), "--kind", "customer", "--dry-run").out,
    ]
    for out in shown[:3]:
        assert "Zebragpj.exe" in out
    assert "bad.csv" in shown[3]
    for out in (*shown, laptop.ask("show", made["id"], "--json").out):
        assert all(c in "\n\t\u200d" or unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp") for c in out)
    assert laptop.show(made["id"])["industry"] == "one\u2069two"

"""Search finds what the written rule says, all of it and nothing else, in every script we sell in."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlcipher3 import dbapi2

from app.errors import AppError, Stopped
from app.keys.secret import SecretBytes
from app.store import pieces, records, search, words
from app.store.asking import Asking
from app.store.reader import Reader
from app.store.store import Store
from sync.protocol.fields import Find
from sync.protocol.kinds import KINDS
from tests.store.device import CONTACT, CUSTOMER, DEAL, Device
from tests.store.scanned import scan

NAMES = [
    "王芳", "李伟", "欧阳修", "芳", "王芳芳", "北京王芳贸易有限公司", "上海华泰科技股份公司", "張偉",
    "中芯国际 SMIC 研发部", "東京電力ホールディングス", "ソニー株式会社", "さくらインターネット",
    "ﾄﾖﾀ自動車", "が行", "か行", "한국전력공사", "삼성전자", "김철수", "บริษัท ปูนซิเมนต์ไทย",
    "Müller & Söhne GmbH", "Mueller AG", "Łódź Fabryka", "Ångström", "Angstrom Labs",
    "O'Neill-Brown Ltd.", "GTXPro 3000", "A", "Straße 7", "STRASSE 8", "ＦＵＬＬ　ＷＩＤＴＨ",
    "Ёлкин и сын", "Елкина", "Παπαδόπουλος", "Москва-Сити Щукин", "ЩЕДРИНЪ и Александр", "Юлия Хрящёва",
    "Мюллер7 BMW", "Goethe", "Göthe", "Mühlhäuser", "Muehlhaeuser",
    "A\u030angelholm", "Århus", "Bär", "Baer", "Michael",
    "İstanbul Tekstil", "istanbul metal", "Æther ApS",
    "iPhone15手机", "e\u0301toile", "étoile du nord", "राम कुमार", "C++ & C#", "100%", "_under_score_",
    "𠮷野家", "𠮷田", "😀 Emoji Co", "ß", "Ⅻ Legion", "half\u00adsoft",
]  # fmt: skip
NOTES = [
    "wants a 折扣 in spring",
    "Besprechung über Preise",
    "价格太高，下周再谈",
    "call 0800 before noon",
    None,
]
PHONES = [
    "8 (495) 123-45-67",
    "+7 495 123 45 67",
    "+86 138 0013 8000",
    "(030) 901820",
    "021-6888 1234",
    "٠١٢٣٤٥٦",
    "12",
    "+1 415.555.2671",
]
MAILS = ["zhang.wei@example.com", "info@müller.example", "a_b+c@sub.example.org"]
OTHERWISE = (
    "moskva|moskwa siti|shchukin|schukin|sukin|aleksandr|alexandr|yul|jul|iul|yulia|iuliia khriashcheva|hrasceva|elkin"
    "|yolkin|jolkin|elk|el|papado|papadhopoulos|papadopulos|myul|myuller|miuller bmw|muller7|goethe|göthe|gothe|goeth"
    "|muehlh|muhlha|mühlhä|muehlhäuser|mühlhaeuser|soehn|soehne|soeh|aarhus|aenge|aangel|angel|bär|bar|baer|strasse"
    "|mueller söhne|müller soehne|michal|8 495|+7 495|+7495|8(495)|8 (495) 123|84951234567|+7 495 123-45-67|8 49"
    "|495 123|007 495"
)
TOWNS = ["上海市浦东新区", "Köln", "São Paulo", "서울특별시"]


@pytest.fixture
def book(store: Store) -> list[records.Record]:
    """Records of three kinds, of all those scripts."""
    draw, made = random.Random(11), []
    with records.batch(store) as batch:
        for at, name in enumerate(NAMES * 2):
            kind = (CUSTOMER, CONTACT, DEAL)[at % 3]
            values: dict[str, Any] = {"name": name if at < len(NAMES) else f"{name} {draw.choice(NAMES)}"}
            values["notes"] = draw.choice(NOTES)
            if kind is not DEAL:
                values |= {"phones": draw.sample(PHONES, 2), "emails": [draw.choice(MAILS)]}
            if kind is CUSTOMER:
                values["address"] = {"city": draw.choice(TOWNS)}
            made.append(batch.add(kind, values))
    return made


def _asked() -> list[str]:
    """Every beginning, pair, single character and inner piece of what is there, and some that is not."""
    asked = {"", " ", "%", "*", '"', "' OR 1=1 --", "NEAR(a b)", "a AND", "zzz", "王 芳", "0", "12", "138", "0013 8000",
             "+86 (138) 0013-8000", "415 555", "王芳 折扣", "muller koln", "1380 王", "preise müll",
             "wangfang", "wang fang", "wf", "wfw", "shanghai", "shang hai", "shht", "huat 股份", "zhongx smic",
             "ouyangx", "xing", "heng", "xiujia", "jia", "fangg", "koln wang", "dongdian",
             "zz", "fangwangf", "yez", *OTHERWISE.split("|")}  # fmt: skip
    for text in (*NAMES, *PHONES, *MAILS, *TOWNS, *(note for note in NOTES if note)):
        asked |= {
            text,
            text.upper(),
            text[:1],
            text[:2],
            text[:3],
            text[-1:],
            text[-2:],
            text[1:4],
            text[2:5],
        }
    return sorted(asked)


def test_it_finds_everything_the_rule_says_and_nothing_else(store: Store, book: list[records.Record]) -> None:
    hits = 0
    for asked in _asked():
        wanted = {record.id for record in book if scan(record.kind, record.values, asked)}
        found = search.find(store, asked, limit=10_000)
        assert {hit.record.id for hit in found} == wanted, asked
        assert len(found) == len(wanted)
        hits += len(found)
    assert hits > 2_000


@pytest.fixture
def crowd(store: Store) -> list[records.Record]:
    """So many words that begin alike that the index cannot be asked for each; terms apart in names and notes."""
    draw, made = random.Random(5), []
    heads = [
        "anna",
        "annabel",
        "annex",
        "berlin",
        "berg",
        "smith",
        "smit",
        "мюллер",
        "мюл",
        "张伟",
        "伟张",
        "上海海",
    ]
    with records.batch(store) as batch:
        for at in range(300):
            own = [
                f"{draw.choice(heads)}{draw.choice(['', '', str(at), chr(97 + at % 26)])}" for _n in range(3)
            ]
            said = [
                f"{draw.choice(heads)}{draw.choice(['', str(at % 90), chr(97 + at % 7)])}" for _n in range(3)
            ]
            values: dict[str, Any] = {"name": " ".join(own[:2]), "notes": " ".join(said) if at % 3 else None}
            if at % 5 == 0:
                values |= {"phones": [f"+49 30 {at:04d} {draw.randrange(100):02d}"], "industry": own[2]}
            made.append(batch.add(CUSTOMER, values))
    return made


def test_words_that_begin_alike_and_stand_apart_are_all_found(
    store: Store, crowd: list[records.Record]
) -> None:
    beginnings = [
        "a", "an", "ann", "anna", "annab", "anna1", "annabel", "ber", "berg", "berl", "berlin5", "sm", "smith",
        "smitha", "мюл", "мюлл", "张", "张伟", "伟张", "海海", "上海海", "30", "300", "0120", "+49 30", "q", "qqqq",
    ]  # fmt: skip
    draw = random.Random(7)
    asked = [*beginnings, *(" ".join(draw.sample(beginnings, 2 + at % 2)) for at in range(150))]
    place = {record.id: at for at, record in enumerate(crowd)}
    hits = 0
    for text in asked:
        wanted = {record.id for record in crowd if scan(record.kind, record.values, text)}
        found = [hit.record.id for hit in search.find(store, text, limit=10_000)]
        assert set(found) == wanted, text
        assert len(found) == len(wanted), text
        begin = words.fold_key(text)
        named = [id_ for id_ in found if words.fold_key(crowd[place[id_]].title).startswith(begin)]
        assert found[: len(named)] == named, text  # names that begin so, before all others
        short = [hit.record.id for hit in search.find(store, text, limit=7)]
        assert short == found[:7], text
        glanced = [hit.record.id for hit in search.find(store, text, limit=7, glance=True)]
        assert glanced == short[: len(glanced)], text
        assert bool(glanced) is bool(short), text
        hits += len(found)
    assert hits > 2_000


def test_what_is_in_no_name_and_no_notes_is_newest_first(store: Store, crowd: list[records.Record]) -> None:
    place = {record.id: at for at, record in enumerate(crowd)}
    for text in ("smith annabel", "berg 张伟", "мюл anna"):
        found = [place[hit.record.id] for hit in search.find(store, text, limit=10_000)]
        # Each of the three parts of the answer goes down; so there are two steps up at most.
        ups = sum(1 for one, other in pairwise(found) if other > one)
        assert len(found) > 10
        assert ups <= 2 + sum(crowd[at].title.startswith(text) for at in found)


def test_a_reader_finds_the_same_and_writes_nothing(
    device: Device, store: Store, crowd: list[records.Record]
) -> None:
    reader = Reader.open_beside(device.profile, SecretBytes(device.key))
    try:
        for text in ("annab", "smith мюл", "+49 30", "上海海"):
            with reader.snapshot():
                there = [hit.record.id for hit in search.find(reader, text)]
            assert there == [hit.record.id for hit in search.find(store, text)]
            assert there
        with pytest.raises(AppError):
            reader.db.execute("DELETE FROM record_customer")
        with pytest.raises(AppError):
            reader.db.execute("CREATE TABLE temp.copied (one)")
        with pytest.raises(AppError):
            reader.db.execute(
                "CREATE VIRTUAL TABLE temp.copied USING fts5vocab(main, 'words_customer', instance)"
            )
    finally:
        reader.close()
    assert [row for row in store.db.all("SELECT name FROM sqlite_master") if "tokens" in row[0]] == []


def test_a_question_that_is_taken_back_ends_and_the_next_is_answered(
    store: Store, crowd: list[records.Record]
) -> None:
    asking = Asking()
    given = 0
    with pytest.raises(Stopped), asking.under_way(store.db):
        for _rows in store.db.pieces("SELECT a._rowid FROM record_customer a, record_customer b", size=100):
            given += 1
            if given == 3:
                asking.take_back()
    assert given == 3
    with pytest.raises(Stopped), asking.under_way(store.db):
        raise AssertionError("answered though it was taken back")
    with Asking().under_way(store.db):
        assert search.find(store, "anna")
    asking.take_back()  # too late to harm who is asked now
    assert search.find(store, "anna")


def test_a_question_broken_off_before_its_rows_are_fetched_holds_up_no_other(store: Store) -> None:
    for name in ("Alder", "Birch"):
        records.add(store, CUSTOMER, {"name": name})
    db = store.db

    def rows() -> Callable[[], object]:
        found: Callable[[], object] = db._asked(db._conn.execute, "SELECT _id FROM record_customer").fetchall
        db.break_off()  # another letter was typed
        return found

    with pytest.raises(Stopped) as held:
        db._asked(rows())
    db.go_on()
    assert db.one("SELECT count(*) FROM record_customer") == (2,)  # while somebody still holds the error
    assert isinstance(held.value, Stopped)


def test_broken_off_within_the_making_of_a_table_it_is_no_fault_of_the_store(store: Store) -> None:
    db = store.db

    def making() -> None:
        db.break_off()
        raise dbapi2.OperationalError("vtable constructor failed: tokens_words_customer")

    with pytest.raises(Stopped):
        db._asked(making)
    db.go_on()
    assert search.find(store, "nothing") == []


def test_two_character_chinese_names_as_a_plain_scan_finds_them(
    store: Store, book: list[records.Record]
) -> None:
    every = "|".join(NAMES)
    pairs = {every[at : at + 2] for at in range(len(every) - 1)}
    pairs = {pair for pair in pairs if re.fullmatch(r"[\u4e00-\u9fff]{2}", pair)}
    assert "王芳" in pairs
    for pair in pairs:
        wanted = {record.id for record in book if pair in str(record.values)}
        assert {hit.record.id for hit in search.find(store, pair, limit=10_000)} == wanted, pair


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=12), asked=st.text(max_size=4))
def test_what_passes_the_rule_is_always_asked_of_the_index(text: str, asked: str) -> None:
    question = words.query(asked)
    values = {"name": text}
    if not words.matched_fields(CUSTOMER, values, question):
        return
    tokens = words.text_of(words.searched(CUSTOMER), values).split(" ")
    for term in question.terms:
        letters, tail = pieces.parted(term)
        if words.paired(term):
            assert all(term[at : at + 2] in tokens for at in range(max(1, len(term) - 1)))
            continue
        assert not letters or any(token == letters if tail else token.startswith(letters) for token in tokens)
        for piece in pieces.pieces(letters, tail):
            assert any(token.startswith(piece) for token in tokens)


def test_no_token_falls_apart_in_the_index(store: Store) -> None:
    """FTS5's own tokenizer must cut at our spaces and nowhere else, whatever stands in a name."""
    odd = "".join(chr(c) for c in range(0x20, 0x3000)) + "".join(NAMES)
    records.add(store, CUSTOMER, {"name": odd[:400]})
    for at in range(0, len(odd), 400):
        records.add(store, CUSTOMER, {"name": f"x{odd[at : at + 400]}"})
    for at in range(0, len(odd), 400):
        for term in words.terms(words.fold(f"x{odd[at : at + 400]}"))[:60]:
            assert search.find(store, term, limit=1), term


def test_names_that_begin_so_come_first(store: Store) -> None:
    with records.batch(store) as batch:
        batch.add(CUSTOMER, {"name": "Zebra", "industry": "Annealing"})
        batch.add(CUSTOMER, {"name": "Big Anna"})
        batch.add(CUSTOMER, {"name": "anna b"})
        batch.add(CUSTOMER, {"name": "Anna A"})
    found = search.find(store, "ann", kinds=[CUSTOMER])
    assert [hit.record.title for hit in found] == ["Anna A", "anna b", "Big Anna", "Zebra"]
    assert [hit.fields for hit in found] == [("name",), ("name",), ("name",), ("industry",)]
    assert [hit.record.title for hit in search.find(store, "ann", limit=2)] == ["Anna A", "anna b"]
    assert search.find(store, "ann", kinds=[DEAL]) == []


def test_a_name_that_is_just_this_comes_first_over_all_kinds_and_then_each_kind_has_its_turn(
    store: Store,
) -> None:
    with records.batch(store) as batch:
        for number in range(40):
            batch.add(DEAL, {"name": f"GTX Pro · {number:02}"})
            batch.add(CUSTOMER, {"name": f"Stock {number:02}", "industry": "GTX Pro"})
        whole = batch.add(KINDS["product"], {"name": "GTX  Pró"})
        longer = batch.add(KINDS["product"], {"name": "GTX Pro Plus"})
    found = search.find(store, "gtx pro", limit=60)
    assert found[0].record.id == whole.id
    assert longer.id in [hit.record.id for hit in found[: 2 + search.TURN]]
    assert [hit.record.kind.name for hit in found[-18:]] == ["customer"] * 18
    assert [hit.record.id for hit in found[:7]] == [
        hit.record.id for hit in search.find(store, "gtx pro", limit=7)
    ]


def test_false_neighbours_do_not_use_up_the_limit(store: Store) -> None:
    """Pairs that stand apart pass the index, not the rule; behind 200 of them the true one is still found."""
    with records.batch(store) as batch:
        true = batch.add(CUSTOMER, {"name": "第一 上海华泰"})
        for _n in range(200):
            batch.add(CUSTOMER, {"name": "上海 海华 华泰"})
    assert [hit.record.id for hit in search.find(store, "上海华泰", limit=3)] == [true.id]


def test_words_follow_an_edit(store: Store) -> None:
    made = records.add(store, CUSTOMER, {"name": "Before", "notes": "lighthouse", "phones": ["555 1234"]})
    records.edit(store, made.id, {"name": "After", "notes": None, "phones": ["555 9876"]})
    for gone in ("before", "lighthouse", "1234"):
        assert not search.find(store, gone), gone
    for there in ("after", "9876"):
        assert search.find(store, there), there


def test_more_than_a_person_types_is_cut(store: Store) -> None:
    records.add(store, CUSTOMER, {"name": "Anna"})
    assert search.find(store, "a " * 5_000)
    assert len(words.query("上下左右" * 5_000).terms[0]) <= words.QUERY_MAX


def test_every_searched_field_of_every_kind_is_found(store: Store) -> None:
    shaped: dict[str, Any] = {
        "address": {"city": "Quagga"}, "emails": ["quagga@example.com"], "tags": ["quagga"],
    }  # fmt: skip
    for kind in KINDS.values():
        if kind.contents:
            continue  # one is made of a file: test_attachments.py
        needed: dict[str, Any] = {f.name: f.default or "news" for f in kind.fields if f.required}
        for field in kind.searched(Find.NAME, Find.WORDS, Find.NOTES):
            made = records.add(store, kind, {**needed, field.name: shaped.get(field.name, "quagga")})
            (hit,) = search.find(store, "quagga", kinds=[kind])
            assert (hit.record, hit.fields) == (made, (field.name,))
            records.delete(store, made.id)

"""Chinese names are found by how they sound: pinyin without tones, first letters, each reading, anywhere in a name."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.store import narrowing, readings, records, search, words
from app.store.filters import Filter
from app.store.store import Store
from sync.protocol.fields import Find
from sync.protocol.kinds import KINDS
from tests.store.device import CONTACT, CUSTOMER
from tests.store.sounding import READ, typed_for

NAMES = [
    "重庆长安汽车", "乐清正泰电器", "单雄信", "仇英", "解放", "曾国藩", "ABC上海", "上海ABC北京", "吕布",
    "女王",
    "查理", "朴树", "西安先锋", "先锋西安", "先西", "欧阳修", "区先", "任盈", "盖里", "覃海", "翟天",
    "缪里", "种师", "员外",
    "尉迟", "万俟", "晟达", "张偉", "厦门", "六安", "番禺", "東京銀行", "華為", "長城", "樂視", "單氏",
    "上海恒源",
    "同行", "上 海", "上、海", "张伟", "张先锋", "安安安安", "阿恩", "恩安", "费城", "黑江", "大都会",
    "朝阳", "略阳",
]  # fmt: skip
SOUNDING = [name for name in NAMES if all(char in READ for char in name if "\u4e00" <= char <= "\u9fff")]
LATIN = ["Shang Ltd", "Hy-Vee", "An Na", "Zhang & Sons", "Xi", "Ann", "Wang", "SHHY Group", "li"]


@pytest.fixture
def book(store: Store) -> list[records.Record]:
    """Names of both scripts, newest and oldest mixed; notes, roles and towns in Chinese, which have no sound."""
    with records.batch(store) as batch:
        made = [
            batch.add(CUSTOMER if at % 3 else CONTACT, {"name": name, "notes": "王芳 wants 上海"})
            for at, name in enumerate([*SOUNDING, *LATIN, *SOUNDING[:9]])
        ]
        made.append(batch.add(CUSTOMER, {"name": "Plain", "address": {"city": "恒源"}, "industry": "银行"}))
    return made


def _wanted(book: list[records.Record], asked: str) -> set[bytes]:
    """The rule in other words: each of the terms begins a word of the name or is one way to type it."""
    found = set()
    for record in book:
        name = record.title.lower()
        own = "".join(char if char.isascii() and char.isalnum() else " " for char in name).split()
        noted = ["wants"] if record.values.get("notes") else []
        if all(
            term in typed_for(name) or any(word.startswith(term) for word in (*own, *noted))
            for term in asked.lower().split()
        ):
            found.add(record.id)
    return found


def _asked() -> list[str]:
    """Everything that finds one of the names, up to some letters; pairs of them; and what finds none or by chance."""
    draw = random.Random(3)
    each = sorted({typed for name in SOUNDING for typed in typed_for(name)})
    asked = {typed for typed in each if len(typed) <= 2} | set(draw.sample(each, 300))
    asked |= {" ".join(draw.sample(each, 2)) for _time in range(100)}
    asked |= {typed[::-1] for typed in draw.sample(each, 60)} | {
        typed + "x" for typed in draw.sample(each, 60)
    }
    asked |= {
        "abc shanghai",
        "ABC Shang Hai",
        "abcshanghai",
        "haiabc",
        "wang",
        "wants shang",
        "shang",
        "hy",
        "an na",
    }
    return sorted(asked)


def test_names_are_found_by_all_that_is_typed_for_them_and_by_nothing_else(
    store: Store, book: list[records.Record]
) -> None:
    assert len(SOUNDING) > 30
    hits = 0
    for asked in _asked():
        wanted = _wanted(book, asked)
        found = [hit.record.id for hit in search.find(store, asked, limit=10_000)]
        assert (set(found), len(found)) == (wanted, len(wanted)), asked
        assert [hit.record.id for hit in search.find(store, asked, limit=7)] == found[:7], asked
        hits += len(found)
    assert hits > 800


def test_a_narrowed_list_holds_the_same(store: Store, book: list[records.Record]) -> None:
    hits = 0
    for asked in _asked()[::7]:
        wanted = _wanted(book, asked)
        for kind in (CUSTOMER, CONTACT):
            shape = store.shapes[kind.name]
            found = narrowing.scan(store, shape, Filter(words=asked), 1, 10_000)
            select = f"SELECT _id FROM {shape.table} WHERE _rowid = ?"  # noqa: S608 - the table's own name
            ids = {store.db.one(select, (rowid,))[0] for rowid in found}
            assert ids == {record.id for record in book if record.kind is kind and record.id in wanted}, asked
            hits += len(ids)
    assert hits > 100


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("重庆", "chongqing zhongqing cq zq"), ("乐清", "yueqing leqing laoq"),
        ("单雄信", "shanxiong danx sxx"),
        ("曾国藩", "zengguofan cengg zgf"), ("仇英", "qiuying"), ("解缙", "xiejin jiej"),
        ("张伟", "zhangw zw"),
        ("查良镛", "zhaliangyong zly"), ("区志强", "ouzhiqiang"), ("朴树", "piaoshu pushu"),
        ("翟天临", "zhait dit"),
        ("覃海洋", "qinhai tanhai"), ("尉迟恭", "yuchi weichi"), ("万俟卨", "moqi"), ("任盈盈", "reny ryy"),
        ("华为技术有限公司", "huawei hwjs jishu yxgs gongsi"), ("晟达", "shengda"), ("厦门", "xiamen"),
        ("六安", "luan"), ("蚌埠", "bengbu"), ("番禺", "panyu"), ("深圳", "shenzhen"),
        ("吕布", "lvbu lubu lübu LÜBU"),
        ("女娲", "nvwa nuwa"),        ("西安", "xian xi'an xa"),
        ("ABC上海", "shanghai shang\u3000hai abc ｓｈａｎｇｈａｉ"),
        ("樂視", "leshi"), ("龘", "da"),
    ],
)  # fmt: skip
def test_every_reading_finds_a_name(store: Store, name: str, typed: str) -> None:
    made = records.add(store, CUSTOMER, {"name": name})
    for each in typed.split(" "):
        (hit,) = search.find(store, each)
        assert (hit.record, hit.fields) == (made, ("name",)), each


def test_the_titles_of_every_kind_sound(store: Store) -> None:
    kinds = [
        each for each in KINDS.values() if each.by_name[each.title].find is Find.NAME and not each.contents
    ]
    assert len(kinds) > 4
    for kind in kinds:
        needed: dict[str, Any] = {f.name: f.default or "news" for f in kind.fields if f.required}
        made = records.add(store, kind, {**needed, kind.title: "上海恒源"})
        (hit,) = search.find(store, "hengyuan", kinds=[kind])
        assert (hit.record, hit.fields) == (made, (kind.title,))


def test_words_come_before_sounds(store: Store) -> None:
    with records.batch(store) as batch:
        for name in ("上海", "Shanghai Tools", "Old Shanghai", "尚海"):
            batch.add(CUSTOMER, {"name": name})
        batch.add(CUSTOMER, {"name": "Noted", "notes": "shanghai"})
    found = [hit.record.title for hit in search.find(store, "shanghai")]
    assert found == ["Shanghai Tools", "Old Shanghai", "尚海", "上海", "Noted"]
    assert [hit.record.title for hit in search.find(store, "shanghai", glance=True)] == found[:4]


def test_sounds_follow_an_edit(store: Store) -> None:
    made = records.add(store, CUSTOMER, {"name": "上海"})
    records.edit(store, made.id, {"name": "北京"})
    assert not search.find(store, "shanghai")
    assert search.find(store, "beijing")
    records.edit(store, made.id, {"name": "Beijing"})
    assert not search.find(store, "shanghai")
    records.edit(store, made.id, {"name": "上海"})
    records.delete(store, made.id)
    assert store.db.one("SELECT count(*) FROM words_customer_docsize") == (0,)
    assert not search.find(store, "shanghai")


@settings(max_examples=300, deadline=None)
@given(
    name=st.text(st.sampled_from("安西先恩阿行单重乐上海 a、𠮷").map(str), max_size=12),
    typed=st.text("anxiehgdlmsqyo", min_size=1, max_size=9),
)
def test_whatever_sounds_so_is_asked_of_the_index(name: str, typed: str) -> None:
    """Tokens of the name taken as the index takes them: the question lets everything pass that the rule does."""
    said = readings.asked(typed)
    if readings.heard(words.fold(name), typed):
        tokens = set(" ".join(readings.tokens(words.fold(name))).split())
        assert any(
            all(
                any(token.strip('"') in tokens for token in some.strip("() ").split(" OR "))
                for some in way.strip("() ").split(" AND ")
            )
            for way in said.replace(") OR (", ")|(").split("|")
        ), (name, typed, said)


def test_long_and_doubtful_questions_are_asked_in_bounded_words() -> None:
    for typed in ("an" * 100, "xian" * 50, "a" * 200, "z" * 200, "xianan" * 30 + "q"):
        assert 0 < len(readings.asked(typed)) < 20_000
    assert readings.heard("安" * 40, "an" * 40)
    assert not readings.heard("安" * 39, "an" * 40)
    for typed in ("", "1", "ab1", "ü", "smith", "上", "i", "u", "v", "x" * 3 + "i" * 3):
        assert not readings.asked(typed), typed


def test_the_table_says_what_the_tests_say_by_hand() -> None:
    assert {char: set(readings.of(char)) for char in READ} == {char: set(said) for char, said in READ.items()}
    assert sum(bool(readings.of(chr(code))) for code in range(readings.FIRST, readings.LAST + 1)) > 20_500
    for char in ("a", "ん", "한", "𠮷", "\u3400", "〇"):
        assert readings.of(char) == ()

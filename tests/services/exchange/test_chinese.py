"""Files with Chinese headings and choices, in either script, come in as those of any other program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.services.exchange import units, words
from app.services.exchange.headings import meaning
from app.services.exchange.mapping import choose, map_columns
from app.services.exchange.read import read_bytes
from app.services.exchange.units import Unit
from sync.protocol import texts
from sync.protocol.fields import Choice
from sync.protocol.kinds import KINDS, Kind, same_header, same_name, typed_kinds
from tests.services.exchange.conftest import Made, bring
from tests.services.exchange.test_mapping import place, table
from tests.services.exchange.twin import TwinBook

LANGUAGES = ("zh_CN", "zh_TW")
CUSTOMER, CONTACT, DEAL = (KINDS[name] for name in ("customer", "contact", "deal"))


@pytest.fixture(params=LANGUAGES)
def labels(request: pytest.FixtureRequest) -> Iterator[None]:
    """Labels in a language, and English again afterwards, in which the file is then read."""
    texts.use(request.param)
    yield
    texts.use("en")


def _said(kind: Kind) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Each label of a kind in the language in use: fields, and the choices of each."""
    said = {field.name: texts.gettext(field.label) for field in kind.fields}
    chosen = {
        field.name: {stored: texts.gettext(label) for stored, label in field.type.choices}
        for field in kind.fields
        if isinstance(field.type, Choice)
    }
    return said, chosen


@pytest.mark.parametrize("kind", typed_kinds(), ids=lambda kind: kind.name)
@pytest.mark.usefixtures("labels")
def test_what_the_window_says_is_understood_in_a_file_whatever_language_reads_it(kind: Kind) -> None:
    said, chosen = _said(kind)
    texts.use("en")
    for name, heading in said.items():
        assert meaning(kind, 0, heading).field is kind.by_name[name], heading
    for name, labels in chosen.items():
        known = words.CHOICES[kind.name, name]
        assert {stored: known.get(same_header(label)) for stored, label in labels.items()} == {
            stored: stored for stored in labels
        }, name


@pytest.mark.parametrize(
    ("kind", "heading", "expected"),
    [
        (CUSTOMER, "客戶名稱", "name"),
        (CUSTOMER, "公司", "name"),
        (CUSTOMER, "電話", "phones"),
        (CUSTOMER, "行動電話", "phones:mobile"),
        (CUSTOMER, "傳真", "phones:fax"),
        (CUSTOMER, "電子郵件", "emails"),
        (CUSTOMER, "電子信箱", "emails"),
        (CUSTOMER, "地址", "address"),
        (CUSTOMER, "郵遞區號", "address.postcode"),
        (CUSTOMER, "縣市", "address.city"),
        (CUSTOMER, "區", "address.region"),
        (CUSTOMER, "負責人", "owner"),
        (CUSTOMER, "統一編號", "tax_number"),
        (CUSTOMER, "年營業額（新台幣萬元）", "revenue"),
        (CUSTOMER, "備註", "notes"),
        (CONTACT, "聯絡人", "name"),
        (CONTACT, "職稱", "role"),
        (CONTACT, "公司名稱", "customer"),
        (DEAL, "商機名稱", "name"),
        (DEAL, "金額", "amount"),
        (DEAL, "幣別", ".currency"),
        (DEAL, "階段", "stage"),
        (DEAL, "預計結案日", "close_on"),
        (DEAL, "成交機率", "probability"),
    ],
)
def test_headings_in_traditional_characters(kind: Kind, heading: str, expected: str) -> None:
    assert place(kind, heading) == expected


@pytest.mark.parametrize(
    ("text", "unit"),
    [("新台幣萬元", Unit(10_000, "TWD")), ("億元", Unit(100_000_000, "CNY")), ("歐元", Unit(1, "EUR"))],
)
def test_units_in_traditional_characters(text: str, unit: Unit) -> None:
    assert units.read(text) == unit


CUSTOMERS = """客戶名稱,類型,客戶階段,產業,電話,電子郵件,郵遞區號,縣市,地址,負責人,年營業額(新台幣萬元),備註
長風物流股份有限公司,公司,潛在客戶,物流,02-2345-6789,cf@demo.example,106,台北市,信義路 1 號,a@demo.example,1200,每月
陳美惠,個人,過往客戶,,0912-345-678,mei@demo.example,,高雄市,,,,
"""
DEALS = """商機名稱,客戶名稱,階段,金額,幣別,預計結案日,成交機率
倉儲系統更新,長風物流股份有限公司,議價協商,"NT$1,250,000",TWD,2026/12/20,60
維護合約,陳美惠,未成交,3000,TWD,2026/11/30,0
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "big5", "gb18030"])
def test_a_book_in_traditional_chinese_comes_in(tmp_path: Path, book: TwinBook, encoding: str) -> None:
    paths = []
    for name, text in (("客戶名單.csv", CUSTOMERS), ("商機.csv", DEALS)):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        paths.append(path)
    report = bring(book, *paths)
    assert report.total("added") == 4
    customers = {values["name"]: values for _id, values in book.records(CUSTOMER)}
    first = customers["長風物流股份有限公司"]
    assert (first["type"], first["stage"], first["industry"]) == ("company", "prospect", "物流")
    assert first["address"] == {"street": "信義路 1 號", "city": "台北市", "postcode": "106"}
    assert first["revenue"] == {"minor": 12_000_000_00, "currency": "TWD"}
    other = customers["陳美惠"]
    assert (other["type"], other["stage"], other["address"]) == ("person", "former", {"city": "高雄市"})
    deals = {values["name"]: values for _id, values in book.records(DEAL)}
    assert {name: deal["stage"] for name, deal in deals.items()} == {
        "倉儲系統更新": "negotiation",
        "維護合約": "lost",
    }
    assert deals["倉儲系統更新"]["amount"] == {"minor": 1_250_000_00, "currency": "TWD"}
    titles = {id_: values["name"] for id_, values in book.records(CUSTOMER)}
    assert titles[deals["倉儲系統更新"]["customer"]] == first["name"]
    assert deals["倉儲系統更新"]["close_on"] == "2026-12-20"


def test_names_are_never_turned_into_the_other_script(made: Made, book: TwinBook) -> None:
    assert same_header("國語電網") == same_header("国语电网")
    assert same_name("國語電網") != same_name("国语电网")
    customers = made("客户.csv", "客户名称\n國語電網\n国语电网\n")
    bring(book, customers, made("商机.csv", "商机名称,客户,阶段\n一号,國語電網,报价\n"))
    titles = {id_: values["name"] for id_, values in book.records(CUSTOMER)}
    assert sorted(titles.values()) == ["国语电网", "國語電網"]
    (deal,) = (values for _id, values in book.records(DEAL))
    assert titles[deal["customer"]] == "國語電網"


TABLES = {
    ("V1.0.0_4__customer.sql", "customer"): (CUSTOMER, {"客户名称": "name", "负责人": "owner"}),
    ("V1.0.0_4__customer.sql", "customer_contact"): (
        CONTACT,
        {"联系人姓名": "name", "联系人电话": "phones", "责任人": "owner"},
    ),
    ("V1.0.0_6__opportunity.sql", "opportunity"): (
        DEAL,
        {
            "商机名称": "name", "金额": "amount", "可能性": "probability", "意向产品": "product",
            "商机阶段": "stage", "负责人": "owner", "创建时间": "engaged_on",
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize(("file", "name"), TABLES)
def test_columns_of_a_chinese_crm_are_understood(real_data: Path, file: str, name: str) -> None:
    found = next((real_data / "crm_cn_cordys").rglob(file)).read_text(encoding="utf-8")
    body = re.search(rf"CREATE TABLE (?:IF NOT EXISTS )?`?{name}`?\s*\((.*?)\n\)", found, re.DOTALL)
    assert body is not None
    headings = re.findall(r"COMMENT '([^']+)'", body[1])
    kind, expected = TABLES[file, name]
    mapping = map_columns(kind, table("export.csv", *headings))
    placed = {column.heading: column.field.name for column in mapping.columns if column.field is not None}
    assert expected.items() <= placed.items()
    chosen = choose(table(f"{kind.name}.csv", *headings)).mapping
    assert chosen is not None
    assert chosen.kind is kind


def test_a_file_is_named_in_either_script() -> None:
    for name in ("客戶.csv", "客户.csv", "2026 客戶名單.csv"):
        found = choose(read_bytes("名稱,電話\n長風,1\n".encode(), name)).mapping
        assert found is not None
        assert found.kind is CUSTOMER

"""Makes the sample customer book in resources/sample/: invented, in English and Chinese, the same on every machine.

`python packaging/sample.py [FOLDER]` writes accounts.csv, contacts.csv, products.csv and deals.csv. Companies and
people are put together from common words and names; e-mails lie in domains that nobody can own, phones in numbers
that are never given out.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import TypeVar

FOLDER = Path(__file__).resolve().parent.parent / "resources" / "sample"
SEED = 20_260_101
CUSTOMERS, CONTACTS, DEALS = 2000, 3000, 4000
FIRST_DAY = dt.date(2025, 1, 6)

T = TypeVar("T")

PLACES_EN = (
    ("Boston", "United States", "617"), ("Denver", "United States", "303"), ("Austin", "United States", "512"),
    ("Portland", "United States", "503"), ("Chicago", "United States", "312"), ("Toronto", "Canada", "416"),
)  # fmt: skip
PLACES_CN = (
    ("上海", "中国", "21"), ("北京", "中国", "10"), ("深圳", "中国", "755"), ("杭州", "中国", "571"),
    ("成都", "中国", "28"), ("苏州", "中国", "512"),
)  # fmt: skip
FRONT_EN = (
    "Alder", "Amber", "Aspen", "Bay", "Birch", "Bright", "Brook", "Cedar", "Clear", "Copper", "Coral", "Crest",
    "Dawn", "Delta", "Eagle", "East", "Elm", "Ember", "Fair", "Falcon", "Fern", "Forest", "Glen", "Granite",
    "Green", "Harbor", "Hazel", "High", "Iron", "Juniper", "Lake", "Laurel", "Maple", "Meadow", "Mill", "North",
    "Oak", "Orchard", "Pine", "Prairie", "Quarry", "Red", "River", "Rock", "Rowan", "Sage", "Silver", "Spruce",
    "Stone", "Summit", "Sun", "Timber", "Upland", "Valley", "West", "Willow", "Winter", "Wood",
)  # fmt: skip
BACK_EN = ("field", "gate", "line", "point", "ridge", "side", "ton", "view", "way", "works")
FORM_EN = (
    "Dairy",
    "Foods",
    "Hardware",
    "Labs",
    "Logistics",
    "Motors",
    "Optics",
    "Packaging",
    "Paper",
    "Supply",
    "Textiles",
    "Tools",
)
FRONT_CN = tuple(
    "安博昌诚达东丰福高光广国海恒宏华汇佳嘉建金锦京晶景巨凯康科兰乐力利联隆美明宁鹏普启瑞润盛顺泰天同万伟祥新信兴旭亚扬怡永优宇远悦泽正智中众卓"
)
BACK_CN = tuple(
    "邦宝博昌达德飞丰福光海航和恒华辉嘉杰康科朗力立联龙隆茂敏能鹏奇强泉瑞润森胜盛世泰特通拓旺维祥鑫兴耀业怡益裕源泽正志洲"
)
FORM_CN = ("包装", "电子", "纺织", "光电", "机械", "建材", "科技", "贸易", "食品", "物流", "医疗", "印刷")
INDUSTRY = (
    ("Food", "食品"), ("Retail", "零售"), ("Machinery", "机械"), ("Electronics", "电子"), ("Logistics", "物流"),
    ("Health", "医疗"), ("Textiles", "纺织"), ("Printing", "印刷"),
)  # fmt: skip
GIVEN_EN = (
    "Ada", "Alan", "Amy", "Ben", "Carla", "Cecil", "Clara", "Dana", "Dennis", "Edith", "Elliot", "Emma", "Felix",
    "Flora", "Gavin", "Grace", "Henry", "Hugo", "Irene", "Ivan", "Jane", "Joel", "Karen", "Kurt", "Laura", "Leo",
    "Lydia", "Marcus", "Mary", "Nina", "Noel", "Olive", "Oscar", "Paula", "Peter", "Rosa", "Ruth", "Samuel",
    "Sofia", "Tessa", "Theo", "Ursula", "Victor", "Wanda", "Yara", "Zoe",
)  # fmt: skip
FAMILY_EN = (
    "Abbott", "Ames", "Barlow", "Bell", "Blake", "Byrne", "Carver", "Cole", "Crane", "Dale", "Drake", "Ellis",
    "Farrow", "Finch", "Frost", "Gale", "Grant", "Hale", "Hart", "Hobbs", "Hyde", "Ives", "Kane", "Keats", "Lamb",
    "Lowe", "Marsh", "Mead", "Moss", "Nash", "Orr", "Page", "Pike", "Quinn", "Reed", "Rowe", "Shaw", "Stark",
    "Swift", "Tate", "Thorn", "Vale", "Wade", "Webb", "Wren", "York",
)  # fmt: skip
FAMILY_CN = tuple("王李张刘陈杨黄赵周吴徐孙马朱胡郭何林罗高梁郑谢宋唐许邓冯韩曹")
GIVEN_CN = tuple("芳伟敏静丽强磊军洋勇艳杰娟涛明超霞平刚玲桂英华慧红建文辉婷雪琳晨宇浩欣怡嘉思远")
ROLES = (
    ("Buyer", "采购"),
    ("Director", "总监"),
    ("Engineer", "工程师"),
    ("Owner", "经理"),
    ("Accounts", "财务"),
)
PRODUCTS = (
    ("Scale S1", "FK-S1", "Scales", 420), ("Scale S2", "FK-S2", "Scales", 780),
    ("Scale S3 Pro", "FK-S3", "Scales", 1650),
    ("Labeler L1", "FK-L1", "Labelers", 990), ("Labeler L2", "FK-L2", "Labelers", 2150),
    ("Sealer 200", "FK-200", "Sealers", 3400), ("Sealer 400", "FK-400", "Sealers", 5800),
    ("封口机 800", "FK-800", "Sealers", 9600), ("输送带 3 米", "FK-C3", "Conveyors", 1250),
    ("输送带 6 米", "FK-C6", "Conveyors", 2100), ("Service year", "FK-SV", "Service", 600),
    ("Spare parts kit", "FK-SP", "Service", 180),
)  # fmt: skip
STAGES = ("Prospecting", "Engaging", "Proposal", "Negotiation", "Won", "Won", "Won", "Lost", "Lost")


class Dice:
    """Draws that are the same under every Python: only `Random.random` is promised to be."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - a sample, no secret

    def below(self, n: int) -> int:
        return int(self._random.random() * n)

    def one(self, of: Sequence[T]) -> T:
        return of[self.below(len(of))]

    def hit(self, percent: int) -> bool:
        return self.below(100) < percent


def main() -> int:
    """Write the four files; 0."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files().items():
        (folder / name).write_bytes(data)
    return 0


def files() -> dict[str, bytes]:
    """The files of the sample by name."""
    dice = Dice(SEED)
    accounts = list(_accounts(dice))
    return {
        "accounts.csv": _csv("account,type,industry,city,country,phone,customer number", accounts),
        "contacts.csv": _csv("name,account,job title,email", _contacts(dice, accounts)),
        "products.csv": _csv(
            "product,code,series,price,currency", ((*product, "USD") for product in PRODUCTS)
        ),
        "deals.csv": _csv(
            "opportunity id,account,product,stage,engage date,close date,amount,currency",
            _deals(dice, accounts),
        ),
    }


def _csv(headings: str, rows: Iterator[Sequence[object]] | Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(headings.split(","))
    writer.writerows(rows)
    return text.getvalue().encode()


def _accounts(dice: Dice) -> Iterator[tuple[str, ...]]:
    """Customers: three in five in English, one in twenty a person."""
    seen: set[str] = set()
    while len(seen) < CUSTOMERS:
        chinese, person = dice.hit(40), dice.hit(5)
        name = _person(dice, chinese=chinese) if person else _company(dice, chinese=chinese)
        if name in seen:
            continue
        seen.add(name)
        city, country, area = dice.one(PLACES_CN if chinese else PLACES_EN)
        industry = "" if person else dice.one(INDUSTRY)[chinese]
        line = dice.below(100)
        phone = f"+86 {area} 5550 {line:04d}" if chinese else f"+1 {area} 555 01{line:02d}"
        number = f"C{len(seen):04d}"
        yield (
            name,
            "person" if person else "company",
            industry,
            city,
            country,
            phone if dice.hit(60) else "",
            number,
        )


def _company(dice: Dice, *, chinese: bool) -> str:
    if chinese:
        return dice.one(FRONT_CN) + dice.one(BACK_CN) + dice.one(FORM_CN)
    return f"{dice.one(FRONT_EN)}{dice.one(BACK_EN)} {dice.one(FORM_EN)}"


def _person(dice: Dice, *, chinese: bool) -> str:
    if chinese:
        return dice.one(FAMILY_CN) + dice.one(GIVEN_CN) + (dice.one(GIVEN_CN) if dice.hit(60) else "")
    return f"{dice.one(GIVEN_EN)} {dice.one(FAMILY_EN)}"


def _contacts(dice: Dice, accounts: Sequence[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """People at the companies; no name twice at one of them."""
    companies = [account for account in accounts if account[1] == "company"]
    seen: set[tuple[str, str]] = set()
    while len(seen) < CONTACTS:
        account = dice.one(companies)
        chinese = account[4] == "中国"
        name = _person(dice, chinese=chinese)
        if (name, account[0]) in seen:
            continue
        seen.add((name, account[0]))
        box = f"p{len(seen)}" if chinese else f"{name.split()[0]}.{name.split()[1]}".lower() + f"{len(seen)}"
        yield (name, account[0], dice.one(ROLES)[chinese], f"{box}@example.{'net' if chinese else 'com'}")


def _deals(dice: Dice, accounts: Sequence[tuple[str, ...]]) -> Iterator[tuple[object, ...]]:
    """Deals: won ones have a value and a day, and some of the early ones no customer yet."""
    for number in range(1, DEALS + 1):
        account = dice.one(accounts)
        product = dice.one(PRODUCTS)
        stage = dice.one(STAGES)
        early = stage in ("Prospecting", "Engaging")
        begun = FIRST_DAY + dt.timedelta(days=dice.below(540))
        ends = begun + dt.timedelta(days=14 + dice.below(120))
        pieces = 1 + dice.below(9)
        amount = product[3] * pieces * (100 - dice.below(4) * 5) // 100
        yield (
            f"D{number:04d}",
            "" if early and dice.hit(30) else account[0],
            product[0],
            stage,
            begun.isoformat(),
            "" if early else ends.isoformat(),
            "" if early or stage == "Lost" else amount,
            "" if early or stage == "Lost" else "USD",
        )


if __name__ == "__main__":
    sys.exit(main())

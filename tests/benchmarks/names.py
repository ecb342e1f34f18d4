"""Names, towns and sentences of the benchmarks' customer book: Latin, Chinese, Cyrillic and Korean, all invented.

How often a name comes is skewed as in life: the first of each list is the commonest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, TypeVar

T = TypeVar("T")


class Dice:
    """Draws that are the same under every Python: only `Random.random` and its bits are promised to be."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self.part = self._random.random

    def below(self, n: int) -> int:
        """A number from 0 to n - 1."""
        return int(self.part() * n)

    def one(self, of: Sequence[T]) -> T:
        """Any of these."""
        return of[int(self.part() * len(of))]

    def early(self, of: Sequence[T]) -> T:
        """One of these, the first ones more often."""
        return of[int(self.part() ** 2 * len(of))]

    def bits(self, count: int) -> int:
        """A number of that many bits."""
        return self._random.getrandbits(count)


@dataclass(frozen=True, slots=True)
class Tongue:
    """The words of one language, as far as a customer book needs them. Towns come with country and dialling code."""

    towns: tuple[tuple[str, str, str], ...]
    fronts: tuple[str, ...]
    backs: tuple[str, ...]
    trades: tuple[str, ...]
    forms: tuple[str, ...]
    given: tuple[str, ...]
    family: tuple[str, ...]
    streets: tuple[str, ...]
    sentences: tuple[str, ...]
    tags: tuple[str, ...]
    spaced: bool = True
    family_first: bool = False

    def person(self, dice: Dice) -> str:
        """A person's name."""
        family = dice.early(self.family)
        given = dice.early(self.given)
        if not self.spaced:
            return family + given + (dice.one(self.given) if dice.part() < 0.6 else "")
        return f"{family} {given}" if self.family_first else f"{given} {family}"

    def company(self, dice: Dice, town: str) -> str:
        """A company's name, some with their town in it."""
        core = dice.one(self.fronts) + dice.one(self.backs)
        trade, form = dice.one(self.trades), dice.early(self.forms)
        if not self.spaced:
            return f"{town if dice.part() < 0.5 else ''}{core}{trade}{form}"
        local = f"{town} " if dice.part() < 0.15 else ""
        return f"{local}{core} {trade} {form}"

    def notes(self, dice: Dice, count: int) -> str:
        """That many sentences with numbers in them."""
        gap = " " if self.spaced else ""
        return gap.join(
            dice.one(self.sentences).format(n=dice.below(900) + 10, person=self.person(dice))
            for _each in range(count)
        )


LATIN: Final = Tongue(
    towns=(
        ("London", "United Kingdom", "44 20"), ("Berlin", "Deutschland", "49 30"), ("Boston", "USA", "1 617"),
        ("Zürich", "Schweiz", "41 44"), ("Lyon", "France", "33 4"), ("München", "Deutschland", "49 89"),
        ("Kraków", "Polska", "48 12"), ("São Paulo", "Brasil", "55 11"), ("Malmö", "Sverige", "46 40"),
        ("Toronto", "Canada", "1 416"), ("Bilbao", "España", "34 94"), ("Torino", "Italia", "39 011"),
        ("Utrecht", "Nederland", "31 30"), ("Århus", "Danmark", "45 86"), ("Brno", "Česko", "420 54"),
        ("Porto", "Portugal", "351 22"), ("Denver", "USA", "1 303"), ("Leeds", "United Kingdom", "44 113"),
    ),
    fronts=(
        "Alder", "Amber", "Arc", "Aspen", "Bay", "Birch", "Bright", "Brook", "Cedar", "Clear", "Copper", "Coral",
        "Crest", "Dawn", "Delta", "Eagle", "East", "Edel", "Elm", "Ember", "Fair", "Falcon", "Fern", "Forest",
        "Glen", "Gold", "Granite", "Green", "Grün", "Harbor", "Hazel", "High", "Hoch", "Iron", "Juniper", "Lake",
        "Laurel", "Maple", "Meadow", "Mill", "Neu", "Nord", "North", "Oak", "Orchard", "Pine", "Prairie",
        "Quarry", "Red", "River", "Rock", "Rowan", "Sage", "Silber", "Silver", "Spruce", "Stein", "Stone",
        "Summit", "Süd", "Sun", "Timber", "Upland", "Valley", "West", "Willow", "Winter", "Wood",
    ),
    backs=(
        "bach", "berg", "dale", "feld", "field", "ford", "gate", "hof", "land", "line", "mark", "point", "ridge",
        "side", "stein", "tal", "tec", "ton", "vale", "view", "wald", "way", "werk", "works",
    ),
    trades=(
        "Dairy", "Foods", "Hardware", "Labs", "Logistics", "Motors", "Optics", "Packaging", "Paper", "Supply",
        "Textiles", "Tools", "Präzision", "Maschinenbau", "Énergie", "Clínica", "Software", "Pharma", "Design",
        "Catering", "Robotics", "Solar", "Shipping", "Bau",
    ),
    forms=("Ltd", "GmbH", "Inc", "AG", "SARL", "Sp. z o.o.", "AB", "S.A.", "B.V.", "& Söhne", "Group"),
    given=(
        "Anna", "Michael", "Maria", "Thomas", "Laura", "David", "Sofia", "Peter", "Julia", "Jan", "Emma", "Paul",
        "Sarah", "Martin", "Élodie", "José", "Ingrid", "Łukasz", "Zoë", "Björn", "Chloé", "Jürgen", "Inês",
        "Søren", "Ada", "Alan", "Amy", "Ben", "Carla", "Clara", "Dana", "Edith", "Elliot", "Felix", "Flora",
        "Gavin", "Grace", "Henry", "Hugo", "Irene", "Jane", "Joel", "Karen", "Kurt", "Leo", "Lydia", "Marcus",
        "Nina", "Noel", "Olive", "Oscar", "Paula", "Rosa", "Ruth", "Samuel", "Tessa", "Theo", "Ursula", "Victor",
        "Wanda", "Yara",
    ),
    family=(
        "Smith", "Müller", "Johnson", "Schmidt", "Brown", "García", "Martin", "Novák", "Andersson", "Rossi",
        "Kowalski", "Silva", "Weber", "Dubois", "Nielsen", "Jansen", "Abbott", "Ames", "Barlow", "Bell", "Blake",
        "Byrne", "Carver", "Cole", "Crane", "Dale", "Drake", "Ellis", "Farrow", "Finch", "Frost", "Gale", "Grant",
        "Hale", "Hart", "Hobbs", "Hyde", "Ives", "Kane", "Keats", "Lamb", "Lowe", "Marsh", "Mead", "Moss", "Nash",
        "Orr", "Page", "Pike", "Quinn", "Reed", "Rowe", "Shaw", "Stark", "Swift", "Tate", "Thorn", "Vale", "Wade",
        "Webb", "Wren", "York",
    ),
    streets=("Mill Road", "Harbour Street", "Bahnhofstrasse", "Rue du Port", "Station Road", "Lindenallee",
             "Kungsgatan", "High Street", "Via Roma", "Calle Mayor"),
    sentences=(
        "Met at the fair; wants an offer for {n} units until spring.",
        "{person} decides, the budget is {n} thousand a year.",
        "Has {n} machines of the older series, service contract ends in autumn.",
        "Prefers calls before nine; asks for training of {n} people.",
        "Compares us with two others, price matters less than delivery within {n} days.",
        "Next visit with {person} planned after the trade show.",
        "Complained about invoice {n}, settled by phone.",
        "Wants the catalogue in French and English.",
    ),
    tags=("fair", "key account", "newsletter", "reseller", "Tier A", "Tier B", "export", "öffentlich"),
)  # fmt: skip

CHINESE: Final = Tongue(
    towns=(
        ("上海", "中国", "86 21"), ("北京", "中国", "86 10"), ("深圳", "中国", "86 755"), ("广州", "中国", "86 20"),
        ("杭州", "中国", "86 571"), ("成都", "中国", "86 28"), ("苏州", "中国", "86 512"), ("南京", "中国", "86 25"),
        ("武汉", "中国", "86 27"), ("西安", "中国", "86 29"), ("重庆", "中国", "86 23"), ("青岛", "中国", "86 532"),
        ("宁波", "中国", "86 574"), ("长沙", "中国", "86 731"), ("厦门", "中国", "86 592"), ("台北", "台灣", "886 2"),
    ),
    fronts=tuple("安博昌诚达东丰福高光广国海恒宏华汇佳嘉建金锦京晶景巨凯康科兰乐力利联隆美明宁鹏普启瑞润盛顺泰天同万伟祥新信兴旭亚扬怡永优宇远悦泽正智中众卓"),
    backs=tuple("邦宝博昌达德飞丰福光海航和恒华辉嘉杰康科朗力立联龙隆茂敏能鹏奇强泉瑞润森胜盛世泰特通拓旺维祥鑫兴耀业怡益裕源泽正志洲"),
    trades=("科技", "贸易", "电子", "机械", "医疗器械", "包装", "纺织", "光电", "建材", "食品", "物流", "印刷",
            "新能源", "生物", "汽车零部件", "信息技术", "环保", "教育"),
    forms=("有限公司", "有限责任公司", "股份有限公司", "集团", "厂", "商行"),
    given=tuple("伟芳娜秀敏静丽强磊军洋勇艳杰娟涛明超霞平刚玲桂英华慧红建文辉婷雪琳晨宇浩欣怡嘉思远子轩梓涵"),
    family=(*"王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高梁郑谢宋唐许邓冯韩曹", "欧阳", "司马", "诸葛"),
    streets=("中山路", "人民路", "解放大道", "建设街", "张江路", "南京东路", "科技园一路", "滨海大道", "文化路"),
    sentences=(
        "展会上认识,希望在春天之前拿到{n}台的报价。", "{person}负责采购,年度预算{n}万元。",
        "现有{n}台老型号设备,服务合同秋天到期。", "上午九点以前方便接电话,需要培训{n}人。",
        "正在和另外两家比较,交货期比价格更重要。", "下次拜访约在展会以后,联系人{person}。",
        "对发票{n}有疑问,已经电话解决。", "需要中英文两种产品资料。", "总部在外地,付款周期{n}天。",
    ),
    tags=("展会", "重点客户", "经销商", "老客户", "出口", "A类", "B类"),
    spaced=False,
    family_first=True,
)  # fmt: skip

CYRILLIC: Final = Tongue(
    towns=(
        ("Київ", "Україна", "380 44"), ("София", "България", "359 2"), ("Алматы", "Казахстан", "7 727"),
        ("Београд", "Србија", "381 11"), ("Харків", "Україна", "380 57"), ("Варна", "България", "359 52"),
        ("Скопје", "Македонија", "389 2"), ("Минск", "Беларусь", "375 17"),
    ),
    fronts=("Авто", "Агро", "Альфа", "Бал", "Вест", "Восток", "Гео", "Дніпро", "Евро", "Зап", "Інтер", "Кар", "Металл",
            "Мир", "Нова", "Нор", "Пром", "Север", "Строй", "Техно", "Транс", "Укр", "Хим", "Центр", "Эко", "Юг"),
    backs=("буд", "газ", "груп", "имекс", "квант", "лайн", "маш", "мет", "пак", "поставка", "прибор", "сервис", "снаб",
           "союз", "стан", "строй", "торг", "транс", "фарм", "хол"),
    trades=("Логистика", "Медтехника", "Электроника", "Упаковка", "Продукты", "Печать", "Текстиль", "Оптика", "Энергия",
            "Ліфти", "Будівництво", "Сервис"),
    forms=("ТОВ", "ООД", "ТОО", "ДОО", "АО", "ПП"),
    given=("Анна", "Олександр", "Мария", "Иван", "Оксана", "Дмитрий", "Елена", "Петър", "Наталія", "Милош", "Юлия",
           "Сергій", "Катерина", "Андрей", "Ірина", "Георги", "Светлана", "Тарас", "Людмила", "Никола"),
    family=("Шевченко", "Иванов", "Петренко", "Димитров", "Ковальчук", "Ахметов", "Јовановић", "Бондаренко", "Георгиев",
            "Мельник", "Кузнецова", "Поповић", "Лисенко", "Новик", "Стоянова", "Гончар", "Сидоренко", "Ёлкин"),
    streets=("вул. Шевченка", "бул. Витоша", "пр. Абая", "Кнеза Милоша", "ул. Садовая", "вул. Лесі Українки"),
    sentences=(
        "Познакомились на выставке, просит предложение на {n} штук.", "Рішення приймає {person}, бюджет {n} тисяч.",
        "Има {n} стари машини, договорът изтича наесен.", "Звонить до девяти, нужно обучить {n} человек.",
        "Порівнює з двома іншими, важливий термін {n} днів.", "Следующая встреча: {person}, после выставки.",
    ),
    tags=("выставка", "дилер", "експорт", "ключевой"),
)  # fmt: skip

KOREAN: Final = Tongue(
    towns=(("서울", "대한민국", "82 2"), ("부산", "대한민국", "82 51"), ("대구", "대한민국", "82 53"),
           ("인천", "대한민국", "82 32")),
    fronts=("한", "대", "동", "신", "우", "삼", "태", "금", "성", "미래", "하나", "새"),
    backs=("국", "양", "광", "성", "진", "원", "림", "일", "산", "화"),
    trades=("전자", "기계", "무역", "식품", "의료기", "물류", "건설", "화학"),
    forms=("주식회사", "상사", "공업", "(주)"),
    given=("민준", "서연", "지훈", "하은", "도윤", "수빈", "예준", "지우", "현우", "유진"),
    family=tuple("김이박최정강조윤장임한오서신권"),
    streets=("세종대로", "테헤란로", "해운대로", "중앙로"),
    sentences=(
        "전시회에서 만났고 {n}대 견적을 원함.", "{person} 담당, 예산 {n}만 원.", "기존 장비 {n}대, 가을에 계약 만료.",
    ),
    tags=("전시회", "수출", "대리점"),
    spaced=False,
    family_first=True,
)  # fmt: skip

SHARES: Final = ((0.44, LATIN), (0.84, CHINESE), (0.97, CYRILLIC), (1.0, KOREAN))


def tongue(dice: Dice) -> Tongue:
    """The language of the next customer."""
    part = dice.part()
    return next(words for upto, words in SHARES if part < upto)

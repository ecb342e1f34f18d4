"""Whether two records are about the same company or person, and the keys by which such records find one another.

The rule. A name alone never tells: there are many Li Weis. Two records are alike when their names agree and something
that is written down beside the name does as well.

| what both have | how names must agree |
| --- | --- |
| one tax number | nearly, or one within the other |
| one e-mail address, one house in one place | nearly, or one within the other |
| one phone | the same; nearly, or one within the other, where they are not in two places |
| one web address that is a company's own | nearly |
| a company's one place, or nothing that says where one of them is | the same |
| a person's one company | the same |

"The same" is without case, accents, order of words and legal form; ä is also ae. "Nearly" allows a slip or two in a
longer word, and never in a number. What speaks against it: two tax numbers, one being part of the other, two numbers
of other programs without a tax number, e-mail or phone in common, two persons each of whom is reached otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

from app.store import phones
from app.store.spellings import with_pairs
from app.store.words import fold
from sync.protocol.fields import Value
from sync.protocol.quiet import Quiet

RULE: Final = 1  # rises with every change below: then all is looked at anew
CROWD: Final = 12  # records of one key: of more of them it tells nothing

_LEGAL_WORDS: Final = (
    "ab ag aps as bv bvba cie co company corp corporation eg eingetragener ek ev gbr ges gesellschaft gesmbh gmbh "
    "haftung inc incorporated kft kg kgaa kk limited limitada llc llp lp ltd ltda mbh nv ohg oo oy oyj partg "
    "partgmbb plc pte pty pvt sa sab sae sarl sas sasu se sl slu snc spa spol sprl sro srl ug verein zoo"
)
_LEGAL: Final = frozenset(_LEGAL_WORDS.split())
_JOINING: Final = frozenset(("and", "und", "et", "y", "e", "the", "der", "die", "das", "of", "für", "fuer"))
_LEGAL_HAN: Final = re.compile(
    "(?:股份|集团|集團)?(?:有限)(?:责任|責任)?公司$|股份公司$|(?:株式|有限|合同|合資)会社$|^(?:株式|有限|合同)会社|주식회사$|^주식회사"
    "|有限合伙$|有限会社$"
)
_ODD_SIGNS: Final = str.maketrans({"㈱": "", "㈲": "", "（": "(", "）": ")"})
_GLUED: Final = re.compile(r"(?<=\b\w)[./](?=\w\b)|['’`´.](?=\w)(?<!\d.)|(?<=\w)\.")
_WORD: Final = re.compile(r"[^\W_]+")
_PAIRS: Final = re.compile("ae|oe|ue|aa")
_BARE: Final = {"ae": "a", "oe": "o", "ue": "u", "aa": "a"}
_NUMBER: Final = re.compile(r"\d+")
_ROMAN: Final = re.compile("i{1,3}|iv|vi{0,3}|ix")
_HAN: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_STREET: Final = {
    "str": "str", "strasse": "str", "street": "st", "st": "st", "avenue": "ave", "av": "ave", "road": "rd",
    "drive": "dr", "boulevard": "blvd", "lane": "ln", "court": "ct", "platz": "pl", "place": "pl", "north": "n",
    "south": "s", "east": "e", "west": "w", "suite": "", "floor": "", "close": "cl", "circuit": "cct",
    "crescent": "cres",
}  # fmt: skip
# Mailboxes that anybody may have: their domain says nothing of who writes.
_ANYBODYS_WORDS: Final = (
    "gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com yahoo.co.uk yahoo.de yahoo.fr "
    "icloud.com me.com mac.com aol.com gmx.de gmx.net gmx.at gmx.ch gmx.com web.de t-online.de freenet.de "
    "posteo.de mail.com mail.ru yandex.ru proton.me protonmail.com qq.com 163.com 126.com sina.com sina.cn "
    "sohu.com foxmail.com aliyun.com 139.com 189.cn yeah.net tom.com vip.qq.com naver.com daum.net orange.fr "
    "free.fr wanadoo.fr libero.it bluewin.ch facebook.com linkedin.com instagram.com twitter.com x.com "
    "youtube.com weibo.com taobao.com tmall.com 1688.com ebay.com ebay.de amazon.com amazon.de wixsite.com "
    "jimdo.com business.site google.com"
)
_ANYBODYS: Final = frozenset(_ANYBODYS_WORDS.split())
_PHONE_DIGITS: Final = 7  # fewer are an extension
_PHONE_TAIL: Final = 9  # without country and the zero before the area
_FEW: Final = 4  # letters of a word in which no slip is forgiven


class Said(Quiet, frozen=True):
    """What a record says of who it is about, ready to be compared; `reached` are phones and mailboxes."""

    person: bool
    name: tuple[str, ...]  # words without legal form; the runs of unspaced scripts whole
    core: str  # the same, in a steady order and without spaces
    mails: frozenset[str]
    phones: frozenset[str]
    domains: frozenset[str]
    tax: str
    number: str
    house: frozenset[str]  # house numbers
    street: frozenset[str]  # other words of the street
    places: frozenset[str]  # city and postcode
    company: bytes  # whom a contact is with
    part_of: bytes

    @property
    def reached(self) -> frozenset[str]:
        """Mailboxes and phones."""
        return self.mails | self.phones


def said_of(kind: str, values: Mapping[str, Value]) -> Said:
    """What a record says of who it is about."""
    name = _name(str(values.get("name") or ""))
    address = values.get("address") or {}
    streets = _words(str(address.get("street") or ""))
    mails = frozenset(_mail(each) for each in _texts(values, "emails"))
    return Said(
        person=is_person(kind, values),
        name=name,
        core="".join(sorted(name)),
        mails=mails,
        phones=frozenset(_phones(_texts(values, "phones"))),
        domains=frozenset(_domains(_texts(values, "websites"), mails)),
        tax="".join(_words(str(values.get("tax_number") or ""))),
        number=str(values.get("number") or "").strip(),
        house=frozenset(n for each in streets for n in _NUMBER.findall(each)),
        street=frozenset(_street(streets)),
        places=frozenset(_places(address)),
        company=bytes(values.get("customer") or b""),
        part_of=bytes(values.get("parent") or b""),
    )


def is_person(kind: str, values: Mapping[str, Value]) -> bool:
    """Whether a record is about a person."""
    return kind == "contact" or (kind == "customer" and values.get("type") == "person")


def share_a_way(one: Mapping[str, Value], other: Mapping[str, Value]) -> bool:
    """Whether two persons of one name can be reached in the same way, or one of them in no way that we know."""
    mine, theirs = _ways(one), _ways(other)
    if not mine or not theirs:
        return not one.get("address") or not other.get("address") or one["address"] == other["address"]
    return bool(mine & theirs)


def keys(kind: str, said: Said) -> tuple[int, ...]:
    """The keys of a record: two that are alike have at least one in common."""
    found = {f"t{said.tax}"} if said.tax else set()
    found.update(f"m{mail}" for mail in said.mails)
    found.update(f"p{phone}" for phone in said.phones)
    found.update(f"d{domain}" for domain in said.domains)
    if said.core:
        found.update(f"h{number} {place}" for number in said.house for place in said.places)
        if said.person and said.company:
            found.add(f"c{said.company.hex()}{said.core}")
        elif not said.person:
            found.add(f"n{said.core}")
    return tuple(sorted(_hashed(kind, each) for each in found))


def why(one: Said, other: Said) -> str:
    """What two records have in common that makes them alike: a word of REASONS; "" where they are not."""
    if one.person is not other.person or not one.name or not other.name:
        return ""
    if one.tax and other.tax and one.tax != other.tax:
        return ""
    same = one.core == other.core
    near = same or _near(one.name, other.name)
    within = near or _within(one.name, other.name)
    if not within:
        return ""
    if one.tax and one.tax == other.tax:
        return "tax"
    if one.mails & other.mails:
        return "email"
    moved = _elsewhere(one, other)
    if one.phones & other.phones and (same or not moved):
        return "phone"
    if one.number and other.number and one.number != other.number:
        return ""
    apart = bool(one.reached and other.reached)  # each is reached, and otherwise than the other
    if _one_house(one, other) and not (one.person and apart):
        return "address"
    if one.person:
        met = same and one.company and one.company == other.company and not apart
        return "company" if met else ""
    if near and one.domains & other.domains and not moved:
        return "website"
    if same and not moved and (one.places & other.places or len(one.core) > _FEW):
        return "name"
    return ""


REASONS: Final = ("tax", "email", "phone", "address", "company", "website", "name")


# --- names -------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _name_of(text: str) -> tuple[str, ...]:
    text = text.translate(_ODD_SIGNS)
    folded = fold(with_pairs(text) or text)
    if _HAN.search(folded):
        bare = _LEGAL_HAN.sub("", "".join(_WORD.findall(folded)))
        return (bare,) if bare else ("".join(_WORD.findall(folded)),)
    words = [_PAIRS.sub(_unpaired, word) for word in _WORD.findall(_GLUED.sub("", folded))]
    kept = [word for word in words if word not in _LEGAL and word not in _JOINING]
    return tuple(kept or words)


def _name(text: str) -> tuple[str, ...]:
    return _name_of(text)


def _unpaired(found: re.Match[str]) -> str:
    return _BARE[found[0]]


def _near(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two names are one but for a slip or two."""
    if _counted(one) != _counted(other):
        return False
    return (len(one) == len(other) and _held(one, other)) or _slipped("".join(one), "".join(other))


def _within(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether one name is the other with words left out."""
    less, more = sorted((one, other), key=len)
    if sum(map(len, less)) <= _FEW and len(less) < 2:
        return False
    if len(less) == len(more) == 1 and (_HAN.search(less[0]) or _HAN.search(more[0])):
        short, long = sorted((less[0], more[0]), key=len)
        return len(short) >= 3 and short in long
    return not _counted(less) ^ _counted(more) and _held(less, more)


def _counted(words: Iterable[str]) -> set[str]:
    """The words that tell one house of a chain from the next: numbers, Roman ones too."""
    return {word for word in words if word.isdecimal() or _ROMAN.fullmatch(word)}


def _held(less: Collection[str], more: Collection[str]) -> bool:
    """Whether each word of the one is a word of the other, a slip allowed."""
    left = list(more)
    for word in less:
        found = word if word in left else next((each for each in left if _slipped(word, each)), None)
        if found is None:
            return False
        left.remove(found)
    return True


def _slipped(one: str, other: str) -> bool:
    """Whether two words differ by a slip of the hand, or by two in a long one; numbers never do."""
    if one == other:
        return True
    length = min(len(one), len(other))
    if length <= _FEW or abs(len(one) - len(other)) > 2 or _NUMBER.findall(one) != _NUMBER.findall(other):
        return False
    if _HAN.search(one) or _HAN.search(other):
        return False  # another character is another name
    return _slips(one, other) <= (2 if length >= 9 else 1)


def _slips(one: str, other: str) -> int:
    """How many letters were left out, put in, taken for another or swapped with the next; more than two are three."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        last, before, row = before, row, [at]
        for place, each in enumerate(other, 1):
            cost = min(before[place] + 1, row[place - 1] + 1, before[place - 1] + (letter != each))
            swapped = at > 1 and place > 1 and letter == other[place - 2] and one[at - 2] == each
            row.append(min(cost, last[place - 2] + 1) if swapped else cost)
        if min(row) > 2:
            return 3
    return row[-1]


# --- what stands beside the name ----------------------------------------------------------------------


def _texts(values: Mapping[str, Value], name: str) -> Iterator[str]:
    for element in values.get(name) or ():
        yield element["value"]


def _ways(values: Mapping[str, Value]) -> set[str]:
    """E-mails, and phones by their digits."""
    return {_mail(each) for each in _texts(values, "emails")} | set(_phones(_texts(values, "phones")))


def _mail(text: str) -> str:
    return text.strip().casefold()


def _phones(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        number = phones.digits(text).lstrip("0")
        if len(number) >= _PHONE_DIGITS:
            yield number[-_PHONE_TAIL:]


def _domains(websites: Iterable[str], mails: Iterable[str]) -> Iterator[str]:
    for text in websites:
        host = re.split(r"[/?#:]", re.sub(r"^\w+://", "", text.strip().casefold()))[0].removeprefix("www.")
        if "." in host and host not in _ANYBODYS:
            yield host
    for mail in mails:
        host = mail.rpartition("@")[2]
        if "." in host and host not in _ANYBODYS:
            yield host


@lru_cache(maxsize=1024)
def _words(text: str) -> tuple[str, ...]:
    folded = fold(with_pairs(text) or text)
    return tuple(_PAIRS.sub(_unpaired, word) for word in _WORD.findall(folded))


def _street(words: Iterable[str]) -> Iterator[str]:
    for word in words:
        for ending in ("strasse", "str"):
            if len(word) > len(ending) + 2 and word.endswith(ending):
                yield word.removesuffix(ending)
                word = "str"
        word = _STREET.get(word, word)
        if word and not word.isdecimal():
            yield word


def _places(address: Mapping[str, Any]) -> Iterator[str]:
    for part in ("city", "postcode"):
        if found := "".join(_words(str(address.get(part) or ""))):
            yield found


def _one_house(one: Said, other: Said) -> bool:
    if not (one.house & other.house and one.places & other.places):
        return False
    if not one.street or not other.street:
        return False
    less, more = sorted((one.street, other.street), key=len)
    return _held(less, more) or _slipped("".join(sorted(less)), "".join(sorted(more)))


def _elsewhere(one: Said, other: Said) -> bool:
    """Whether both say where they are, and it is not one place, or not one house of it: a chain has many."""
    places = one.places and other.places and not one.places & other.places
    return bool(places or (one.house and other.house and not one.house & other.house))


def _hashed(kind: str, text: str) -> int:
    return int.from_bytes(blake2b(f"{kind} {text}".encode(), digest_size=4).digest(), "big")

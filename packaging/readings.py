"""Writes resources/readings.txt: how Chinese characters are read, without tones, for the search of names.

Run with a folder in which the wheels of pypinyin and pypinyin-dict (both MIT) were unpacked:
`python packaging/readings.py FOLDER`. Neither is needed to run, build or test the program, so no lock names them.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

TABLE = Path(__file__).resolve().parent.parent / "resources" / "readings.txt"

FIRST, LAST = 0x4E00, 0x9FFF
SEVERAL = 5  # readings of one character, at most
OUTSIDE = (
    2  # readings of a character that no standard lists: the table that has all of them lists rare ones too
)

# Readings of names of families and places, and in names of persons, that the standards leave out or list apart.
IN_NAMES = {
    "晟": "sheng", "贠": "yun", "貟": "yun", "黑": "he", "乐": "lao", "樂": "lao", "万": "mo", "萬": "mo", "宓": "fu",
    "隗": "wei kui", "牟": "mu", "祭": "zhai", "秘": "bi", "费": "bi", "費": "bi", "阚": "kan", "闞": "kan",
    "郗": "chi xi", "莘": "shen", "澹": "tan", "仇": "qiu", "解": "xie", "查": "zha", "朴": "piao", "区": "ou",
    "區": "ou", "任": "ren", "盖": "ge", "蓋": "ge", "华": "hua", "尉": "yu", "俟": "qi", "覃": "qin tan",
    "种": "chong",
    "员": "yun", "員": "yun", "繁": "po", "折": "she", "缪": "miao", "繆": "miao", "翟": "zhai", "冼": "xian",
    "召": "shao", "单": "shan", "單": "shan", "曾": "zeng", "重": "chong", "洗": "xian", "逄": "pang", "长": "chang",
    "長": "chang", "六": "lu", "埔": "bu pu", "埠": "bu", "蚌": "beng", "番": "pan", "蔚": "yu", "浚": "xun",
    "泌": "bi",
    "铅": "yan", "鉛": "yan", "堡": "bu", "厦": "xia", "廈": "xia", "圳": "zhen", "茜": "xi", "珏": "jue", "祎": "yi",
    "彧": "yu", "昇": "sheng", "調": "diao", "賈": "jia", "行": "hang", "銀": "yin", "鑫": "xin", "喆": "zhe",
}  # fmt: skip

_HEAD = """\
# How Chinese characters are read, without tones: readings, a tab, the characters that have them and no other.
# ü is written v, and u beside it, since both are typed. Made by packaging/readings.py from pypinyin {pypinyin} and
# pypinyin-dict {dicts}: the tables of 2013 and 1983, the commonest readings of Unihan, and readings of names.
# Copyright (c) 2016 mozillazg, hotoo; copyright (c) 2021 mozillazg. Used under the MIT License:
# Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
# documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
# rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
# persons to whom the Software is furnished to do so, subject to the following conditions:
# The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
# Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT
# LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL
# THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF
# CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN
# THE SOFTWARE.
"""


def bare(reading: str) -> list[str]:
    """A reading without its tone; where it has an ü, in both ways of typing it. Nothing where it has no vowel."""
    marked = unicodedata.normalize("NFD", reading.strip()).replace("u\u0308", "v")
    plain = "".join(c for c in marked if unicodedata.category(c) != "Mn").replace("ɡ", "g")
    if not re.fullmatch("[a-z]*[aeiouv][a-z]*", plain):
        return []
    return [plain, plain.replace("v", "u")] if "v" in plain else [plain]


def readings(
    all_of_them: Mapping[int, str], standards: list[Mapping[int, str]]
) -> Iterator[tuple[str, list[str]]]:
    """Each character and its readings."""
    for code in range(FIRST, LAST + 1):
        char = chr(code)
        common = list(dict.fromkeys(b for each in all_of_them.get(code, "").split(",") for b in bare(each)))
        listed = {b for table in standards for each in table.get(code, "").split(",") for b in bare(each)}
        kept = [each for each in common if each in listed] + sorted(listed.difference(common))
        kept = (kept or common[:OUTSIDE])[:SEVERAL]
        kept += [each for each in IN_NAMES.get(char, "").split() if each not in kept]
        if kept:
            yield char, kept


def main() -> int:
    """Write the table."""
    folder = Path(sys.argv[1]).resolve()
    sys.path.insert(0, str(folder))
    names = ("ktghz2013", "kxhc1983", "khanyupinlu")
    standards = [importlib.import_module(f"pypinyin_dict.pinyin_data.{name}").pinyin_dict for name in names]
    every = importlib.import_module("pypinyin.constants").PINYIN_DICT
    groups: dict[str, list[str]] = {}
    for char, kept in readings(every, standards):
        groups.setdefault(" ".join(sorted(kept)), []).append(char)
    versions = {
        part.metadata["Name"]: part.version for part in importlib.metadata.distributions(path=[str(folder)])
    }
    head = _HEAD.format(pypinyin=versions["pypinyin"], dicts=versions["pypinyin-dict"])
    lines = [f"{said}\t{''.join(chars)}" for said, chars in sorted(groups.items())]
    TABLE.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

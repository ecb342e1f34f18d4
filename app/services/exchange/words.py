"""The words of other programs' files that the table of kinds does not hold: parts, labels, choices, strangers.

Headings are compared as `same_header` leaves them: without case, accents, spaces and signs.
"""

from __future__ import annotations

from typing import Final

from sync.protocol.kinds import KINDS, Kind, same_header
from sync.protocol.texts import gettext as _
from sync.protocol.texts import mark as N_


def _table(**words: str) -> dict[str, str]:
    """Each word of `a; b; c`, normalised, and the key it stands under."""
    return {same_header(word): key for key, line in words.items() for word in line.split("; ")}


# Parts of a name; "name" itself is in the table of kinds.
NAME_PARTS: Final = _table(
    first="first name; given name; first; forename; vorname; prénom; 名",
    middle="middle name; additional name; middle",
    last="last name; family name; surname; last; nachname; nom de famille; 姓",
)

# Parts of an address, and "more" for a second line of the street.
ADDRESS_PARTS: Final = _table(
    street="street; street address; address line 1; address 1; address line; road; straße; rue; 街道;"
    " 街道地址; 门牌",
    more="address line 2; address 2; street 2; street line 2; street address 2; extended address; 地址2;"
    " 地址补充",
    postcode="zip; zip code; zipcode; postal code; postcode; zip postal code; plz; code postal; 邮编;"
    " 邮政编码; 邮递区号",
    city="city; town; locality; ort; stadt; ville; 城市; 市; 所在城市; 县市",
    region="state; region; province; state region; state province; state province region; county; 省;"
    " 省份; 所在省份; 州; 区; 县; 区县; 地区; 乡镇市区; 行政区",
    country="country; country region; country name; land; pays; 国家; 国家地区; 国别; 国家或地区",
)

# Which of several addresses in a row is meant; the first of these that is there is taken, others are listed.
ADDRESS_GROUPS: Final = (
    "", "address", "billing", "company", "office", "work", "business", "primary", "main", "mailing",
    "physical", "headquarters", "visiting", "invoice", "legal", "home", "private", "shipping", "other", "alternate",
)  # fmt: skip

# Words of a heading that name a way to reach somebody, and the field it goes to.
CHANNELS: Final = {
    "phones": frozenset({
        "phone", "phones", "telephone", "tel", "telefon", "mobile", "cell", "cellphone", "handy", "fax",
        "电话", "手机", "座机", "传真", "行动电话", "市话",
    }),
    "emails": frozenset({"email", "emails", "mail", "邮箱", "电子邮件", "电邮", "信箱", "电子信箱"}),
    "websites": frozenset({"website", "websites", "web", "webpage", "homepage", "url", "site", "网站", "网址"}),
}  # fmt: skip

# Words of a heading that become the label of the value; "" says nothing worth keeping.
LABELS: Final = {
    "work": "work", "business": "work", "office": "work", "company": "work", "direct": "work", "座机": "work",
    "市话": "work",
    "home": "home", "private": "home", "personal": "home", "mobile": "mobile", "cell": "mobile",
    "cellphone": "mobile", "handy": "mobile", "手机": "mobile", "行动电话": "mobile",
    "fax": "fax", "传真": "fax", "other": "other",
    "alternate": "other", "secondary": "other", "additional": "other", "main": "main", "switchboard": "main",
    "car": "car", "pager": "pager", "blog": "blog", "profile": "profile", "shop": "shop",
    "phone": "", "phones": "", "telephone": "", "tel": "", "telefon": "", "电话": "", "email": "", "emails": "",
    "mail": "", "e": "", "邮箱": "", "电子邮件": "", "电邮": "", "信箱": "", "电子信箱": "",
    "website": "", "websites": "", "web": "", "webpage": "", "homepage": "",
    "url": "", "site": "", "网站": "", "网址": "", "page": "", "value": "", "number": "", "no": "", "address": "",
    "primary": "", "contact": "", "customer": "", "the": "",
}  # fmt: skip

# Words that other programs put before their headings to say which record a column belongs to.
OWNERS: Final = {
    "property": tuple(KINDS), "properties": tuple(KINDS), "person": ("contact", "customer"),
    "organization": ("customer", "contact"), "organisation": ("customer", "contact"), "company": ("customer",),
    "account": ("customer",), "deal": ("deal",), "contact": ("contact",),
}  # fmt: skip
OWN_NAME: Final = ("property", "properties", "person")  # before "name" these do not mean another record

# What other programs write for our choices, by kind and field.
CHOICES: Final[dict[tuple[str, str], dict[str, str]]] = {
    ("customer", "type"): _table(
        company="company; organization; organisation; business; 1; true; yes; y; 公司; 企业; 单位; 是",
        person="person; individual; contact; private; 0; false; no; n; 个人; 自然人; 否",
    ),
    ("customer", "stage"): _table(
        lead="lead; new; open; subscriber; 线索; 名单; 新客户; 新增",
        prospect="prospect; qualified; marketing qualified lead; marketingqualifiedlead; sales qualified lead;"
        " salesqualifiedlead; opportunity; in progress; 意向客户; 潜在客户; 有意向; 跟进中",
        customer="customer; client; active; won; evangelist; 客户; 成交客户; 已成交; 正式客户; 合作中; 老客户",
        former="former; former customer; churned; lost; inactive; 流失客户; 已流失; 流失; 历史客户;"
        " 过往客户; 前客户; 停止合作",
    ),
    ("deal", "stage"): _table(
        prospecting="prospecting; new; lead; lead in; qualification; appointment scheduled; 初步接洽;"
        " 新建; 初步接触; 初步沟通; 初期接触; 立项",
        engaging="engaging; contact made; needs analysis; qualified to buy; in progress; open; 需求确认;"
        " 跟进中; 深入洽谈; 需求分析; 需求调研; 洽谈中",
        proposal="proposal; proposal made; proposal price quote; value proposition; presentation scheduled;"
        " quote sent; 方案报价; 报价; 提案报价; 提案; 已报价; 方案; 报价中; 方案验证",
        negotiation="negotiation; negotiations started; negotiation review; contract sent;"
        " decision maker bought in; 商务谈判; 谈判; 合同; 议价协商; 议价; 协商; 合同签订; 合约; 商务洽谈;"
        " 谈判审核; 签约",
        won="won; closed won; closedwon; win; 赢单; 成交; 已成交; 成功; 已赢单; 得标; 中标",
        lost="lost; closed lost; closedlost; lose; 输单; 失败; 丢单; 未成交; 已输单; 流标; 落标; 流失",
    ),
    ("activity", "type"): _table(
        visit="visit; on site; 拜访; 上门; 上门拜访; 到访; 外勤",
        call="call; phone call; phone; 电话; 去电; 来电; 电话沟通; 通话",
        email="email; e-mail; mail; 邮件; 电子邮件; 电邮",
        meeting="meeting; event; appointment; demo; 会议; 开会; 会面; 线上会议",
        note="note; comment; other; 备注; 记录; 其他; 笔记",
    ),
    ("task", "priority"): _table(
        low="low; 低; 不急",
        normal="normal; medium; none; 中; 普通; 一般; 正常; 中等",
        high="high; urgent; 高; 紧急; 重要; 急",
    ),
    ("consent", "purpose"): _table(
        news="news; newsletter; product news; 产品资讯; 产品消息; 产品信息; 电子报",
        offers="offers; marketing; promotions; 优惠信息; 优惠讯息; 促销; 营销",
        calls="calls; phone calls; 电话联系; 电话联络; 电话",
        service="service; service messages; 服务通知; 服务",
        sharing="sharing; partners; 与合作伙伴共享; 提供给合作伙伴; 共享",
    ),
    ("consent", "status"): _table(
        given="given; granted; yes; opted in; 已同意; 同意; 是; 有效",
        expired="expired; lapsed; 已过期; 已到期; 过期; 到期; 失效",
        withdrawn="withdrawn; revoked; opted out; unsubscribed; 已撤回; 撤回; 退订; 取消订阅",
        refused="refused; denied; no; 已拒绝; 拒绝; 不同意; 否",
    ),
    ("consent", "basis"): _table(
        consent="consent; 同意; 已同意",
        contract="contract; 合同; 契约; 合约",
        interest="interest; legitimate interest; 正当利益; 合法利益",
        law="law; legal duty; legal obligation; 法定义务; 法律义务",
    ),
}

# Amounts that other programs' files often count in thousands or millions.
OFTEN_IN_UNITS: Final = frozenset({("customer", "revenue")})

# Files that are no records of ours, by a word of their name, and the reason that the report gives.
STRANGERS: Final = _table(
    people="employees; employee; users; user; owners; owner; agents; sales agents; staff; sales teams;"
    " sales team;"
    " team members; reps; sales reps; 员工; 用户; 业务员; 使用者; 员工名单",
    suppliers="suppliers; supplier; vendors; vendor; shippers; shipper; 供应商; 厂商",
    log="history; log; logs; audit",
)

# A heading that only a list of the team's own people has.
PEOPLE_ID: Final = frozenset(
    same_header(word)
    for word in (
        "employee id", "user id", "owner id", "agent id", "sales agent", "sales rep", "salesperson", "employee",
        "user", "agent", "业务员", "员工编号",
    )
)  # fmt: skip

_REASONS: Final = {
    "people": N_(
        "These are people of your own team. IT adds them as accounts; nothing of this file was taken."
    ),
    "suppliers": N_("These are suppliers, not customers. Name the kind to import them all the same."),
    "log": N_("This is a log of changes; it holds no records."),
    "dictionary": N_("This file describes the other files; it holds no records."),
    "unknown": N_(
        "The headings do not tell which kind of record this is. Name it (on the command line: --kind customer), or use"
        " a heading that tells, such as “industry” for customers, “close date” for deals, “unit price” for products."
    ),
    "untitled": N_("No column holds the name of the record. Check the row of headings."),
    "ambiguous": N_(
        "More than one kind of record fits the headings. Name the kind (on the command line: --kind customer), or use a"
        " heading that tells, such as “industry” for customers, “close date” for deals, “unit price” for products."
    ),
    "no_table": N_("This is no CSV file and no .xlsx workbook."),
    "hidden": N_(
        "Records of this kind need a field that is hidden on this device. Ask IT if you should see it."
    ),
}


def our_id(kind: Kind) -> str:
    """The heading of export's first column: it tells the kind, and that the ids are ours."""
    return f"Fieldkeep {kind.name} id"


def reason(word: str) -> str:
    """The sentence that says why a file was left out."""
    return _(_REASONS[word])

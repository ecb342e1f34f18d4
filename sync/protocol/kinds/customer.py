"""The kind customer: a company or a person that the team sells to."""

from __future__ import annotations

from sync.protocol.fields import (
    Address,
    Care,
    Choice,
    Field,
    Find,
    Flag,
    Integer,
    Merge,
    Money,
    Notes,
    Person,
    Ref,
    Several,
    Tags,
    Text,
)
from sync.protocol.kinds.table import Kind
from sync.protocol.texts import mark as N_

TYPES = (("company", N_("Company")), ("person", N_("Person")))
STAGES = (
    ("lead", N_("Lead")),
    ("prospect", N_("Prospect")),
    ("customer", N_("Customer")),
    ("former", N_("Former customer")),
)

# One field, one entry: the table is read as a table.
# fmt: off
CUSTOMER = Kind(
    name="customer",
    label=N_("Customer"),
    plural=N_("Customers"),
    icon="customer",
    title="name",
    subtitle=("industry", "address"),
    side="stage",
    order=1,
    alike=True,
    synonyms="accounts; companies; company; organizations; organisations; customers; clients; 客户; 公司; 企业; 客户名单; 客户资料",
    fields=(
        Field("name", N_("Name"), Text(), required=True, care=Care.CONFIDENTIAL, find=Find.NAME, column=1,
              synonyms="account; account name; company; company name; customer; customer name; organization; organisation; organization name; full name; client; business name; 名称; 客户名称; 客户; 公司; 公司名称; 企业名称; 单位名称; firma; nom; kunde; 客户简称; 客户全称; 公司全称; 单位; 店名; 机构名称"),
        Field("type", N_("Type"), Choice(TYPES), default="company",
              synonyms="customer type; account type; company type; is company; is a company; 客户类型; 类型"),
        Field("stage", N_("Stage"), Choice(STAGES), merge=Merge.HOLD, column=3,
              synonyms="lifecycle stage; lifecyclestage; life cycle; status; lead status; 阶段; 客户阶段; 客户状态; 状态; 跟进阶段; 生命周期"),
        Field("industry", N_("Industry"), Text(limit=120), find=Find.WORDS, column=2,
              synonyms="sector; branch; vertical; market segment; 行业; 所属行业; branche; 产业; 产业别; 行业别; 行业类别"),
        Field("phones", N_("Phones"), Several(of="phone"), alias="phone", care=Care.CONFIDENTIAL, find=Find.DIGITS,
              synonyms="phone; phone number; telephone; tel; mobile; mobile phone; cell; work phone; home phone; phone 1; phone 2; fax; 电话; 手机; 联系电话; 手机号; 座机; telefon; 公司电话; 手机号码; 电话号码; 联络电话; 行动电话; 市话; 固定电话; 固话; 传真; 传真号码"),
        Field("emails", N_("E-mails"), Several(of="email", labels=("work", "home", "other")), alias="email",
              care=Care.CONFIDENTIAL, find=Find.WORDS,
              synonyms="email; e-mail; email address; e-mail address; work email; mail; 邮箱; 电子邮箱; 邮件; 电子邮件; 电邮; 邮件地址; 电子信箱; 信箱"),
        Field("websites", N_("Websites"), Several(of="url", labels=("main", "shop", "other")), alias="website",
              synonyms="website; web site; url; homepage; domain; company domain name; 网站; 网址; 官网; 网页; 公司网址; 公司网站; 官方网站"),
        Field("address", N_("Address"), Address(), care=Care.CONFIDENTIAL, find=Find.WORDS, column=5,
              synonyms="office location; location; billing address; mailing address; street address; address line 1; 地址; 详细地址; 公司地址; adresse; 联系地址; 通讯地址; 注册地址; 办公地址; 营业地址; 联络地址"),
        Field("owner", N_("Owner"), Person(), column=4,
              synonyms="account owner; company owner; contact owner; sales agent; salesperson; sales rep; rep; assigned to; responsible; 负责人; 业务员; 销售; 客户经理; 归属人; 归属; 责任人; 负责业务; 业务代表; 业务; 销售代表; 客户负责人; 所有者"),
        Field("territory", N_("Territory"), Text(limit=120), find=Find.WORDS,
              synonyms="region; regional office; sales territory; 区域; 大区; 销售区域; 业务区域; 所属区域; 地区"),
        Field("parent", N_("Part of"), Ref(to="customer"),
              synonyms="subsidiary of; parent account; parent company; related company; associated company; 上级客户; 母公司; 上层客户; 集团; 所属集团; 总公司"),
        Field("employees", N_("Employees"), Integer(high=10_000_000),
              synonyms="number of employees; numberofemployees; employee count; staff; headcount; 员工数; 员工人数; 人数; 员工数量"),
        Field("revenue", N_("Annual revenue"), Money(), merge=Merge.LATEST, care=Care.CONFIDENTIAL,
              synonyms="revenue; annual revenue; annualrevenue; turnover; 年收入; 营收; 年营业额; 年营收; 营业额; 年销售额; 营业收入"),
        Field("founded", N_("Founded in"), Integer(low=800, high=2200),
              synonyms="year established; year founded; founded; established; 成立年份; 成立时间; 成立于; 创立年份; 创立"),
        Field("source", N_("Source"), Text(limit=120),
              synonyms="lead source; original source; customer source; 来源; 客户来源; 线索来源; 获客来源; 渠道"),
        Field("language", N_("Language"), Text(limit=35), synonyms="preferred language; 语言"),
        Field("tax_number", N_("Tax number"), Text(limit=60), care=Care.RESTRICTED, find=Find.WORDS,
              synonyms="vat; vat number; tax id; tax no; registration number; 税号; 统一社会信用代码; 纳税人识别号; 统一编号; 统编; 信用代码; 社会信用代码"),
        Field("number", N_("Number"), Text(limit=60), find=Find.WORDS,
              synonyms="account number; customer id; customer number; account id; company id; record id; external id; 客户编号; 编号; 客户编码; 客户代码; 代码; 客户id"),
        Field("do_not_contact", N_("Do not contact"), Flag(), merge=Merge.STRICTER,
              synonyms="opt out; opted out; unsubscribed; email opt out; do not call; has opted out of email; 勿扰; 退订; 请勿联系; 请勿联络; 拒绝联系"),
        Field("tags", N_("Tags"), Tags(), alias="tag", find=Find.WORDS, synonyms="tag; labels; category; categories; 标签; 客户标签"),
        Field("notes", N_("Notes"), Notes(), care=Care.CONFIDENTIAL, find=Find.NOTES,
              synonyms="note; description; comment; comments; remarks; 备注; 描述; 说明; 备忘; 注释"),
    ),
)

"""The kinds contact and consent: the persons at a customer, and what they agreed to."""

from __future__ import annotations

from sync.protocol.fields import (
    Care,
    Choice,
    Date,
    Field,
    Find,
    Flag,
    Merge,
    Notes,
    Person,
    Ref,
    Several,
    Tags,
    Text,
)
from sync.protocol.kinds.table import Kind
from sync.protocol.texts import mark as N_

# The mildest first: where two people meet, the later entry of this list wins.
CONSENT_STATES = (
    ("given", N_("Given")),
    ("expired", N_("Expired")),
    ("withdrawn", N_("Withdrawn")),
    ("refused", N_("Refused")),
)
PURPOSES = (
    ("news", N_("Product news")),
    ("offers", N_("Offers")),
    ("calls", N_("Phone calls")),
    ("service", N_("Service messages")),
    ("sharing", N_("Sharing with partners")),
)
BASES = (
    ("consent", N_("Consent")),
    ("contract", N_("Contract")),
    ("interest", N_("Legitimate interest")),
    ("law", N_("Legal duty")),
)

# One field, one entry: the table is read as a table.
# fmt: off
CONTACT = Kind(
    name="contact",
    label=N_("Contact"),
    plural=N_("Contacts"),
    icon="contact",
    title="name",
    subtitle=("role", "customer"),
    order=2,
    alike=True,
    synonyms="contacts; people; persons; leads; 联系人; 联络人; 通讯录",
    fields=(
        Field("name", N_("Name"), Text(), required=True, care=Care.CONFIDENTIAL, find=Find.NAME, column=1,
              synonyms="full name; contact name; contact; contact person; primary contact; main contact; ansprechpartner; kontaktperson; display name; first name; last name; given name; family name; surname; 姓名; 联系人; 联系人姓名; 名字; 名称; 联系人名称; 联络人; 联络人姓名; 客户联系人"),
        Field("customer", N_("Customer"), Ref(to="customer"), column=2,
              synonyms="account; account name; company; company name; organization; organisation; associated company; 客户; 客户名称; 公司; 公司名称; 所属客户; 客户公司; 所属公司; 单位; 单位名称; 公司全称"),
        Field("role", N_("Role"), Text(limit=120), find=Find.WORDS, column=3,
              synonyms="title; job title; position; function; 职务; 职位; 岗位; 职称; 头衔; 岗位名称"),
        Field("department", N_("Department"), Text(limit=120), synonyms="division; 部门; 单位部门; 所属部门"),
        Field("phones", N_("Phones"), Several(of="phone"), alias="phone", care=Care.CONFIDENTIAL, find=Find.DIGITS,
              synonyms="phone; phone number; telephone; tel; mobile; mobile phone; cell; work phone; home phone; 电话; 手机; 手机号; 联系电话; 手机号码; 电话号码; 联系人电话; 联络电话; 行动电话; 市话; 固定电话; 座机; 办公电话; 传真"),
        Field("emails", N_("E-mails"), Several(of="email", labels=("work", "home", "other")), alias="email",
              care=Care.CONFIDENTIAL, find=Find.WORDS,
              synonyms="email; e-mail; email address; e-mail address; work email; mail; 邮箱; 电子邮箱; 邮件; 电子邮件; 电邮; 电子信箱; 信箱; 邮件地址; 联系人邮箱"),
        Field("owner", N_("Owner"), Person(), column=4,
              synonyms="contact owner; assigned to; sales rep; 负责人; 业务员; 业务; 业务代表; 责任人; 销售; 客户经理"),
        Field("do_not_contact", N_("Do not contact"), Flag(), merge=Merge.STRICTER,
              synonyms="opt out; opted out; unsubscribed; email opt out; do not call; 勿扰; 退订; 请勿联系; 请勿联络; 拒绝联系"),
        Field("tags", N_("Tags"), Tags(), alias="tag", find=Find.WORDS, synonyms="tag; labels; 标签"),
        Field("notes", N_("Notes"), Notes(), care=Care.CONFIDENTIAL, find=Find.NOTES,
              synonyms="note; description; comment; comments; remarks; 备注; 说明; 描述"),
    ),
)

CONSENT = Kind(
    name="consent",
    label=N_("Consent"),
    plural=N_("Consents"),
    icon="consent",
    title="purpose",
    subtitle=("customer", "contact"),
    side="status",
    order=7,
    synonyms="consents; optins; permissions; 同意; 授权",
    fields=(
        Field("purpose", N_("Purpose"), Choice(PURPOSES), required=True, column=1, synonyms="consent purpose; 用途; 目的; 同意用途; 同意目的"),
        Field("status", N_("Status"), Choice(CONSENT_STATES), required=True, merge=Merge.STRICTER, default="given", column=2,
              synonyms="consent status; state; 状态; 同意状态"),
        Field("customer", N_("Customer"), Ref(to="customer"), column=3, synonyms="account; company; 客户; 客户名称; 公司"),
        Field("contact", N_("Contact"), Ref(to="contact"), synonyms="person; contact name; 联系人; 联系人姓名; 联络人"),
        Field("basis", N_("Legal basis"), Choice(BASES), default="consent", synonyms="lawful basis; 法律依据; 法源"),
        Field("given_on", N_("Given on"), Date(), column=4, synonyms="consent date; date; opt in date; 同意日期; 授权日期"),
        Field("ends_on", N_("Ends on"), Date(), merge=Merge.STRICTER, column=5, synonyms="valid until; expiry; expires; 有效期至; 到期日期; 有效期限; 到期日; 截止日期"),
        Field("evidence", N_("Evidence"), Text(), care=Care.CONFIDENTIAL, synonyms="proof; source; how; 凭证; 佐证; 证据; 依据"),
        Field("notes", N_("Notes"), Notes(), care=Care.CONFIDENTIAL, find=Find.NOTES, synonyms="note; comment; 备注; 说明"),
    ),
)

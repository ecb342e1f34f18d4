"""The kinds deal and product: what is sold, to whom, for how much, and how far it has come."""

from __future__ import annotations

from sync.protocol.fields import (
    Care,
    Choice,
    Date,
    Field,
    Find,
    Flag,
    Integer,
    Merge,
    Money,
    Notes,
    Person,
    Ref,
    Text,
)
from sync.protocol.kinds.table import Ahead, Kind, Totals
from sync.protocol.texts import mark as N_

STAGES = (
    ("prospecting", N_("Prospecting")),
    ("engaging", N_("Engaging")),
    ("proposal", N_("Proposal")),
    ("negotiation", N_("Negotiation")),
    ("won", N_("Won")),
    ("lost", N_("Lost")),
)

# One field, one entry: the table is read as a table.
# fmt: off
DEAL = Kind(
    name="deal",
    label=N_("Deal"),
    plural=N_("Deals"),
    icon="deal",
    title="name",
    subtitle=("stage", "customer"),
    side="amount",
    order=3,
    synonyms="deals; opportunities; opportunity; pipeline; sales pipeline; 商机; 合同; 订单",
    ahead=Ahead(when="close_on", whose="owner", over=("stage", ("won", "lost"))),
    totals=(
        Totals(by=("owner", "stage", "close_on"), sums=("amount",)),
        Totals(by=("close_on", "stage"), sums=("amount",)),  # what the first could tell only by sorting all of it
    ),
    fields=(
        Field("name", N_("Name"), Text(), required=True, care=Care.CONFIDENTIAL, find=Find.NAME, column=1,
              synonyms="deal name; opportunity; opportunity name; title; subject; 商机名称; 名称; 项目名称; 商机标题; 案名; 案件名称; 专案名称; 合同名称; 订单名称"),
        Field("customer", N_("Customer"), Ref(to="customer"), column=2,
              synonyms="account; account name; company; company name; organization; 客户; 客户名称; 公司; 公司名称; 客户公司; 所属客户"),
        Field("product", N_("Product"), Ref(to="product"), synonyms="product name; item; 产品; 产品名称; 意向产品; 商品; 品名"),
        Field("stage", N_("Stage"), Choice(STAGES), merge=Merge.HOLD, default="prospecting", column=3,
              synonyms="deal stage; dealstage; sales stage; status; 阶段; 商机阶段; 销售阶段; 进度; 商机状态; 状态"),
        Field("amount", N_("Amount"), Money(), care=Care.CONFIDENTIAL, column=4,
              synonyms="close value; value; deal value; deal amount; price; total; 金额; 商机金额; 预计金额; 合同金额; 订单金额; 成交金额; 预估金额; 总金额; 报价金额"),
        Field("owner", N_("Owner"), Person(), column=5,
              synonyms="sales agent; deal owner; opportunity owner; salesperson; sales rep; rep; assigned to; 负责人; 业务员; 销售; 商机负责人; 责任人; 业务; 业务代表; 销售代表"),
        Field("engaged_on", N_("Engaged on"), Date(),
              synonyms="engage date; create date; created; created date; opened; start date; 创建时间; 开始日期; 接洽日期; 创建日期; 建立日期; 建立时间; 立项日期"),
        Field("close_on", N_("Close on"), Date(), merge=Merge.LATEST, column=6,
              synonyms="close date; closedate; expected close; expected close date; closing date; 预计成交日期; 结束日期; 成交日期; 结单日期; 结案日期; 结案日; 预计结案日期; 预计结案日; 预计成交日; 预计结束时间; 结束时间; 预计成交时间"),
        Field("probability", N_("Probability"), Integer(high=100), synonyms="win probability; chance; 概率; 赢率; 赢单概率; 成交概率; 成交机率; 机率; 胜率; 成功率; 可能性"),
        Field("number", N_("Number"), Text(limit=60), find=Find.WORDS,
              synonyms="opportunity id; deal id; record id; external id; 商机编号; 编号; 商机id; 案件编号; 合同编号; 订单编号"),
        Field("lost_reason", N_("Lost because"), Text(), synonyms="closed lost reason; loss reason; reason; 丢单原因; 输单原因; 未成交原因; 失败原因"),
        Field("notes", N_("Notes"), Notes(), care=Care.CONFIDENTIAL, find=Find.NOTES,
              synonyms="note; description; comment; next step; 备注; 描述; 说明"),
    ),
)

PRODUCT = Kind(
    name="product",
    label=N_("Product"),
    plural=N_("Products"),
    icon="product",
    title="name",
    subtitle=("series", "code"),
    side="price",
    shared=True,
    order=4,
    synonyms="products; items; catalogue; catalog; price list; 产品; 商品",
    fields=(
        Field("name", N_("Name"), Text(), required=True, care=Care.PUBLIC, find=Find.NAME, column=1,
              synonyms="product; product name; item; title; 产品; 产品名称; 商品名称; 名称; 品名; 商品"),
        Field("code", N_("Code"), Text(limit=60), care=Care.PUBLIC, find=Find.WORDS, column=2,
              synonyms="product code; sku; item number; article number; 产品编号; 编码; 编号; 代码; 料号; 品号; 货号; 商品编号"),
        Field("series", N_("Series"), Text(limit=120), care=Care.PUBLIC, find=Find.WORDS, column=3,
              synonyms="family; product family; category; line; 系列; 产品系列; 类别; 分类; 品类; 产品类别"),
        Field("price", N_("Price"), Money(), merge=Merge.LATEST, column=4,
              synonyms="sales price; list price; unit price; standard price; 价格; 单价; 标准价格; 售价; 定价; 标价"),
        Field("unit", N_("Unit"), Text(limit=40), care=Care.PUBLIC, synonyms="quantity per unit; uom; 单位; 计量单位"),
        Field("active", N_("On sale"), Flag(), care=Care.PUBLIC, synonyms="is active; available; 在售; 启用; 销售中; 贩售中; 上架; 是否上架; 是否启用"),
        Field("description", N_("Description"), Notes(), care=Care.PUBLIC, find=Find.NOTES, synonyms="details; notes; 描述; 说明; 产品描述; 备注; 规格"),
    ),
)

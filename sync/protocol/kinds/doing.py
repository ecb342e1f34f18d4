"""The kinds activity and task: what happened with a customer, and what is to be done."""

from __future__ import annotations

from sync.protocol.fields import (
    Care,
    Choice,
    Date,
    Field,
    Find,
    Flag,
    Instant,
    Integer,
    Merge,
    Notes,
    Person,
    Ref,
    Text,
)
from sync.protocol.kinds.table import Ahead, Kind
from sync.protocol.texts import mark as N_

TYPES = (
    ("visit", N_("Visit")),
    ("call", N_("Call")),
    ("email", N_("E-mail")),
    ("meeting", N_("Meeting")),
    ("note", N_("Note")),
)
PRIORITIES = (("low", N_("Low")), ("normal", N_("Normal")), ("high", N_("High")))

# One field, one entry: the table is read as a table.
# fmt: off
ACTIVITY = Kind(
    name="activity",
    label=N_("Activity"),
    plural=N_("Activities"),
    icon="activity",
    title="subject",
    subtitle=("type", "customer"),
    side="at",
    ahead=Ahead(when="at", whose="owner", over=("type", ("note",))),  # a note tells of what was
    order=6,
    synonyms="activities; events; visits; calls; meetings; 跟进; 活动; 拜访",
    fields=(
        Field("subject", N_("Subject"), Text(), required=True, care=Care.CONFIDENTIAL, find=Find.NAME, column=1,
              synonyms="title; activity; topic; 主题; 标题; 主旨; 跟进主题; 活动名称"),
        Field("type", N_("Type"), Choice(TYPES), default="visit", column=2, synonyms="activity type; kind; channel; 类型; 跟进方式; 活动类型; 跟进类型; 方式"),
        Field("at", N_("When"), Instant(), column=3, synonyms="date; time; start; start time; starts at; started at; activity date; 时间; 日期; 跟进时间; 活动时间; 开始时间; 拜访时间; 拜访日期; 跟进日期"),
        Field("customer", N_("Customer"), Ref(to="customer"), column=4, synonyms="account; company; 客户; 客户名称; 公司; 公司名称"),
        Field("contact", N_("Contact"), Ref(to="contact"), synonyms="person; contact name; 联系人; 联系人姓名; 联络人; 联络人姓名"),
        Field("deal", N_("Deal"), Ref(to="deal"), synonyms="opportunity; 商机; 商机名称"),
        Field("minutes", N_("Minutes"), Integer(high=100_000), synonyms="duration; length; 时长; 历时; 时长分钟; 分钟"),
        Field("owner", N_("Owner"), Person(), synonyms="assigned to; sales rep; 负责人; 跟进人; 业务; 业务员; 责任人; 拜访人"),
        Field("outcome", N_("Outcome"), Text(), care=Care.CONFIDENTIAL, synonyms="result; 结果; 跟进结果; 拜访结果"),
        Field("about", N_("About"), Notes(), care=Care.CONFIDENTIAL, find=Find.NOTES,
              synonyms="notes; note; description; comment; body; 内容; 跟进内容; 备注; 说明; 描述; 沟通内容; 拜访内容; 记录"),
    ),
)

TASK = Kind(
    name="task",
    label=N_("Task"),
    plural=N_("Tasks"),
    icon="task",
    title="subject",
    subtitle=("customer", "owner"),
    side="due",
    ahead=Ahead(when="due", whose="owner", over=("done", (True,))),
    order=5,
    synonyms="tasks; todos; to do; 任务; 待办; 待办事项",
    fields=(
        Field("subject", N_("Subject"), Text(), required=True, care=Care.CONFIDENTIAL, find=Find.NAME, column=1,
              synonyms="title; task; task name; 主题; 任务名称; 标题; 主旨; 待办; 待办事项; 事项"),
        Field("due", N_("Due"), Date(), column=2, synonyms="due date; deadline; date; 截止日期; 到期日; 期限; 到期日期; 截止时间; 到期时间"),
        Field("done", N_("Done"), Flag(), column=3, synonyms="completed; is done; closed; 完成; 已完成; 是否完成; 完成状态"),
        Field("priority", N_("Priority"), Choice(PRIORITIES), default="normal", synonyms="importance; 优先级; 优先顺序; 优先等级; 重要性"),
        Field("customer", N_("Customer"), Ref(to="customer"), column=4, synonyms="account; company; 客户; 客户名称; 公司"),
        Field("contact", N_("Contact"), Ref(to="contact"), synonyms="person; contact name; 联系人; 联络人"),
        Field("deal", N_("Deal"), Ref(to="deal"), synonyms="opportunity; 商机; 商机名称"),
        Field("owner", N_("Owner"), Person(), merge=Merge.LATEST, synonyms="assigned to; assignee; 负责人; 执行人; 责任人; 业务; 指派给"),
        Field("notes", N_("Notes"), Notes(), care=Care.CONFIDENTIAL, find=Find.NOTES, synonyms="note; description; comment; 备注; 说明; 描述; 内容"),
    ),
)

"""The kind attachment: a file that belongs to another record, such as the photo of a card or a signed contract."""

from __future__ import annotations

from sync.protocol.fields import Care, Content, Field, Find, Instant, Person, Ref, Text
from sync.protocol.kinds.table import Kind
from sync.protocol.texts import mark as N_

# One field, one entry: the table is read as a table. An attachment belongs where the first record belongs that it
# names, so what is nearest to it stands first.
# fmt: off
ATTACHMENT = Kind(
    name="attachment",
    label=N_("Attachment"),
    plural=N_("Attachments"),
    icon="attachment",
    title="name",
    subtitle=("content", "by"),
    side="added",
    order=8,
    from_file=True,
    fields=(
        Field("name", N_("Name"), Text(limit=200), required=True, care=Care.CONFIDENTIAL, find=Find.NAME, column=1),
        Field("content", N_("Size"), Content(), required=True, care=Care.CONFIDENTIAL),
        Field("media", N_("Type"), Text(limit=120), column=2),
        Field("activity", N_("Activity"), Ref(to="activity")),
        Field("task", N_("Task"), Ref(to="task")),
        Field("deal", N_("Deal"), Ref(to="deal")),
        Field("contact", N_("Contact"), Ref(to="contact")),
        Field("customer", N_("Customer"), Ref(to="customer"), column=3),
        Field("by", N_("Added by"), Person(), column=4),
        Field("added", N_("Added"), Instant(), column=5),
    ),
)

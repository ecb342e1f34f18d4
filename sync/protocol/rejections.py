"""Why the server did not take a change, in sentences that both sides know: one that was heard in another language is
told in the reader's.
"""

from __future__ import annotations

from typing import Final

from sync.protocol.texts import LANGUAGES, gettext, speaking
from sync.protocol.texts import mark as N_

NOT_TAKEN: Final = N_("This change was refused. What you wrote is kept on the server; ask IT.")
PART_OF_AN_ACT: Final = N_(
    "It belongs to an act of which another change was refused. What you wrote is kept on the server; ask IT."
)
UNREADABLE: Final = N_("This change could not be read.")
UNKNOWN_KIND: Final = N_("The server does not know this kind of record yet.")
FORGOTTEN: Final = N_("It was deleted so long ago that nothing of it is kept.")
HIDDEN: Final = N_(
    "It sets a field that is hidden for your role. What you wrote is kept on the server; ask IT."
)
NOT_THERE: Final = N_("This record is not on the server.")
TOO_DISPUTED: Final = N_("Too many edits of this record have met. Settle some, then make this change again.")
READS_ONLY: Final = N_("Your role may not change records. What you wrote is kept on the server; ask IT.")
NOT_YOURS: Final = N_(
    "You may not change this record any more. What you wrote is kept on the server; ask IT."
)

KNOWN: Final = (
    NOT_TAKEN, PART_OF_AN_ACT, UNREADABLE, UNKNOWN_KIND, FORGOTTEN, HIDDEN, NOT_THERE, TOO_DISPUTED, READS_ONLY,
    NOT_YOURS,
)  # fmt: skip


# Those that say already where the words of the change are.
SAY_KEPT: Final = (NOT_TAKEN, PART_OF_AN_ACT, HIDDEN, READS_ONLY, NOT_YOURS)


def told(hint: str) -> str:
    """What a server said, in the language in use; as it came where it is no sentence of ours."""
    here = {known: gettext(known) for known in KNOWN}
    if not hint or hint in here.values():
        return hint
    for language in LANGUAGES:
        with speaking(language):
            known = next((each for each in KNOWN if gettext(each) == hint), "")
        if known:
            return here[known]
    return hint

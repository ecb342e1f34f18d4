"""What rules an open profile: policy, lease, clock and posture, judged anew when asked and remembered in between."""

from __future__ import annotations

from typing import Any, Final

from app.keys import trusted_time
from app.keys.state import Alarm
from app.paths import Profile
from app.services import guard, reasons
from app.services.card import Card
from app.services.held import policy_in_force
from app.services.kept_orders import Pending
from app.services.memory import Memory
from app.services.papers import Papers
from app.services.posture import Posture
from app.services.wipe import Intent
from app.services.wiped import intent_for, intent_of_silence
from sync.protocol import ladder
from sync.protocol.documents import Policy
from sync.protocol.facts import POLICY_NUMBER

BECAUSE_MAX: Final = 20  # signals that the server is told of
ALARM_MS: Final = 7 * 86_400_000  # how long a document that did not hold is shown to people


class Ruling:
    """Asked by the session before anything opens, and by every service before anything leaves the program."""

    def __init__(self, profile: Profile, memory: Memory, papers: Papers) -> None:
        self.posture = Posture(profile.folder)
        self._memory = memory
        self._papers = papers
        self._judged: guard.Verdict | None = None
        self.coming = ""  # a wipe that waits for its time, in words, as it was judged last
        self.wipe_at = 0  # that time (UTC milliseconds), 0 where none waits
        papers.posture = self.told

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self._papers.held.policy

    def judge(self) -> guard.Verdict:
        """What is to be done now."""
        reading, state = self._memory.reading(), self._memory.state
        pending = self._papers.pending() if state.waiting else []
        first = reasons.next_wipe(pending)
        self.coming, self.wipe_at = reasons.wipe_coming(pending), first.not_before if first else 0
        wanted = ladder.needs_told(self.policy)
        self._judged = guard.judge(
            self.policy,
            last_contact=state.last_contact,
            lease_until=state.lease_until,
            now=reading.now,
            anomaly=reading.anomaly,
            missing=self._papers.order_missing(),
            posture={**self.posture.read(wanted), **self._own()} if wanted else {},
        )
        return self._judged

    @property
    def verdict(self) -> guard.Verdict:
        """As it was judged last."""
        return self._judged if self._judged is not None else self.judge()

    def warning(self) -> str:
        """The signal that policy warns of, or by which it restricts; or nothing."""
        verdict = self.verdict
        return verdict.signal if verdict.rung in (guard.Rung.WARN, guard.Rung.RESTRICT) else ""

    def refuse_use(self, use: str) -> None:
        """Asked before anything leaves the program. Raises NotAllowed where policy takes this use away."""
        reasons.refuse(self.verdict, use)

    def told(self) -> dict[str, Any]:
        """What the server is told of this device: all of its posture, and where policy has put it."""
        verdict = self.verdict
        found = {**self.posture.all(), **self._own(), "rung": ladder.WORDS[verdict.rung]}
        found[POLICY_NUMBER] = self.policy.version
        if verdict.reasons:
            found["because"] = sorted({reason.signal for reason in verdict.reasons})[:BECAUSE_MAX]
        return found

    def alarm(self) -> Alarm | None:
        """The last document that did not hold, for as long as people are told of it."""
        alarm = self._memory.state.alarm
        return alarm if alarm is not None and self._memory.now() - alarm.at < ALARM_MS else None

    def clock_anomaly(self) -> str:
        """What is wrong with the clock: clock_back, clock_forward, or nothing."""
        return self._memory.reading().anomaly

    def ordered_out(self, pending: Pending, card: Card) -> Intent:
        """The intent to wipe by an order."""
        state, memory = self._memory.state, self._memory
        epoch, vouch = memory.vouched_by()
        return intent_for(
            pending,
            card,
            self.policy.version,
            memory.now(),
            root=state.floors.root.digest,
            epoch=epoch,
            vouch=vouch,
        )

    def silent_out(self, card: Card) -> Intent | None:
        """The intent to wipe by the policy's own rule for silence, None while that is not due."""
        state, memory = self._memory.state, self._memory
        witness, boot_id = memory.witness(), trusted_time.system_clock().boot_id
        due = guard.may_wipe(
            self.policy,
            memory.reading(),
            last_contact=state.last_contact,
            witnessed_ms=witness.counted_ms,
            locked_in=state.locked_in,
            boot_id=boot_id,
        )
        if not due:
            return None
        epoch, vouch = memory.vouched_by()
        return intent_of_silence(
            card,
            self.policy,
            policy_in_force(state),
            memory.now(),
            since=state.last_contact,
            root=state.floors.root.digest,
            epoch=epoch,
            envelope=self._papers.policy_envelope(),
            vouch=vouch,
        )

    def _own(self) -> dict[str, Any]:
        """What this device knows of itself without asking the system."""
        return {
            "clock": self.clock_anomaly().removeprefix("clock_"),
            "refused_document": self.alarm() is not None,
        }

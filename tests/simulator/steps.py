"""What happens in a run, as data: drawn from a seed, played as often as one likes, cut down to what is needed."""

from __future__ import annotations

import random
from typing import Final

import msgspec

LAPTOPS: Final = 5  # of which a run uses two or more
PEOPLE: Final = 4

# The server dies at these of its steps; a device at the numbered ones of `sync.client.cycle`.
SERVER_STEPS: Final = ("read", "applied", "committed", "answered")
CRASHES: Final = (1, 2, 3, 4, 5, 6)


class Write(msgspec.Struct, frozen=True, tag="write"):
    """Somebody adds, edits, deletes or takes back a record, or gives it to somebody else."""

    who: int
    verb: str  # "add" | "edit" | "delete" | "undelete" | "give" | "place" (in a territory) | "join" (to a customer)
    pick: int  # of the records on the device, modulo their number
    cell: int  # of the cells that a run writes, modulo their number


class Settle(msgspec.Struct, frozen=True, tag="settle"):
    """Somebody settles a conflict, or takes back what they chose last."""

    who: int
    choice: str  # "keep" | "take" | "back"
    pick: int  # of the open conflicts on the device, modulo their number


class Same(msgspec.Struct, frozen=True, tag="same"):
    """Somebody adds one of a few customers that others may add as well, and a contact; from 3 on the contact alone."""

    who: int
    which: int


class Pair(msgspec.Struct, frozen=True, tag="pair"):
    """Somebody decides about two records that seem to be one, or takes the last join back."""

    who: int
    verb: str  # "join" | "turn" (the other one remains) | "different" | "back"
    pick: int  # of the pairs on the device, modulo their number


class Exchange(msgspec.Struct, frozen=True, tag="exchange"):
    """One exchange; `fate` is what the network, the server or the device does to it."""

    who: int
    fate: str = ""  # "" | "cut" | "deaf" | "twice" | "torn" | "dies <step>" | "crash <n>"


class Wait(msgspec.Struct, frozen=True, tag="wait"):
    """Time goes by, or a clock is set back."""

    ms: int


class Skew(msgspec.Struct, frozen=True, tag="skew"):
    """Somebody sets the clock of a laptop."""

    who: int
    ms: int


class Move(msgspec.Struct, frozen=True, tag="move"):
    """A person gets another role and team."""

    person: int
    role: str
    team: str


class Grant(msgspec.Struct, frozen=True, tag="grant"):
    """A person is granted care classes up to this one: fewer or more than before."""

    person: int
    care: str


class MergeTeams(msgspec.Struct, frozen=True, tag="merge teams"):
    """A team goes to another place, with all below it."""

    team: str
    to: str


class Territory(msgspec.Struct, frozen=True, tag="territory"):
    """A person is granted a territory, loses one, is left with own records alone, or sees the whole team again; or a
    territory is renamed or merged.
    """

    verb: str  # "grant" | "revoke" | "own" | "whole" | "move"
    person: int
    name: str
    to: str = ""


class Copy(msgspec.Struct, frozen=True, tag="copy"):
    """A backup of a laptop's disk is made."""

    who: int


class PutBack(msgspec.Struct, frozen=True, tag="put back"):
    """A laptop's disk is put back as it was copied last; nothing where there is no copy."""

    who: int


class Restart(msgspec.Struct, frozen=True, tag="restart"):
    """The server is started anew: sessions are in its memory alone."""


class Forget(msgspec.Struct, frozen=True, tag="forget"):
    """The server forgets all that it would some day, as if every change, delete and result were old enough."""


class Backup(msgspec.Struct, frozen=True, tag="backup"):
    """A verified backup of the server is made."""


class Restore(msgspec.Struct, frozen=True, tag="restore"):
    """The server is restored from one of its backups; nothing where there is none."""

    back: int  # how many backups before the newest one, modulo their number


class Expect(msgspec.Struct, frozen=True, tag="expect"):
    """A ready part is made of what a person sees now."""

    person: int


class Fetch(msgspec.Struct, frozen=True, tag="fetch"):
    """A laptop takes its person's ready part, where it may; `fate` is what happens meanwhile."""

    who: int
    fate: str = ""  # "" | "killed" | "placed and killed" | "expires" | "moved" | "typed"


class Attach(msgspec.Struct, frozen=True, tag="attach"):
    """Somebody attaches a file to a record; `fate` is "killed" where only its bytes are written then."""

    who: int
    pick: int  # of the records on the device, modulo their number
    fate: str = ""


class Bring(msgspec.Struct, frozen=True, tag="bring"):
    """A laptop brings its files up; "cut" after some pieces of each."""

    who: int
    fate: str = ""


class Open(msgspec.Struct, frozen=True, tag="open"):
    """Somebody opens a file, which is fetched where it is not here."""

    who: int
    pick: int  # of the attachments on the device, modulo their number


class Junk(msgspec.Struct, frozen=True, tag="junk"):
    """A laptop that lies sends wrong bytes under the name of a file that it knows of."""

    who: int
    pick: int  # of the files that its records name, modulo their number


Filed = Attach | Bring | Open | Junk
Step = (
    Expect
    | Attach
    | Bring
    | Open
    | Junk
    | Fetch
    | Write
    | Settle
    | Same
    | Pair
    | Exchange
    | Wait
    | Skew
    | Move
    | Grant
    | MergeTeams
    | Territory
    | Copy
    | PutBack
    | Restart
    | Forget
    | Backup
    | Restore
)

TEAMS: Final = ("Sales", "Sales/East", "Sales/West")
ROLES: Final = ("rep", "rep", "office", "manager", "it")
LANDS: Final = ("North", "South", " north ", "")  # as people write them; the last empties the field
CARES: Final = ("internal", "confidential", "restricted")
_FATES: Final = (
    "cut", "deaf", "deaf", "twice", "torn",
    *(f"dies {name}" for name in SERVER_STEPS), *(f"crash {n}" for n in CRASHES),
)  # fmt: skip
_FETCHED: Final = ("", "", "", "killed", "placed and killed", "expires", "moved", "typed", "typed")
_CHOICES: Final = (("keep", "take"), ("keep", "take"), ("take", "keep"), ("take", "take"), ("back", "take"))
_AGAINST: Final = ("edit", "edit", "edit", "delete")
_DECIDED: Final = ("join", "join", "turn", "different")
_VERBS: Final = ("add", "edit", "edit", "edit", "edit", "delete", "undelete", "give")


def draw(seed: int, count: int) -> list[Step]:
    """The steps of a seed: the same seed, the same steps."""
    dice = random.Random(seed)
    laptops = dice.randint(2, LAPTOPS)
    # Some runs are calm, some have every fault; some never set a disk back.
    trouble, moves, copies = dice.choice((0.0, 0.2, 0.5)), dice.random() < 0.5, dice.random() < 0.4
    restores = dice.random() < 0.4
    steps: list[Step] = [Write(dice.randrange(laptops), "add", 0, each) for each in range(3)]
    for _each in range(count):
        who, luck = dice.randrange(laptops), dice.random()
        if copies and dice.random() < 0.1:
            steps.append(Copy(0) if dice.random() < 0.4 else PutBack(0))  # one of them has such an owner
            continue
        if restores and dice.random() < 0.08:
            steps.append(Backup() if dice.random() < 0.5 else Restore(dice.choice((0, 0, 0, 1))))
            continue
        if luck < 0.50:
            steps.append(Write(who, dice.choice(_VERBS), dice.randrange(64), dice.randrange(64)))
        elif luck < 0.86:
            steps.append(Exchange(who, dice.choice(_FATES) if dice.random() < trouble else ""))
        elif luck < 0.91:
            steps.append(Wait(dice.choice((1, 40, 5_000, 3_600_000))))
        elif luck < 0.93:
            steps.append(Skew(who, dice.choice((-86_400_000, -30_000, 0, 30_000, 86_400_000))))
        elif luck < 0.95 and moves:
            steps.append(Move(dice.randrange(PEOPLE), dice.choice(ROLES), dice.choice(TEAMS)))
        elif luck < 0.97 and moves:
            steps.append(Grant(dice.randrange(PEOPLE), dice.choice(CARES)))
        elif luck < 0.975 and moves:
            steps.append(MergeTeams(dice.choice(TEAMS[1:]), dice.choice(TEAMS)))
        elif luck > 0.99:
            steps.append(Restart())
    steps = _settled_in(seed, laptops, _doubled(seed, laptops, _quarrelled(seed, laptops, steps)))
    steps = _attached(seed, laptops, steps)
    return _begun_by_part(seed, laptops, _forgotten(seed, steps))


def _forgotten(seed: int, steps: list[Step]) -> list[Step]:
    """The steps, in a third of the runs with a server that forgets between them."""
    dice = random.Random(f"forgets of {seed}")
    for _each in range(dice.choice((0, 0, 3))):
        steps.insert(dice.randint(3, len(steps)), Forget())
    if dice.random() < 0.2:  # a clock is set back, the server's and all others with it
        steps.insert(dice.randint(3, len(steps)), Wait(dice.choice((-60_000, -3_600_000, -86_400_000))))
    return steps


def _settled_in(seed: int, laptops: int, steps: list[Step]) -> list[Step]:
    """The steps, in half of the runs with territories among them: people get some, customers move, others follow."""
    dice = random.Random(f"territories of {seed}")
    if dice.random() < 0.5:
        return steps
    for _each in range(dice.randint(8, 24)):
        who, at = dice.randrange(laptops), dice.randint(3, len(steps))
        luck = dice.random()
        if luck < 0.65:
            verb = dice.choice(("place", "place", "join"))
            there: list[Step] = [Write(who, verb, dice.randrange(64), dice.randrange(64))]
        else:
            verb = dice.choice(("grant", "grant", "grant", "revoke", "own", "whole", "move"))
            name, to = dice.sample(LANDS[:2], 2)
            there = [Territory(verb, dice.randrange(PEOPLE), name, to)]
        if dice.random() < 0.5:
            there += [Exchange(dice.randrange(laptops))]
        steps[at:at] = there
    return steps


def _attached(seed: int, laptops: int, steps: list[Step]) -> list[Step]:
    """The steps, in half of the runs with files between them. A disk or a server that is put back may have lost bytes
    that nobody else has, which is another story.
    """
    dice = random.Random(f"files of {seed}")
    if dice.random() < 0.5 or any(isinstance(each, PutBack | Restore) for each in steps):
        return steps
    for _each in range(dice.randint(2, 6)):
        one, other = dice.sample(range(laptops), 2)
        filed: list[Step] = [
            Attach(one, dice.randrange(64), dice.choice(("", "", "", "killed"))),
            Exchange(one),
        ]
        filed += [Exchange(other), Open(other, dice.randrange(8)), Junk(other, dice.randrange(8))]
        filed += [Bring(one, dice.choice(("", "cut"))), Open(other, dice.randrange(8))]
        at = dice.randint(3, len(steps))
        steps[at:at] = [each for each in filed if dice.random() < 0.8]
    return steps


def _begun_by_part(seed: int, laptops: int, steps: list[Step]) -> list[Step]:
    """The steps, in one run of three with a laptop that begins in the midst of it, by a ready part."""
    dice = random.Random(f"parts of {seed}")
    if dice.random() > 1 / 3:
        return steps
    who, at = dice.randrange(1, laptops), dice.randrange(len(steps) // 3, len(steps))
    before = [each for each in steps[:at] if getattr(each, "who", None) != who]
    expected = dice.randint(max(0, len(before) - 15), len(before))
    before[expected:expected] = [Expect(who % PEOPLE)]
    begun: list[Step] = [Exchange(who) for _each in range(dice.randint(1, 4))]
    if dice.random() < 0.6:
        begun.append(Write(who, dice.choice(_VERBS), dice.randrange(64), dice.randrange(64)))
        if dice.random() < 0.5:
            begun.append(Exchange(who))  # then its own work was heard of, and pages alone may go on
    begun += [Fetch(who, dice.choice(_FETCHED)), Exchange(who)]
    return [*before, *begun, *steps[at:]]


def _doubled(seed: int, laptops: int, steps: list[Step]) -> list[Step]:
    """The steps, in three runs of four with one customer made twice between them, and what becomes of the pair."""
    dice = random.Random(f"doubles of {seed}")
    for _each in range(dice.randrange(4)):
        one, other = dice.sample(range(laptops), 2)
        which, pick = dice.randrange(3), dice.randrange(4)
        double: list[Step] = [
            Same(one, which),
            Same(other, which),
            Exchange(one),
            Exchange(other),
            Exchange(one),
        ]
        double.append(Pair(one, dice.choice(_DECIDED), pick))
        # Who has joined them may not see one of them any more. A restored server may not know of a move: another story.
        if dice.random() < 0.2 and not any(isinstance(each, Restore) for each in steps):
            double.append(Move(one % PEOPLE, "rep", dice.choice(TEAMS)))
        # Meanwhile somebody edits one of both, hangs something on it, or decides, too.
        meanwhile: tuple[Step, ...] = (
            Write(other, "edit", dice.randrange(64), dice.randrange(64)), Same(other, which + 3),
            Same(other, which + 3), Pair(other, dice.choice(_DECIDED), pick), Write(other, "delete", pick, 0),
        )  # fmt: skip
        if dice.random() < 0.6:
            double.append(dice.choice(meanwhile))
        double += [Exchange(one), Exchange(other)]
        if dice.random() < 0.5:
            double += [Pair(one, dice.choice((*_DECIDED, "back")), pick), Exchange(one)]
        at = dice.randint(3, len(steps))
        steps[at:at] = [each for each in double if dice.random() < 0.95]
    return steps


def _quarrelled(seed: int, laptops: int, steps: list[Step]) -> list[Step]:
    """The steps, in three runs of four with quarrels between them: two write the same cell, and settle what met."""
    dice = random.Random(f"quarrels of {seed}")
    for _each in range(dice.randrange(4)):
        one, other = dice.sample(range(laptops), 2)
        record, cell = dice.randrange(64), dice.randrange(64)
        quarrel: list[Step] = [Exchange(one), Exchange(other)]
        quarrel += [Write(one, "edit", record, cell), Write(other, dice.choice(_AGAINST), record, cell)]
        quarrel += [Exchange(one), Exchange(other), Exchange(one)]
        for _again in range(dice.randint(1, 2)):
            pick, choices = dice.randrange(2), dice.choice(_CHOICES)
            quarrel += [Settle(one, choices[0], pick), Settle(other, choices[1], pick)]
            quarrel += [Exchange(one), Exchange(other)]
        at = dice.randint(3, len(steps))
        steps[at:at] = [each for each in quarrel if dice.random() < 0.95]
    return steps

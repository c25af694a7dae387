"""Counts of the messages that a person reads in a day."""

import logging
from dataclasses import dataclass

from tests.rigs.scenario.day import ACTS
from tests.rigs.scenario.people import BOT, GENERAL
from tests.rigs.scenario.shown import Shown

log = logging.getLogger(__name__)


#: Time that passes after each act, in seconds. Most starts take less than a minute.
AFTER = 90


MOST = 2


@dataclass
class Act:
    """A person's act, its begin and end, and the messages that resulted from it, as first seen."""

    said: str
    began: float
    ended: float
    made: list[Shown]
    #: Names of the workspaces whose state at the provider changed during the act.
    changed: set[str]


class Count:
    """Performs the acts of a day one after the other, and counts the messages that result from each."""

    def __init__(self, stage):
        self.stage, self.alice = stage, stage.alice
        self.acts: list[Act] = []

    def held(self):
        """Return the messages that the person currently sees, except their own and those in threads."""
        found = [one for place in (BOT, GENERAL) for one in self.alice.sees(place)]
        own, below = self.alice.id, "thread_ts"
        return {
            (one.channel, one.ts): one
            for one in found
            if one.json["user"] != own and one.json.get(below) in (None, one.ts)
        }

    async def seen(self):
        """Return the messages that the person sees."""
        return self.held()

    def states(self):
        now = self.stage.clock.now()
        theirs = [one for one in self.stage.saturn.state.resources.values() if one.owner == "alice"]
        servers = {one.name: (one.status(now), len(one.runs)) for one in theirs}
        calls = self.stage.asked("suspend_session")
        return servers | {one.name: (one.state, calls) for one in self.stage.posit.state.sessions.values()}

    async def does(self, place, text):
        """Say or press something, and advance the clock until nothing more comes of it."""
        before, states, began = await self.seen(), self.states(), self.stage.clock.now()
        if text.startswith("["):
            label = text.strip("[]")
            shown = next(one for one in reversed(self.alice.sees(place)) if label in one.labels)
            await self.press(shown, label)
        elif place == BOT:
            await self.write(text)
        else:
            await self.type(text)
        await self.stage.pass_time(AFTER, step=3)
        after, now = await self.seen(), self.states()
        made = [one for key, one in after.items() if key not in before]
        changed = {name for name, state in now.items() if state != states.get(name)}
        self.acts.append(Act(f"{place}: {text}", began, self.stage.clock.now(), made, changed))

    async def press(self, shown, label):
        await self.alice.presses(shown, label)

    async def write(self, text):
        await self.alice.writes(text)

    async def type(self, text):
        command, _, rest = text.partition(" ")
        words = (rest, command) if text.startswith("/") else (text, "/workspace")
        await self.alice.types(words[0], command=words[1])

    def lines(self):
        """Return the messages that have been reduced to a grey line, each with the act that caused it."""
        now = self.held()
        made = [(act, now.get((one.channel, one.ts))) for act in self.acts for one in act.made]
        return [(act, one) for act, one in made if one is not None and is_line(one)]

    def table(self):
        """Return a table of how many messages each act caused, and the final texts of the grey lines."""
        rows = [f"{len(act.made)}  {act.said}" for act in self.acts]
        lines = [f"   {one.read}" for _, one in self.lines()]
        total = sum(len(act.made) for act in self.acts)
        over = sum(len(act.made) > MOST for act in self.acts)
        head = f"{total} messages of {len(rows)} acts, {over} with more than {MOST}; {len(lines)} lines"
        return "\n".join([head, *rows, *lines])

    def check(self):
        """Check that each act caused one or a few messages, and that none of them is only a grey line."""
        table = self.table()
        assert all(1 <= len(act.made) <= MOST for act in self.acts), table
        assert not self.lines(), table


def is_line(shown):
    """Return whether a message consists only of small grey text."""
    blocks = shown.json.get("blocks") or []
    return bool(blocks) and all(one["type"] == "context" for one in blocks)


async def played(count):
    """Play the whole day, and check the counts."""
    for place, text in ACTS:
        await count.does(place, text)
    log.info(count.table())
    count.check()

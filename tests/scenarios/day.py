"""A random day of two people, and checks of what they see after each action."""

import random
import re
from collections import Counter

from tests.rigs.scenario.shown import Shown

ACTS = 40


NAMES = {"alice": ("notebook", "training", "report"), "bob": ("notebook", "analysis")}


#: Kinds of answers. Unlike messages about a workspace, they aren't kept up to date.
ANSWERS = ("reply", "message")


PRESSED = {"Start", "Stop", "Refresh", "Keep running", "1 hour more", "Try again"}


NAMED = re.compile(r"\*([a-z]+)\*")
#: Matches the line with an address below a message.
ADDRESS = re.compile(r"\nOpen: <[^>]*>")
#: Matches the boundary between two parts of a message.
SENTENCE = re.compile(r"\n| – | · |(?<=\.) ")


class Day:
    """Performs the actions of two people in turn, and checks what they see after each."""

    def __init__(self, stage, seed):
        self.stage, self.chance = stage, random.Random(seed)
        self.people = {"alice": stage.alice, "bob": stage.bob}
        #: Each answer as it was first seen, by person and timestamp. An answer whose button was pressed may
        #: change.
        self.answers: dict[tuple[str, str], tuple[str, list[str]]] = {}
        self.pressed: set[tuple[str, str]] = set()
        self.said: Counter[str] = Counter()
        self.edit_failed_at = 0.0

    async def act(self):
        who = self.chance.choice(list(self.people))
        name = self.chance.choice(NAMES[who])
        kind = self.chance.choice(["says"] * 3 + ["types", "presses", "presses", "elsewhere", "fault"])
        self.said[kind] += 1
        await getattr(self, kind)(who, name)
        for _ in range(self.chance.choice([1, 3, 8])):
            await self.stage.pass_time(5)
            self.look()

    async def says(self, who, name):
        texts = ["start {}", "stop {}", "status {}", "list", "start {} for 15 min", "is {} on?", "strt {}"]
        await self.write(who, self.chance.choice(texts).format(name))

    async def write(self, who, text):
        await self.people[who].writes(text)

    async def types(self, who, name):
        texts = ["start {}", "restart {}", "stop {} in 12 min", "keep {}"]
        texts += ["settings {} off", "settings {} on"]
        await self.command(who, self.chance.choice(texts).format(name))

    async def command(self, who, text):
        await self.people[who].types(text)

    async def presses(self, who, _name):
        """Press a random button on one of the last messages, which may be an old answer."""
        person = self.people[who]
        among = [(shown, label) for shown in person.sees()[-8:] for label in shown.labels if label in PRESSED]
        if among:
            shown, label = self.chance.choice(among)
            self.pressed.add((who, shown.ts))
            await person.presses(shown, label)

    async def elsewhere(self, who, name):
        """Stop the workspace at the provider, as somebody else might do."""
        resource = self.stage.resource(name, owner=who)
        if resource.status(self.stage.clock.now()) == "running":
            resource.force("stopped", self.stage.clock.now())

    async def fault(self, _who, _name):
        chosen = self.chance.choice(["provider", "post", "edit"])
        if chosen == "provider":
            self.stage.saturn_fails("/api/", status=503, times=self.chance.randint(1, 6))
        else:
            method = {"post": "chat.postMessage", "edit": "chat.update"}[chosen]
            self.stage.slack_fails(method, status=500, times=1)

    def look(self):
        if any(fault.times for fault in self.stage.slack.harness.faults):
            self.edit_failed_at = self.stage.clock.now()
        for who, person in self.people.items():
            live = [shown for shown in person.sees() if shown.kind and shown.kind not in ANSWERS]
            offering = Counter(
                named[1]
                for shown in live
                if {"Open", "Stop"} & set(shown.labels) and (named := NAMED.search(shown.text))
            )
            self.said["live"] += bool(offering)
            self.look_at_answers(who, [shown for shown in person.sees() if shown.kind in ANSWERS])
            told = [shown.key.split("/")[0] for shown in live if shown.kind in ("card", "ready", "failed")]
            assert max(Counter(told).values(), default=0) <= 2, (who, told)

    def look_at_answers(self, who, answers: list[Shown]):
        for shown in answers:
            # When an *Open* button is removed, its address goes, too.
            place, now = (who, shown.ts), (ADDRESS.sub("", shown.short), shown.labels)
            before = self.answers.setdefault(place, now)
            # A list may say that it is being checked until its contents have been read.
            if place in self.pressed or "Checking" in before[0]:
                self.answers[place] = now
            # An offer is removed once it no longer works, and an announcement once its time has come.
            said, offered = self.answers[place]
            is_cut = "<!date^" in said and all(one in said for one in SENTENCE.split(now[0]))
            survives_stop = (said == now[0] or is_cut) and set(now[1]) <= set(offered)
            assert survives_stop, f"an answer was edited: {before} became {now}"

"""Whether a day's messages and screens can be counted: who does what, and what they see."""

import random
import re
from collections import Counter

from tests.rigs.scenario.shown import Shown

ACTS = 40


NAMES = {"alice": ("notebook", "training", "report"), "bob": ("notebook", "analysis")}


#: What only says something, and is no message about a workspace that is kept up to date.
ANSWERS = ("reply", "message")


PRESSED = {"Start", "Stop", "Refresh", "Keep running", "1 hour more", "Try again"}


NAMED = re.compile(r"\*([a-z]+)\*")
#: The line of an address below a text.
ADDRESS = re.compile(r"\nOpen: <[^>]*>")
#: Between the parts of a text.
SENTENCE = re.compile(r"\n| – | · |(?<=\.) ")


class Day:
    """Play acts of two people in turn, and look at what they see after each."""

    def __init__(self, stage, seed):
        self.stage, self.chance = stage, random.Random(seed)
        self.people = {"alice": stage.alice, "bob": stage.bob}
        #: Answers as they were first seen, by person and timestamp; what was pressed may become another.
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
        """Press something on one of the last messages, old answers included."""
        person = self.people[who]
        among = [(shown, label) for shown in person.sees()[-8:] for label in shown.labels if label in PRESSED]
        if among:
            shown, label = self.chance.choice(among)
            self.pressed.add((who, shown.ts))
            await person.presses(shown, label)

    async def elsewhere(self, who, name):
        """Let somebody stop it at the provider."""
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
            # An address goes with the button that opens it.
            place, now = (who, shown.ts), (ADDRESS.sub("", shown.short), shown.labels)
            before = self.answers.setdefault(place, now)
            # A list says that it is being checked before it becomes what was read.
            if place in self.pressed or "Checking" in before[0]:
                self.answers[place] = now
            # What it offers goes once that doesn't work any more, what it announced once that has come.
            said, offered = self.answers[place]
            is_cut = "<!date^" in said and all(one in said for one in SENTENCE.split(now[0]))
            survives_stop = (said == now[0] or is_cut) and set(now[1]) <= set(offered)
            assert survives_stop, f"an answer was edited: {before} became {now}"

"""A sentence does what all its words say or nothing: without one that matters something else comes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from bot.domain.observations import Observed
from bot.domain.workspaces import State
from tests.handlers.rig import Rig, buttons, words
from tests.handlers.run_rig import over, run_rig
from tests.rigs.acts import Act, acts_of, read_kept
from tests.rigs.store import ALICE, observe

#: ``bars``: nothing may be done, and nothing be offered alone. ``past``: the same, and it's part of the verb.
#: ``unread``: nothing may be done.
Role = Literal["matters", "bars", "past", "unread", "noise"]
IS_THOROUGH = settings.get_current_profile_name() == "thorough"


@dataclass(frozen=True)
class Unit:
    """Words that are left out together, and what becomes of a sentence by them."""

    text: str
    role: Role = "matters"


@dataclass(frozen=True)
class Order:
    """A verb, also of the past, and a name; what they mean now, and with ``%s`` for a moment or for hours."""

    verb: str
    past: str
    name: str
    now: str
    once: str = ""
    often: str = ""
    #: It can't take a time.
    is_barred_by_time: bool = False


RUNNING, STOPPED, JOBS = ("notebook", "report"), ("lab", "thesis"), ("nightly-report", "train-xgb")
STOP = ("notebook", "stop notebook", "stop notebook @ %s", "hours notebook %s -%s")
START = ("lab", "start lab", "start lab @ %s", "hours lab %s %s")
ORDERS = [
    Order("stop", "stopped", *STOP),
    Order("shut down", "shut down", *STOP),
    Order("start", "started", *START),
    Order("launch", "launched", *START),
    Order("restart", "restarted", "notebook", "restart notebook"),
    Order("suspend", "suspended", "notebook", "suspend notebook"),
    Order("run", "ran", "nightly-report", "run nightly-report", is_barred_by_time=True),
]
#: It is Friday, 15 January 2027, 8:00 in London.
ONCE = {
    ("at 18:00",): "2027-01-15 18:00",
    ("in 2 hours",): "2027-01-15 10:02",
    ("tomorrow", "at 9"): "2027-01-16 09:00",
    ("at 9", "in the evening"): "2027-01-15 21:00",
    ("on monday", "at 18:00"): "2027-01-18 18:00",
    ("at 10", "tomorrow"): "2027-01-16 10:00",
}
OFTEN = {
    ("every day", "at 9"): ("mon,tue,wed,thu,fri,sat,sun", "09:00"),
    ("on weekdays", "at 18:00"): ("mon,tue,wed,thu,fri", "18:00"),
    ("every monday", "at 9"): ("mon", "09:00"),
}
BEFORE = (
    "don't",
    "please don't",
    "never",
    "do not",
    "i was going to",
    "yesterday i wanted to",
    "you needn't",
    "if the training is over,",
    "when the demo ends,",
    "unless somebody works there,",
)
AFTER = (
    "if nobody is on it",
    "unless chen works there",
    "once the training is over",
    "when it is idle",
    "as soon as the loss is small",
)
#: These bar what has no time.
LATER = ("later", "not now", "not yet", "some other time", "at the weekend", "around half elevenish")
SECOND_TIMES = ("or at 19:00", "and at 20:00", "or around half elevenish")
#: Who did what is told about.
SOMEBODY = ("i", "i already", "we", "chen", "somebody", "yesterday i")
NOISE = ("please", "pls", "thanks", "thank you", ":pray:")
GREETINGS = ("hi,", "hey", "good morning!", "please")
UNKNOWN = ("blorp", "wibbling", "for the kermesse")


@dataclass(frozen=True)
class Sentence:
    """Words in their order, and what they mean if nothing bars it."""

    units: tuple[Unit, ...]
    meant: str

    def __str__(self) -> str:
        return " ".join(unit.text for unit in self.units)

    def has(self, role: Role) -> bool:
        """Return whether some of its words do this."""
        return any(unit.role == role for unit in self.units)

    def without_each(self) -> Sequence[tuple[Unit, str]]:
        """Return what it is without each of its words that matter; where something bars it, without that."""
        role: Role = "bars" if self.has("bars") else "matters"
        return [
            (left_out, " ".join(one.text for one in self.units if one is not left_out))
            for left_out in self.units
            if left_out.role == role
        ]


@st.composite
def sentences(draw: st.DrawFn) -> Sentence:
    """Build a sentence of an order, when, at most one bar, and noise."""
    order = draw(st.sampled_from(ORDERS))
    head, time, tail, meant = [Unit(order.verb), Unit(order.name)], list[Unit](), list[Unit](), order.now
    takes_time = bool(order.once) or order.is_barred_by_time
    when = draw(st.sampled_from(["now", "once", "often"])) if takes_time else "now"
    bar = draw(st.sampled_from(["", "", "before", "after", "second", "past", "unread"]))
    if when != "now":
        time_words = draw(st.sampled_from([*(ONCE if when == "once" else OFTEN)]))
        if order.is_barred_by_time:
            bar, time = "time", [Unit(" ".join(time_words), "bars")]
        else:
            meant = order.once % ONCE[time_words] if when == "once" else order.often % OFTEN[time_words]
            time = [Unit(word) for word in time_words]
    if order.is_barred_by_time or (when == "often" and order.name == "lab"):
        # The name of a job, or hours alone, are enough.
        head[0] = Unit(order.verb, "noise")
    if bar == "before":
        head = [Unit(draw(st.sampled_from(BEFORE)), "bars"), *head]
    elif bar == "past":
        # "chen shut down lab" may be said to Chen.
        who = [one for one in SOMEBODY if one != "chen" or order.past != order.verb]
        head = [Unit(f"{draw(st.sampled_from(who))} {order.past}", "past"), Unit(order.name)]
    elif bar == "after":
        tail = [Unit(draw(st.sampled_from(AFTER)), "bars")]
    elif bar == "second" and when != "often":
        tail = [Unit(draw(st.sampled_from(LATER if when == "now" else SECOND_TIMES)), "bars")]
    elif bar == "unread":
        tail = [Unit(draw(st.sampled_from(UNKNOWN)), "unread")]
    noise = [Unit(one, "noise") for one in draw(st.lists(st.sampled_from(NOISE), max_size=1))]
    greeting = [Unit(one, "noise") for one in draw(st.lists(st.sampled_from(GREETINGS), max_size=1))]
    return Sentence((*greeting, *head, *time, *tail, *noise), meant)


@dataclass(frozen=True)
class Outcome:
    """What a sentence did, and what each button of its answer does that isn't part of a status."""

    done: tuple[Act, ...]
    offers: tuple[tuple[Act, ...], ...]
    names_left_out: bool = False
    #: The labels of those buttons, of others that only show something too.
    labels: frozenset[str] = frozenset()

    @property
    def alone(self) -> tuple[Act, ...]:
        """Return what was done, or what the only button does."""
        return self.done or (self.offers[0] if len(self.offers) == 1 else ())


@asynccontextmanager
async def stage() -> AsyncIterator[Rig]:
    """Give somebody in London two workspaces that run, two that don't, and jobs that ran before."""
    async with run_rig("saturn") as bot:
        await bot.link(names=(*RUNNING, *STOPPED))
        await bot.zone("Europe/London")
        for state, names in ((State.RUNNING, RUNNING), (State.STOPPED, STOPPED)):
            for name in names:
                await observe(bot.store, bot.clock, await bot.workspace(name), Observed(state))
        for name in JOBS:
            await over(bot, name)
        yield bot


async def outcome_of(text: str) -> Outcome:
    """Say something, and press each button of the answer, each where nothing else was done."""
    offers = list[tuple[Act, ...]]()
    async with stage() as bot:
        before = await read_kept(bot.store, ALICE)
        answer = await bot.direct(text)
        done = await acts_since(bot, before)
        found = [] if done else [*buttons(answer).items()]
        shown = {
            (label, base_of(button))
            for name in (RUNNING[0], STOPPED[0])
            for label, button in (buttons(await bot.direct(f"status {name}")) if found else {}).items()
        }
    found = [one for one in found if (one[0], base_of(one[1])) not in shown]
    labels = frozenset(label for label, _ in found)
    labels = frozenset(label for label, _ in found)
    while found:
        async with stage() as bot:
            await bot.direct(text)
            before, acts = await read_kept(bot.store, ALICE), list[Act]()
            while found and not acts:
                _, button = found.pop(0)
                await bot.press(button["action_id"], button.get("value", ""))
                acts = await acts_since(bot, before)
        offers += [tuple(acts)] if acts else []
    return Outcome(tuple(done), tuple(offers), "I left out" in words(answer), labels)


async def acts_since(bot: Rig, before: dict[str, object]) -> list[Act]:
    """Return what was done since then."""
    return acts_of(before, await read_kept(bot.store, ALICE), bot.clock.now())


def base_of(button: dict[str, str]) -> str:
    """Return what a button does, without which it is about."""
    return button["action_id"].partition(":")[0]


@settings(max_examples=1000 if IS_THOROUGH else 150, suppress_health_check=list(HealthCheck))
@given(sentence=sentences())
async def test_each_word_that_matters_is_read_or_nothing_acts(sentence: Sentence) -> None:
    outcome = await outcome_of(str(sentence))
    note(f"{sentence}: {outcome}")
    assert not ((sentence.has("bars") or sentence.has("past")) and outcome.alone)
    assert all(act.is_meant(sentence.meant) for act in outcome.alone)
    assert not (sentence.has("unread") and outcome.done)
    if sentence.has("bars") or outcome.alone:
        for left_out, text in sentence.without_each():
            without = await outcome_of(text)
            note(f"without {left_out.text!r}: {text}: {without}")
            assert without != outcome

"""Plays sentences written by strangers, each in a new world, and checks what Usher does and offers.

``python -m tests.scenarios.strangers FILE [IDS…]`` plays the items in a file, and prints the result of each
and totals by kind. ``tests/scenarios/strangers.md`` describes the format of an item. If nothing is done, each
button of the answer is pressed in a world that was played up to the same point. Before a dialogue continues,
the right button is pressed.

An item is *WRONG* if Usher does something wrong, or if the only button that does anything would do something
wrong. It is *helped* if, in each turn, something right is done or is one press away. If ``nothing`` is right,
nothing must be done. Buttons that ``status`` and similar answers always have don't count as the only button.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.store import courses as courses_store
from tests.rigs.acts import Act, acts_of
from tests.rigs.clock import NOW
from tests.rigs.scenario.shown import Shown
from tests.scenarios.dialogues import LINKS, DialogueWorld, Player, buttons_of, says

STRANGERS = Path(__file__).with_name("strangers.json")
WRONG_ACTS = Path(__file__).with_name("wrong_acts.json")
#: Time before 8:00 at which a world is prepared, in seconds.
READY_SECONDS = 600.0
_RECIPE = {"type": "workspace", "spec": {"name": "x", "owner": "acme/alice", "instance_type": "large"}}
#: Verbs that only show or open something.
SHOWS = ("list", "status", "open", "form")
#: Maps the name of a form in an item to parts of the form's id or title.
_FORMS = {
    "new": "create|new workspace",
    "run": "run a job",
    "settings": "settings|preferences",
    "card": "class|card",
}
_RESTART = re.compile(r"(hours .+) restart (\S+) (\d\d:\d\d)")
#: Matches addresses and output, which differ from run to run.
_VARIES = re.compile(r"<https?://[^|>]*\|([^>]*)>|(```).*?(?=```)", re.DOTALL)


class StrangersWorld(DialogueWorld):
    """The world of an item, at 8:00 on Friday, 15 January 2027."""

    def __init__(self, folder: Path, told: Mapping[str, Any]) -> None:
        jobs = [
            {"job": one["name"], "connection": one["connection"], "state": _state(one["state"])}
            for one in told.get("jobs", ())
        ]
        (folder / "course.json").write_text(json.dumps(_RECIPE))
        templates = [{"name": "course", "title": "The course", "file": str(folder / "course.json")}]
        options = {"now": NOW - READY_SECONDS, "saturn_connection": {"templates": templates}}
        super().__init__(folder, {**told, "runs": jobs, "options": options})

    async def _prepared(self) -> None:
        await super()._prepared()
        for name in [one["name"] for one in self.told.get("jobs", ()) if one["state"] == "none"]:
            await self.alice.types(f"schedule {name}", command="/job")
        for text in self.told.get("before", ()):
            command = text.partition(" ")[0] if text.startswith("/") else "/workspace"
            await self.alice.types(text.removeprefix(command).strip(), command=command)
            await self.pass_time(4, step=2)
        await self.pass_time(NOW - self.clock.now(), step=NOW - self.clock.now())

    async def kept(self) -> dict[str, Any]:
        """Return all of the person's rows that they can change, and their jobs' schedules at providers."""
        jobs = [
            ((place, one.name), one.cron if one.next_fire_at is not None else "")
            for place, server in (("saturn", self.saturn), ("hub", self.hub))
            for one in server.state.resources.values()
            if one.type == "job"
        ]
        return {**await super().kept(), "schedules": dict(jobs)}

    def acts(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Act]:
        """Return the changes between two results of ``kept``, as acts."""
        return acts_of(before, after, self.clock.now())


def _state(run: str) -> str:
    return "" if run == "none" else run


@dataclass(frozen=True)
class Offer:
    """A button of an answer, and what pressing it does."""

    label: str
    action_id: str
    acts: Sequence[Act] = ()


@dataclass
class Outcome:
    """The outcome of one turn: the acts done, the buttons offered, and the contents of its answer."""

    turn: Mapping[str, Any]
    shown: Sequence[Shown] = ()
    done: Sequence[Act] = ()
    offers: list[Offer] = field(default_factory=list)
    forms: list[str] = field(default_factory=list)
    #: Those of the expected parts that the answer shows or opens.
    shows: set[str] = field(default_factory=set)
    #: The acts of the earlier turns.
    earlier: Sequence[Act] = ()
    #: Whether the only button that acts is one that ``status`` or similar answers always have.
    is_display: bool = False

    @property
    def how(self) -> str:
        """Return a word that summarises the outcome."""
        if self.done:
            return "done"
        acting = len(self.offers)
        if self.is_display:
            return "shown"
        return "only" if acting == 1 else "among" if acting else "answered" if self.shown else "silent"

    @property
    def text(self) -> str:
        return "\n".join(one.read for one in self.shown)

    def surplus(self) -> list[str]:
        """Return the wrong acts that were done or, if only one button acts, that it would do."""
        alone = self.offers[0].acts if len(self.offers) == 1 and not self.is_display else ()
        counted = self._without_corrected(self.done or alone)
        options = [_parts(right) for right in self.turn["right"]]
        surplus = min(
            ([str(act) for act in counted if not _is_any(act, parts)] for parts in options), key=len
        )
        # The acts in ``wrong`` are wrong if nothing else is done, even if they are part of what is right.
        is_half = counted and not any(self._is_reached(right) for right in self.turn["right"])
        halves = [
            wrong for wrong in self.turn.get("wrong", ()) if is_half and _is_all(counted, _parts(wrong))
        ]
        return surplus or halves[:1]

    def right_press(self) -> str:
        """Return the label of an offered button that does everything the turn should do.

        Return "" if there is no such button, or if something has been done already.
        """
        options = [] if self.done else [_parts(right) for right in self.turn["right"]]
        return next(
            (one.label for one in self.offers if any(_is_all(one.acts, parts) for parts in options)), ""
        )

    def is_helped(self) -> bool:
        """Return whether the expected words were said, and a right outcome is done, shown or on a button."""
        is_said = all(says(self.text.casefold(), word) for word in self.turn.get("words", ()))
        return is_said and any(self._is_reached(right) for right in self.turn["right"])

    def _is_reached(self, right: str) -> bool:
        parts = _parts(right)
        if right == "nothing":
            return not self.done and (len(self.offers) != 1 or self.is_display)
        near = [one.acts for one in self.offers if all(_is_any(act, parts) for act in one.acts)]
        acts = [*self.done, *(act for every in near for act in every)]
        wanted = [part for part in parts if part not in self.shows]
        return _is_all(self._without_corrected(acts), wanted) if wanted else not self.done

    def _without_corrected(self, acts: Sequence[Act]) -> Sequence[Act]:
        """Leave out acts that undo an earlier turn's act if another act replaces it."""
        new = [act for act in acts if not any(act.takes_back(former) for former in self.earlier)]
        is_wanted = any(
            act.is_meant(part)
            for act in acts
            for right in self.turn["right"]
            for part in _parts(right)
            if act not in new
        )
        return acts if is_wanted else new or acts


def _is_all(acts: Sequence[Act], parts: Sequence[str]) -> bool:
    """Return whether the acts are exactly these."""
    is_each = all(any(act.is_meant(part) for act in acts) for part in parts)
    return is_each and all(_is_any(act, parts) for act in acts)


def _parts(right: str) -> list[str]:
    """Return the acts of one expected outcome. Restarting hours counts as two acts, ten minutes apart."""
    parts = right.split(" + ")
    for number, part in enumerate(parts):
        if found := _RESTART.fullmatch(part):
            again = datetime.strptime(found[3], "%H:%M") + timedelta(minutes=10)  # noqa: DTZ007 - a local time
            parts[number : number + 1] = [
                f"{found[1]} {found[2]} -{found[3]}",
                f"{found[1]} {found[2]} {again:%H:%M}",
            ]
    return parts


def _is_any(act: Act, parts: Iterable[str]) -> bool:
    return any(act.is_meant(part) for part in parts)


class Stranger:
    """Plays one scripted conversation: its turns, and the effect of each button in the answers."""

    def __init__(self, item: Mapping[str, Any]) -> None:
        self.item = item
        self.turns: Sequence[Mapping[str, Any]] = item["turns"]
        #: For each turn, the button that does what is expected. It is pressed before the next turn.
        self.pressed: dict[int, str] = {}

    async def play(self) -> list[Outcome]:
        """Return the outcome of each turn."""
        return [await self._explore(number) for number in range(len(self.turns))]

    async def _explore(self, number: int) -> Outcome:
        """Return the outcome of a turn and of each button of its answer.

        Choose the button that is pressed before the next turn.
        """
        async with self._played(number) as (player, outcome):
            first = 0 if outcome.done else await self._press(player, outcome, 0)
        while not outcome.done and first < len(_candidates(outcome)):
            async with self._played(number) as (player, again):
                again.offers, again.forms, again.shows = outcome.offers, outcome.forms, outcome.shows
                first = await self._press(player, again, first)
        outcome.shows |= {part for part in _shown_parts(outcome.turn) if self._is_form(part, outcome)}
        if outcome.surplus() and not outcome.done:
            only = outcome.offers[0]
            outcome.is_display = (only.label, only.action_id) in await self._displays(number)
        if not any("press" in turn for turn in self.turns[number + 1 : number + 2]):
            self.pressed[number] = outcome.right_press()
        return outcome

    async def _displays(self, last: int) -> set[tuple[str, str]]:
        """Return the buttons of answers that only show something, after the turns up to ``last``."""
        told = self.item["world"]
        typed = [f"status {one['name']}@{one['connection']}" for one in told.get("workspaces", ())]
        typed += [f"job status {one['name']}" for one in told.get("jobs", ()) if one["state"] != "none"]
        async with self._played(last) as (player, _):
            typed += [
                f"card {one.title}" for one in await player.world.bot.store.read(courses_store.list_courses)
            ]
            shown = [one for text in typed for one in await player.act({"say": text})]
        return {(str(one["text"]["text"]), _action(one)) for every in shown for one in buttons_of(every)}

    @asynccontextmanager
    async def _played(self, last: int) -> AsyncIterator[tuple[Player, Outcome]]:
        """Play the turns up to ``last`` in a new world, and yield the last one's outcome."""
        with tempfile.TemporaryDirectory() as folder:
            async with StrangersWorld(Path(folder), self.item["world"]).running() as world:
                player = Player(world, self.item)
                done: list[Act] = []
                for number, turn in enumerate(self.turns[:last]):
                    outcome = await self._turn(player, turn)
                    done += outcome.done
                    for shown, button in _candidates(outcome):
                        if self.pressed.get(number) == str(button["text"]["text"]):
                            before = await world.kept()
                            await world.alice.presses_button(shown, button)
                            await _answer_form(world)
                            done += world.acts(before, await world.kept())
                            break
                outcome = await self._turn(player, self.turns[last])
                outcome.earlier = done
                yield player, outcome

    async def _turn(self, player: Player, turn: Mapping[str, Any]) -> Outcome:
        world = player.world
        assert isinstance(world, StrangersWorld)
        await world.pass_time(2, step=2)
        before = await world.kept()
        try:
            shown = await player.act(turn)
        except AssertionError as error:
            if "no button" not in str(error):
                raise
            return Outcome(turn)
        forms = await _answer_form(world)
        outcome = Outcome(turn, shown, world.acts(before, await world.kept()), forms=forms)
        self._look(player, outcome, shown)
        return outcome

    def _look(self, player: Player, outcome: Outcome, shown: Sequence[Shown]) -> None:
        """Record which of the expected parts the messages show."""
        text = "\n".join(one.read for one in shown).casefold()
        names = [one["name"].casefold() for one in self.item["world"].get("workspaces", ())]
        for part in _shown_parts(outcome.turn):
            verb, _, name = part.partition(" ")
            if verb == "open":
                is_there = player._opens(part, shown)
            else:
                is_there = any(one in text for one in ([name.casefold()] if verb == "status" else names))
            if is_there and verb != "form":
                outcome.shows.add(part)

    async def _press(self, player: Player, outcome: Outcome, first: int) -> int:
        """Press buttons, beginning with ``first``, until one does something.

        Return the index of the next button.
        """
        world, candidates = player.world, _candidates(outcome)
        assert isinstance(world, StrangersWorld)
        for number in range(first, len(candidates)):
            shown, button = candidates[number]
            now = next((one for one in world.alice.sees(shown.channel) if one.ts == shown.ts), None)
            if now is None or button not in buttons_of(now):
                return number
            await world.pass_time(2, step=2)
            before = await world.kept()
            answers = await world.alice.presses_button(now, button)
            forms = await _answer_form(world)
            acts = world.acts(before, await world.kept())
            label = str(button["text"]["text"])
            if acts:
                outcome.offers.append(Offer(label, _action(button), acts))
                return number + 1
            outcome.forms += forms or [label]
            self._look(player, outcome, answers)
        return len(candidates)

    @staticmethod
    def _is_form(part: str, outcome: Outcome) -> bool:
        verb, _, what = part.partition(" ")
        pattern = _FORMS.get(what, what)
        return verb == "form" and any(re.search(pattern, one, re.IGNORECASE) for one in outcome.forms)


def _shown_parts(turn: Mapping[str, Any]) -> set[str]:
    parts = {part for right in turn["right"] for part in _parts(right)}
    return {part for part in parts if part.partition(" ")[0] in SHOWS}


def _candidates(outcome: Outcome) -> list[tuple[Shown, dict[str, Any]]]:
    """Return an answer's buttons that may act, sorted by label, as not all answers have a fixed order."""
    found = [
        (shown, button)
        for shown in outcome.shown
        for button in buttons_of(shown)
        if _action(button) not in LINKS and "url" not in button
    ]
    return sorted(found, key=lambda one: str(one[1]["text"]["text"]))


def _action(button: Mapping[str, Any]) -> str:
    return str(button.get("action_id")).partition(":")[0]


async def _answer_form(world: DialogueWorld) -> list[str]:
    """Agree if the press opened a question. Close any other form, and return its name and title."""
    form = world.alice.modal()
    if form is None:
        return []
    if "submit" in form and not any(block["type"] == "input" for block in form["blocks"]):
        await world.alice.submits()
    await world.slack.hands.close(world.alice.id, everything=True)
    return [f"{form.get('callback_id')} {form['title']['text']}"]


def _report(item: Mapping[str, Any], outcomes: Sequence[Outcome]) -> str:
    lines: list[str] = []
    for one in outcomes:
        lines.append(f"  > {one.turn.get('say') or '[' + one.turn['press'] + ']'}")
        lines += [f"    {line}" for line in _VARIES.sub(r"\1\2", one.text).splitlines()]
        lines.append(f"    = {one.how}: {'; '.join(map(str, one.done)) or '-'}")
        lines += [f"      [{offer.label}] {'; '.join(map(str, offer.acts))}" for offer in one.offers]
        lines += [f"      leads to {form}" for form in dict.fromkeys(one.forms)]
        lines += [f"      right: {' | '.join(one.turn['right'])}; words {one.turn.get('words', [])}"]
    return "\n".join(lines)


def judge(outcomes: Sequence[Outcome]) -> str:
    """Return ``ok``, ``not helped``, or ``WRONG`` with the acts wrongly done or offered alone."""
    surplus = [act for one in outcomes for act in one.surplus()]
    if surplus:
        return f"WRONG {'; '.join(surplus)}"
    return "ok" if all(one.is_helped() for one in outcomes) else "not helped"


async def play(item: Mapping[str, Any]) -> list[Outcome]:
    """Play an item, and return the outcome of each turn."""
    return await Stranger(item).play()


async def main(items: Sequence[Mapping[str, Any]], *only: str) -> int:
    """Play items, and print each result and totals. Return how many were wrong."""
    counted: dict[str, dict[str, int]] = {}
    for item in [one for one in items if not only or one["id"] in only]:
        outcomes = await play(item)
        verdict = judge(outcomes)
        sys.stdout.write(f"{verdict} {item['id']} ({item['kind']})\n{_report(item, outcomes)}\n\n")
        sys.stdout.flush()
        kind = counted.setdefault(item["kind"], {"ok": 0, "not": 0, "WRONG": 0})
        kind[verdict.partition(" ")[0]] += 1
    every = {name: sum(kind[name] for kind in counted.values()) for name in ("ok", "not", "WRONG")}
    for name, kind in [*sorted(counted.items()), ("all", every)]:
        total = sum(kind.values())
        share = f"{kind['ok'] / total:.0%}" if total else "-"
        sys.stdout.write(f"{name}: {kind['ok']} of {total} helped ({share}), {kind['WRONG']} wrong\n")
    return every["WRONG"]


if __name__ == "__main__":
    told = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.exit(min(asyncio.run(main(told, *sys.argv[2:])), 1))

"""The faults: wrong or late responses of the servers, refused credentials, limits, malformed lists."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.chaos.stage import Person, Stage
from playground.faults import Fault

_MESSAGES = r"/api/chat\.(postMessage|update)$"
_POST = r"/api/chat\.postMessage$"
_HISTORY = r"/api/conversations\.(history|open)$"
_STATUS = r"GET /api/workspaces/\w+$"
_START = r"/api/workspaces/\w+/(start|stop)$"
_RUN = r"POST /api/jobs/\w+/start$"
_CLONE = r"POST /api/resource_recipes/clone$"
_LIST = r"GET /api/recipes$"
_LOGS = r"GET /api/(active/pods/[^/]+/logs|jobs/\w+/logs)$"
_ANY = r" /api/"
_LIMITED = json.dumps({"ok": False, "error": "ratelimited"})
_ODD: tuple[Any, ...] = ({"status": None}, {"status": 7}, {}, None)

#: The name of the fault that delays the response to a post; the process that sent the post is then killed.
HANGS = "hangs"

#: How many people's requests are rate limited in a run.
FEW = 2

What = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Burst:
    """A group of faults: the server, the requests affected, the kind of fault, and its maximum number.

    ``what`` makes the fault, given a random generator and the longest time that an action may take. ``lasts``
    is the range of seconds after which the faults end. With ``is_one_person``, they only affect one person's
    credential. With ``is_away``, Usher may report the connection as away. With ``is_once``, they begin when
    the storm does, and other faults don't displace them.
    """

    server: str
    path: str
    what: Callable[[random.Random, float], What]
    most: int | None = 1
    is_away: bool = False
    lasts: tuple[float, float] | None = None
    is_one_person: bool = False
    is_once: bool = False


def _always(**what: Any) -> Callable[[random.Random, float], What]:
    return lambda _chance, _longest: what


def _late(**what: Any) -> Callable[[random.Random, float], What]:
    """Make the server act only after the call has timed out; ``drop`` also loses the response."""
    return lambda chance, longest: {**what, "acts_after_s": round(chance.uniform(20.0, longest), 1)}


def _hang(chance: random.Random, _longest: float) -> What:
    """Delay the response beyond the timeout, in most cases after the server has acted."""
    return {"name": HANGS, "delay_s": 20.0, "after": chance.random() < 0.7}


def _entry(chance: random.Random, _longest: float) -> What:
    """Make the first entry of a list malformed: an invalid state, no state, or no entry at all."""
    odd = chance.choice(_ODD)
    path, value = ("/recipes/0/state", odd) if odd is not None else ("/recipes/0", "?")
    return {"patch": [{"op": "replace", "path": path, "value": value}]}


def _refusal(chance: random.Random, _longest: float) -> What:
    status = chance.choice((302, 400, 403, 404))
    return {"status": status, "headers": {"Location": "/login"} if status == 302 else {}}


def _pause(chance: random.Random, _longest: float) -> What:
    return {"status": 429, "headers": {"Retry-After": str(chance.randint(20, 65))}}


#: The bursts of each mode that ``--only`` can select.
MODES: dict[str, dict[str, Burst]] = {
    "slack": {
        "slack_429": Burst(
            "slack", _MESSAGES, _always(status=429, headers={"Retry-After": "2"}, body=_LIMITED), 6
        ),
        "slack_5xx": Burst("slack", _MESSAGES, _always(status=503), 12),
        "slack_5xx_after": Burst("slack", _MESSAGES, _always(status=500, after=True), 12),
        "slack_cut_after": Burst("slack", _MESSAGES, _always(drop=True, after=True), 12),
        "slack_slow": Burst("slack", _MESSAGES, _always(delay_s=2.0), 12),
        "slack_history_5xx": Burst("slack", _HISTORY, _always(status=503), 6),
    },
    "posts": {"post_hangs": Burst("slack", _POST, _hang)},
    # An outage that outlasts the warning before any planned stop, so nothing can be sent and nobody is
    # warned.
    "slack_away": {
        "slack_away": Burst("slack", _ANY, _always(status=503), None, lasts=(330.0, 340.0), is_once=True),
    },
    "provider": {
        "status_429": Burst("saturn", _STATUS, _always(status=429, headers={"Retry-After": "3"}), 6),
        "status_5xx": Burst("saturn", _STATUS, _always(status=502), 25, is_away=True),
        "status_cut": Burst("saturn", _STATUS, _always(drop=True, after=True), 12, is_away=True),
        "status_garbage": Burst("saturn", _STATUS, _always(garbage=True), 12, is_away=True),
        "status_slow": Burst("saturn", _STATUS, _always(delay_s=21.0, after=True), 12, is_away=True),
        "start_5xx": Burst("saturn", _START, _always(status=500), 8, is_away=True),
        "start_5xx_after": Burst("saturn", _START, _always(status=504, after=True), 8, is_away=True),
        "start_cut_after": Burst("saturn", _START, _always(drop=True, after=True), 8, is_away=True),
        "start_slow": Burst("saturn", _START, _always(delay_s=26.0, after=True), 4, is_away=True),
        "run_cut_after": Burst("saturn", _RUN, _always(drop=True, after=True), 4, is_away=True),
        "clone_cut_after": Burst("saturn", _CLONE, _always(drop=True, after=True), 4, is_away=True),
    },
    "late": {
        "start_late": Burst("saturn", _START, _late(), 4),
        "start_late_lost": Burst("saturn", _START, _late(drop=True), 3, is_away=True),
        "start_slow_act": Burst("saturn", _START, _always(delay_s=26.0), 3, is_away=True),
        "run_late": Burst("saturn", _RUN, _late(), 3),
        "run_late_lost": Burst("saturn", _RUN, _late(drop=True), 3, is_away=True),
        "clone_late_lost": Burst("saturn", _CLONE, _late(drop=True), 3, is_away=True),
    },
    "refused": {
        "refused_once": Burst("saturn", _ANY, _always(status=401), is_one_person=True),
        "refused_next": Burst("saturn", _ANY, _always(status=401), 2),
    },
    "refused_all": {
        "refused_all": Burst("saturn", _ANY, _always(status=401), None, is_away=True, lasts=(5.0, 15.0)),
    },
    "limited": {
        "limited_status": Burst("saturn", _STATUS, _pause, is_one_person=True),
        "limited_list": Burst("saturn", _LIST, _pause, is_one_person=True),
        "limited_logs": Burst("saturn", _LOGS, _pause, is_one_person=True),
    },
    "odd": {
        "odd_entry": Burst("saturn", _LIST, _entry, 2),
        "odd_read": Burst("saturn", _STATUS, _refusal),
    },
}


_MODE_BY_BURST: Final = {burst: mode for mode, bursts in MODES.items() for burst in bursts.values()}


@dataclass(slots=True)
class Weather:
    """Bursts of the chosen modes, which begin and end at random times and may overlap."""

    stage: Stage
    chance: random.Random
    modes: Collection[str]
    #: The longest delay of a late action, in seconds.
    longest: float
    bursts: Counter[str] = field(default_factory=Counter)
    #: How many requests were affected by faults, by mode.
    met: Counter[str] = field(default_factory=Counter)
    #: Whether any fault made the connection seem down, and the people whose reads were limited.
    was_away: bool = False
    limited: list[Person] = field(default_factory=list)
    _ends: list[tuple[float, Fault]] = field(default_factory=list)
    #: Faults by their identity, since different faults may be equal.
    _begun: dict[int, tuple[Fault, str]] = field(default_factory=dict)
    #: What stays.
    _lasting: list[Fault] = field(default_factory=list)

    async def storm(self, seconds: float) -> None:
        """For this many seconds, begin a burst every second or two: one of each mode, then random ones."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        modes = [bursts for mode, bursts in MODES.items() if mode in self.modes]
        named = {name: burst for bursts in modes for name, burst in bursts.items()}
        for name in [name for name, burst in named.items() if burst.is_once]:
            self.begin(named.pop(name), loop.time())
            self.bursts[name] += 1
        first = [name for bursts in modes if (name := self.chance.choice(list(bursts))) in named]
        while loop.time() < until:
            if named:
                name = first.pop(0) if first else self.chance.choice(list(named))
                self.begin(named[name], loop.time())
                self.bursts[name] += 1
            await asyncio.sleep(self.chance.uniform(0.7, 2.0))
            self.forget(loop.time())

    async def repeat(self, seconds: float) -> None:
        """For this many seconds, deliver people's messages again, under other event ids."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while loop.time() < until:
            await asyncio.sleep(self.chance.uniform(0.1, 0.8))
            events = self.chance.choice(self.stage.slacks).events
            known = [
                name
                for name, delivery in events.deliveries.items()
                if "client_msg_id" in delivery.payload["event"]
            ]
            if known:
                await events.repeat(self.chance.choice(known))
                self.bursts["repeats"] += 1

    def clear(self) -> None:
        """Let everything work again."""
        for harness in self._harnesses().values():
            harness.faults.clear()

    def begin(self, burst: Burst, now: float) -> None:
        """Begin one burst."""
        times = None if burst.most is None else self.chance.randint(1, burst.most)
        fault = Fault(re.compile(burst.path), times=times, **burst.what(self.chance, self.longest))
        if burst.is_one_person:
            person = self.chance.choice(self.stage.people)
            if fault.status == 429:
                # Limit only a few people, because if many are limited, Usher concludes that the whole
                # connection is.
                person = person if len(self.limited) < FEW else self.chance.choice(self.limited)
                if person not in self.limited:
                    self.limited.append(person)
            fault.credential = self.stage.token(person)
        self._begun[id(fault)] = (fault, _MODE_BY_BURST[burst])
        lasts = burst.lasts or (30.0, 30.0)
        self._ends.append((now + self.chance.uniform(*lasts), fault))
        faults = self._harnesses()[burst.server].faults
        if fault.name is None:
            faults.append(fault)
        else:
            # A fault that makes posts hang goes before all others, and only one is active at a time, since
            # other posts have to get through.
            faults[:] = [fault, *(one for one in faults if one.name != fault.name)]
        if burst.is_once:
            self._lasting.append(fault)
        self.was_away |= burst.is_away

    def note_fault(self, fault: Fault) -> None:
        """Count a request that was affected by a fault."""
        self.met[self._begun[id(fault)][1]] += 1

    def _harnesses(self) -> dict[str, Any]:
        return {"slack": self.stage.slack_harness, "saturn": self.stage.saturn.harness}

    def forget(self, now: float) -> None:
        """Remove the faults whose time is over."""
        self._ends = [(at, fault) for at, fault in self._ends if at > now]
        left = [fault for _, fault in self._ends]
        for harness in self._harnesses().values():
            going = [one for one in harness.faults if one.times != 0 and one in left]
            stays = [one for one in going if one in self._lasting or one.name is not None]
            harness.faults[:] = [*stays, *[one for one in going if one not in stays][-8:]]

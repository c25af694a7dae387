"""The Events API: delivers each event and, if that fails, retries after about 0, 1 and 5 minutes."""

from __future__ import annotations

from dataclasses import dataclass, field

from playground.slack import payloads
from playground.slack.dispatch import Dispatcher
from playground.slack.payloads import Retry
from playground.slack.records import Json, Message
from playground.slack.replies import Reply
from playground.slack.state import State
from playground.slack.timers import Timers

#: Seconds from each failed delivery to the next attempt.
RETRIES = (0.0, 60.0, 300.0)
KEPT = 1000
#: Events that an app still receives after it has been removed.
FAREWELL = ("tokens_revoked", "app_uninstalled")
#: Maps each kind of conversation to the subscription needed for its messages.
SUBSCRIPTIONS = {"im": "message.im", "channel": "message.channels", "group": "message.groups"}


@dataclass(slots=True)
class Delivery:
    """An event and the results of the attempts to deliver it."""

    payload: Json
    attempts: list[str] = field(default_factory=list)

    @property
    def delivered(self) -> bool:
        """Return whether the app has acknowledged the event."""
        return "ok" in self.attempts


class Events:
    """Delivers events to the app, and retries as Slack does."""

    def __init__(self, state: State, dispatcher: Dispatcher, timers: Timers) -> None:
        self.deliveries: dict[str, Delivery] = {}
        #: The events that the app is missing, to be delivered later as by Slack's Delayed Events; None if it
        #: isn't missing any.
        self._missed: list[Delivery] | None = None
        self._state = state
        self._dispatcher = dispatcher
        self._timers = timers
        state.listeners.append(self._echo)

    async def emit(self, event: Json, *, shared: bool = False, subscription: str = "") -> str | None:
        """Deliver an event for the first time; return its id, or None if the app hasn't subscribed to it."""
        app = self._state.app
        if (subscription or event["type"]) not in app.events:
            return None
        if not app.installed and event["type"] not in FAREWELL:
            return None
        payload = payloads.callback(self._state, event, shared=shared)
        name: str = payload["event_id"]
        self.deliveries[name] = delivery = Delivery(payload)
        while len(self.deliveries) > KEPT:
            del self.deliveries[next(iter(self.deliveries))]
        if self._missed is not None:
            self._missed.append(delivery)
        else:
            await self._attempt(delivery, 0, "")
        return name

    def hold(self) -> None:
        """Hold back events from now on."""
        self._missed = self._missed or []

    async def catch_up(self) -> int:
        """Deliver the events that were held back, unchanged; return how many there were."""
        missed, self._missed = self._missed or [], None
        for delivery in missed:
            await self._attempt(delivery, 0, "")
        return len(missed)

    def _echo(self, what: str, message: Message, before: Json | None) -> None:
        """Send the app an event about its own message, soon after the call that made it, as Slack does."""
        state, place = self._state, self._state.channels[message.channel]
        subscription = SUBSCRIPTIONS[place.kind]
        mine = message.bot_id == state.app.bot_id and message.only_for is None
        if not mine or subscription not in state.app.events:
            return
        event = payloads.own(state, what, message, before, place)

        async def tell() -> None:
            await self.emit(event, subscription=subscription, shared=bool(place.shared_with))

        self._timers.at(self._state.clock.now(), tell)

    async def redeliver(
        self, event_id: str, number: int | None = None, reason: str = "http_timeout"
    ) -> Reply:
        """Deliver an event again, marked as a retry; raise KeyError if its id is unknown."""
        delivery = self.deliveries[event_id]
        reply = await self._dispatcher.send(
            "event", delivery.payload, Retry(number or max(1, len(delivery.attempts)), reason)
        )
        delivery.attempts.append("ok" if reply.ok else str(reply.reason))
        return reply

    async def repeat(self, event_id: str) -> Reply:
        """Deliver an event again with a new event id and without retry headers; raise KeyError if unknown."""
        payload = {**self.deliveries[event_id].payload, "event_id": self._state.new_id("Ev")}
        return await self._dispatcher.send("event", payload)

    async def _attempt(self, delivery: Delivery, number: int, reason: str) -> None:
        retry = Retry(number, reason) if number else None
        reply = await self._dispatcher.send("event", delivery.payload, retry)
        delivery.attempts.append("ok" if reply.ok else str(reply.reason))
        if reply.ok or reply.no_retry or number >= len(RETRIES):
            return
        why = reply.reason or "unknown_error"

        async def again() -> None:
            await self._attempt(delivery, number + 1, why)

        self._timers.at(self._state.clock.now() + RETRIES[number], again)

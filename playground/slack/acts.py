"""What a person can do in a channel: write, use a command, open the Home tab."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from playground.harness import Harness
from playground.slack import payloads, replies, speech
from playground.slack.assistant import Assistant
from playground.slack.dispatch import Dispatcher
from playground.slack.errors import SlackError
from playground.slack.events import SUBSCRIPTIONS, Events
from playground.slack.records import Channel, Json, Message, Person
from playground.slack.replies import Reply
from playground.slack.state import State


class Acts:
    """Acts as a person, and sends the app the same events as Slack."""

    def __init__(
        self, state: State, harness: Harness, dispatcher: Dispatcher, events: Events, assistant: Assistant
    ) -> None:
        self._state = state
        self._harness = harness
        self._dispatcher = dispatcher
        self._events = events
        self._assistant = assistant

    async def say(
        self, user: str, channel: str, text: str, thread_ts: str | None = None, *, broadcast: bool = False
    ) -> Json:
        """Type as a person: a message, /command, or @slackbot call. Return after the first delivery.

        ``channel`` is an id, #name or ``@bot``. ``broadcast`` also shows a reply in the channel itself.
        """
        person, place = self._state.active(user), self._state.place(user, channel)
        if text.startswith("/"):
            return await self._command(person, place, text, thread_ts)
        if self._assistant.hears(text):
            return await self._assistant.ask(person, place, text)
        if not text.strip():
            raise SlackError("no_text")
        encoded = speech.encode(self._state, text)
        message = Message(self._state.new_ts(), place.id, user, encoded, person.team_id)
        message.client_msg_id, message.thread_ts = payloads.new_message_id(), thread_ts
        message.blocks = payloads.rich_text(text)
        message.reply_broadcast = broadcast and thread_ts is not None
        if person.is_bot:
            message.bot_id, message.app_id, message.client_msg_id = person.bot_id, "A0OTHER", None
        self._state.add(message)
        delivered = await asyncio.gather(*(self._tell(event) for event in self._events_of(message, place)))
        events = [event for event in delivered if event]
        return {"ok": True, "channel": place.id, "ts": message.ts, "events": events}

    async def _tell(self, delivery: tuple[Json, str, bool]) -> str | None:
        event, subscription, shared = delivery
        return await self._events.emit(event, subscription=subscription, shared=shared)

    def _events_of(self, message: Message, place: Channel) -> list[tuple[Json, str, bool]]:
        """Return the events that a message causes. If the bot isn't in the channel, there are none."""
        state, found = self._state, []
        shared = bool(place.shared_with)
        if state.app.bot_user not in place.members:
            return []
        found.append((payloads.spoken(state, message, place, "message"), SUBSCRIPTIONS[place.kind], shared))
        if place.kind != "im" and state.app.bot_user in speech.mentions(message.text):
            found.append((payloads.spoken(state, message, place, "app_mention"), "app_mention", shared))
        shown = []
        for url in speech.links(message.text):
            host = f".{urlsplit(url).hostname or ''}"
            shown += [{"url": url, "domain": d} for d in state.app.unfurl_domains if host.endswith(f".{d}")]
        if shown:
            event = {
                "type": "link_shared",
                "user": message.user,
                "channel": place.id,
                "message_ts": message.ts,
                "event_ts": message.ts,
                "links": shown,
                "unfurl_id": f"{place.id}-{message.ts}",
                "source": "conversations_history",
                "is_bot_user_member": True,
            }
            found.append((event, "link_shared", shared))
        return found

    async def _command(self, person: Person, place: Channel, text: str, thread_ts: str | None) -> Json:
        name, _, rest = text.partition(" ")
        state, options = self._state, self._state.app.commands.get(name)
        # Slack Connect doesn't pass commands on. They exist only for members of the workspace in which the
        # app is installed.
        if options is None or not state.app.installed or not state.is_member(person):
            notice = state.tell(person.id, place.id, f"{name} is not a valid command.")
            return {"ok": False, "error": "unknown_command", "channel": place.id, "ts": notice.ts}
        if thread_ts is not None:
            notice = state.tell(person.id, place.id, f"{name} is not supported in threads. Sorry!")
            notice.thread_ts = thread_ts
            return {"ok": False, "error": "not_in_threads", "channel": place.id, "ts": notice.ts}
        said = (
            speech.encode(state, rest.strip(), names=True) if options.get("should_escape") else rest.strip()
        )
        payload = payloads.command(state, person.id, place, name, said)
        reply = await self._dispatcher.send("command", payload)
        answer: Json = {"ok": reply.ok, "channel": place.id, "status": reply.status, "ts": None}
        if not reply.ok:
            notice = state.tell(person.id, place.id, f"{name} failed with the error {reply.error}")
            return {**answer, "error": reply.error, "ts": notice.ts}
        return {**answer, **self._acknowledged(person, place, name, reply)}

    def _acknowledged(self, person: Person, place: Channel, name: str, reply: Reply) -> Json:
        """Show the message in a command's acknowledgement."""
        state = self._state
        try:
            answer = reply.content()
            content = replies.read_answer(answer)
        except (SlackError, ValueError) as error:
            self._harness.violation("invalid_ack", f"{name}: {error}")
            shown = state.tell(person.id, place.id, f"{name} failed with the error invalid_command_response")
            return {"ok": False, "error": "invalid_command_response", "ts": shown.ts}
        if content is None:
            return {}
        message = replies.post(state, answer, content, place.id, person.id)
        return {
            "ts": message.ts,
            "response_type": answer.get("response_type", "ephemeral"),
            "text": message.text,
        }

    async def home(self, user: str, tab: str = "home") -> Json:
        """Open the app's Home or Messages tab, and send the app the event."""
        person = self._state.active(user)
        channel = self._state.direct_message(person.id)
        event: Json = {
            "type": "app_home_opened",
            "user": user,
            "channel": channel.id,
            "event_ts": self._state.new_ts(),
            "tab": tab,
        }
        view = self._state.views.get(self._state.homes.get(user, ""))
        if tab == "home" and view is not None:
            event["view"] = view.to_json(self._state.app, self._state.team)
        return {"ok": True, "event": await self._events.emit(event)}

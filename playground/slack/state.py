"""The state of one Slack workspace, and small changes that keep it consistent."""

from __future__ import annotations

import asyncio
import bisect
import secrets
from collections.abc import Callable

from playground.harness import Clock
from playground.slack.errors import SlackError
from playground.slack.records import (
    App,
    Channel,
    File,
    Json,
    Message,
    Person,
    ResponseUrl,
    Team,
    Token,
    Trigger,
    View,
)

#: Slack's own user, whose messages say that a command couldn't be delivered.
SLACKBOT = "USLACKBOT"


class State:
    """A workspace. All that pages and methods show comes from here."""

    def __init__(self, clock: Clock, team: Team, app: App) -> None:
        self.clock = clock
        self.team = team
        self.app = app
        self.base_url = "http://127.0.0.1"
        self.people: dict[str, Person] = {}
        self.teams: dict[str, Team] = {team.id: team}
        self.channels: dict[str, Channel] = {}
        #: Maps each user group to its members.
        self.groups: dict[str, set[str]] = {}
        self.messages: dict[str, list[Message]] = {}
        #: Maps each person to their direct message with the bot.
        self.direct: dict[str, str] = {}
        self.tokens: dict[str, Token] = {}
        #: All files by id, including uploads that were never completed.
        self.files: dict[str, File] = {}
        self.views: dict[str, View] = {}
        self.stacks: dict[str, list[str]] = {}
        self.homes: dict[str, str] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        #: Maps person, conversation and thread (None: the conversation itself) to the timestamp of the last
        #: message read.
        self.read_until: dict[tuple[str, str, str | None], str] = {}
        self.inputs: dict[tuple[str, str, str], Json] = {}
        self.signed_in: str | None = None
        #: The methods and URLs that sign a browser out before another person uses it.
        self.sign_outs: list[list[str]] = []
        self.version = 0
        #: Called with "posted", "changed" or "deleted", the message, and the message's earlier content.
        self.listeners: list[Callable[[str, Message, Json | None], None]] = []
        self._last_ts = 0
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """Notify everyone who is waiting that something has changed."""
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_for(self, condition: Callable[[], bool], timeout_s: float = 10.0) -> bool:
        """Wait until the condition is true, checking it at each change; return False if time runs out."""
        try:
            async with asyncio.timeout(timeout_s):
                while not condition():
                    await self._changed.wait()
        except TimeoutError:
            return condition()
        return True

    async def wait_beyond(self, version: int, timeout_s: float) -> None:
        """Wait until something has changed since a version, or until time runs out."""
        await self.wait_for(lambda: self.version != version, timeout_s)

    def new_ts(self) -> str:
        """Return a timestamp that no other message in this workspace has."""
        self._last_ts = max(int(self.clock.now() * 1_000_000), self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def new_id(self, prefix: str, length: int = 10) -> str:
        """Return a new id in Slack's format: a letter followed by capitals and digits."""
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        return prefix + "0" + "".join(secrets.choice(alphabet) for _ in range(length - 1))

    def person(self, user: object) -> Person:
        """Return a person; raise ``user_not_found`` if the id is unknown."""
        found = self.people.get(user) if isinstance(user, str) else None
        if found is None:
            raise SlackError("user_not_found")
        return found

    def channel(self, channel: object) -> Channel:
        """Return a conversation by its id; raise ``channel_not_found`` if it is unknown."""
        found = self.channels.get(channel) if isinstance(channel, str) else None
        if found is None:
            raise SlackError("channel_not_found")
        return found

    def active(self, user: str) -> Person:
        """Return a person; raise ``account_inactive`` if the account was deactivated."""
        person = self.person(user)
        if person.deleted:
            raise SlackError("account_inactive")
        return person

    def place(self, user: str, channel: str) -> Channel:
        """Return one of a person's conversations, by id or name, or ``@bot`` for the direct message."""
        named = channel.removeprefix("#").removeprefix("@")
        if named in (self.app.bot_user, self.app.name.lower(), "bot"):
            if self.people[user].is_bot:
                raise SlackError("cannot_dm_bot")
            return self.direct_message(user)
        found = self.channels.get(channel)
        if found is None:
            found = next((c for c in self.channels.values() if c.kind != "im" and c.name == named), None)
        if found is None:
            raise SlackError("channel_not_found")
        if user not in found.members:
            raise SlackError("not_in_channel" if found.kind == "channel" else "channel_not_found")
        return found

    def direct_message(self, user: str) -> Channel:
        """Return a person's direct message with the bot, opening it if needed."""
        known = self.direct.get(user)
        if known is not None:
            return self.channels[known]
        opened = Channel(
            id="D" + user[1:] if len(user) > 1 and "D" + user[1:] not in self.channels else self.new_id("D"),
            name="directmessage",
            kind="im",
            members={user, self.app.bot_user},
            user=user,
            created=int(self.clock.now()),
        )
        self.channels[opened.id], self.direct[user] = opened, opened.id
        self.messages[opened.id] = []
        return opened

    def message(self, channel: str, ts: str) -> Message | None:
        """Return a message by its channel and timestamp."""
        return next((m for m in reversed(self.messages.get(channel, [])) if m.ts == ts), None)

    def visible(self, channel: str, user: str) -> list[Message]:
        """Return the messages in a channel that this person can see, oldest first."""
        return [m for m in self.messages.get(channel, []) if m.only_for in (None, user)]

    @staticmethod
    def is_in_channel(message: Message) -> bool:
        """Return whether a message appears in the conversation itself, not only in a thread."""
        return message.thread_ts in (None, message.ts) or message.reply_broadcast

    def add(self, message: Message) -> Message:
        """Add a message at the place that its timestamp determines, and update the page."""
        bisect.insort(self.messages.setdefault(message.channel, []), message, key=lambda one: one.ts)
        self._heard("posted", message, None)
        return message

    def edit(self, message: Message, **changes: object) -> None:
        """Change a message of the bot. It is then marked as edited, unless it is ephemeral."""
        before = message.to_json()
        for key, value in changes.items():
            setattr(message, key, value)
        if message.only_for is None:
            message.edited = {"user": self.app.bot_user, "ts": self.new_ts()}
        self._heard("changed", message, before)

    def _heard(self, what: str, message: Message, before: Json | None) -> None:
        self.changed()
        for listener in self.listeners:
            listener(what, message, before)

    def from_bot(self, channel: str, text: str, **fields: object) -> Message:
        """Return a new message from the app's bot, without adding it."""
        message = Message(self.new_ts(), channel, self.app.bot_user, text, self.team.id)
        message.bot_id, message.app_id = self.app.bot_id, self.app.id
        for key, value in fields.items():
            setattr(message, key, value)
        return message

    def tell(self, user: str, channel: str, text: str) -> Message:
        """Show a person a message from Slack itself, which nobody else can see."""
        notice = Message(self.new_ts(), channel, SLACKBOT, text, self.team.id, only_for=user, from_slack=True)
        return self.add(notice)

    def remove(self, message: Message) -> None:
        """Take a message away."""
        self.messages[message.channel].remove(message)
        self._heard("deleted", message, message.to_json())

    def is_member(self, person: Person) -> bool:
        """Return whether a person belongs to this workspace or to another workspace of its enterprise."""
        home, enterprise = self.teams.get(person.team_id), self.team.enterprise_id
        is_colleague = enterprise is not None and home is not None and home.enterprise_id == enterprise
        return person.team_id == self.team.id or is_colleague

    def is_stranger(self, person: Person) -> bool:
        """Return whether a person is from another team and shares no channel with the bot.

        Slack's API has the same field.
        """
        if person.team_id == self.team.id:
            return False
        met = (c for c in self.channels.values() if c.kind != "im" and self.app.bot_user in c.members)
        return all(person.id not in channel.members for channel in met)

    def new_trigger(self, user: str, view: str | None = None, channel: str | None = None) -> str:
        """Create a trigger id for one of a person's interactions."""
        digits = str(secrets.randbelow(10**12)).zfill(12)
        trigger = f"{digits}.{secrets.randbelow(10**9):09d}.{secrets.token_hex(16)}"
        self.triggers[trigger] = Trigger(trigger, user, self.clock.now(), view, channel)
        return trigger

    def new_response_url(self, family: str, channel: str, user: str, message: Message | None = None) -> str:
        """Create a response_url; ``family`` is commands, actions or app (for a view)."""
        path = f"/{family}/{self.team.id}/{secrets.randbelow(10**12):012d}/{secrets.token_urlsafe(18)}"
        url = ResponseUrl(path, channel, user, self.clock.now())
        if message is not None:
            url.message_ts, url.thread_ts, url.original = message.ts, message.thread_ts, message.ts
        self.response_urls[path] = url
        return self.base_url + path

    def top_view(self, user: str) -> View | None:
        """Return the modal that a person has open: the top one of the stack, or None."""
        stack = self.stacks.get(user)
        return self.views[stack[-1]] if stack else None

    def open_view(self, user: str) -> View:
        """Return the modal that a person has open; raise ``view_not_found`` if there is none."""
        view = self.top_view(user)
        if view is None:
            raise SlackError("view_not_found")
        return view

    def close_views(self, user: str, *, all_of_them: bool = False) -> list[View]:
        """Close a person's top modal, or all of them; return the closed ones, top first."""
        stack = self.stacks.get(user, [])
        gone = stack[::-1] if all_of_them else stack[-1:]
        self.stacks[user] = stack[: len(stack) - len(gone)]
        self.changed()
        return [self.views.pop(view) for view in gone]

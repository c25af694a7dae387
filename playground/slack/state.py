"""The state of one Slack workspace, and the small changes that keep it consistent."""

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

#: Slack's own voice, which speaks when a command could not be delivered.
SLACKBOT = "USLACKBOT"


class State:
    """Hold a workspace; everything that a page or a method shows is read from here."""

    def __init__(self, clock: Clock, team: Team, app: App) -> None:
        self.clock = clock
        self.team = team
        self.app = app
        self.base_url = "http://127.0.0.1"
        self.people: dict[str, Person] = {}
        self.teams: dict[str, Team] = {team.id: team}
        self.channels: dict[str, Channel] = {}
        #: User group → the people in it.
        self.groups: dict[str, set[str]] = {}
        self.messages: dict[str, list[Message]] = {}
        #: Person → their direct message with the bot.
        self.direct: dict[str, str] = {}
        self.tokens: dict[str, Token] = {}
        #: File id → file, also of uploads that were never completed.
        self.files: dict[str, File] = {}
        self.views: dict[str, View] = {}
        self.stacks: dict[str, list[str]] = {}
        self.homes: dict[str, str] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        #: Person, conversation, thread (None for the conversation itself) → the last message they have read.
        self.read_until: dict[tuple[str, str, str | None], str] = {}
        self.inputs: dict[tuple[str, str, str], Json] = {}
        self.signed_in: str | None = None
        #: Where a browser is signed out before somebody else goes on in it: method and address.
        self.sign_outs: list[list[str]] = []
        self.version = 0
        #: Called with posted, changed or deleted, the message, and how it was before.
        self.listeners: list[Callable[[str, Message, Json | None], None]] = []
        self._last_ts = 0
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """Tell everybody who waits that the page looks different now."""
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_for(self, condition: Callable[[], bool], timeout_s: float = 10.0) -> bool:
        """Wait until the condition holds, looking again at each change; False when the time is over."""
        try:
            async with asyncio.timeout(timeout_s):
                while not condition():
                    await self._changed.wait()
        except TimeoutError:
            return condition()
        return True

    async def wait_beyond(self, version: int, timeout_s: float) -> None:
        """Wait until something has changed since a version, but no longer than that."""
        await self.wait_for(lambda: self.version != version, timeout_s)

    def new_ts(self) -> str:
        """Return a timestamp that no other message of this workspace has."""
        self._last_ts = max(int(self.clock.now() * 1_000_000), self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def new_id(self, prefix: str, length: int = 10) -> str:
        """Return a fresh id in Slack's form: a letter and capitals or digits."""
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        return prefix + "0" + "".join(secrets.choice(alphabet) for _ in range(length - 1))

    def person(self, user: object) -> Person:
        """Return a person; an unknown id raises ``user_not_found``."""
        found = self.people.get(user) if isinstance(user, str) else None
        if found is None:
            raise SlackError("user_not_found")
        return found

    def channel(self, channel: object) -> Channel:
        """Return a conversation by its id; an unknown one raises ``channel_not_found``."""
        found = self.channels.get(channel) if isinstance(channel, str) else None
        if found is None:
            raise SlackError("channel_not_found")
        return found

    def active(self, user: str) -> Person:
        """Return a person who can use a client; one who was deactivated raises ``account_inactive``."""
        person = self.person(user)
        if person.deleted:
            raise SlackError("account_inactive")
        return person

    def place(self, user: str, channel: str) -> Channel:
        """Find a conversation by id, by name, or by the bot (its direct message); only for members."""
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
        """Return the conversation of a person with the bot, opened when there is none yet."""
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
        """Return the messages of a channel that this person sees, oldest first."""
        return [m for m in self.messages.get(channel, []) if m.only_for in (None, user)]

    @staticmethod
    def is_in_channel(message: Message) -> bool:
        """Tell whether a message stands in the conversation itself, not only in a thread."""
        return message.thread_ts in (None, message.ts) or message.reply_broadcast

    def add(self, message: Message) -> Message:
        """Take in a message, where its timestamp places it, and tell the page."""
        bisect.insort(self.messages.setdefault(message.channel, []), message, key=lambda one: one.ts)
        self._heard("posted", message, None)
        return message

    def edit(self, message: Message, **changes: object) -> None:
        """Change a message of the bot; it then bears the mark of an edit unless it is ephemeral."""
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
        """Make a message of the app's bot, not yet added."""
        message = Message(self.new_ts(), channel, self.app.bot_user, text, self.team.id)
        message.bot_id, message.app_id = self.app.bot_id, self.app.id
        for key, value in fields.items():
            setattr(message, key, value)
        return message

    def tell(self, user: str, channel: str, text: str) -> Message:
        """Show a person a sentence of Slack itself that nobody else sees."""
        notice = Message(self.new_ts(), channel, SLACKBOT, text, self.team.id, only_for=user, from_slack=True)
        return self.add(notice)

    def remove(self, message: Message) -> None:
        """Take a message away."""
        self.messages[message.channel].remove(message)
        self._heard("deleted", message, message.to_json())

    def is_member(self, person: Person) -> bool:
        """Tell whether a person belongs to this workspace, or to another one of its enterprise."""
        home, enterprise = self.teams.get(person.team_id), self.team.enterprise_id
        is_colleague = enterprise is not None and home is not None and home.enterprise_id == enterprise
        return person.team_id == self.team.id or is_colleague

    def is_stranger(self, person: Person) -> bool:
        """Tell whether a person of another team shares no channel with the bot (Slack's user object)."""
        if person.team_id == self.team.id:
            return False
        met = (c for c in self.channels.values() if c.kind != "im" and self.app.bot_user in c.members)
        return all(person.id not in channel.members for channel in met)

    def new_trigger(self, user: str, view: str | None = None, channel: str | None = None) -> str:
        """Give out a trigger id for one interaction of a person."""
        digits = str(secrets.randbelow(10**12)).zfill(12)
        trigger = f"{digits}.{secrets.randbelow(10**9):09d}.{secrets.token_hex(16)}"
        self.triggers[trigger] = Trigger(trigger, user, self.clock.now(), view, channel)
        return trigger

    def new_response_url(self, family: str, channel: str, user: str, message: Message | None = None) -> str:
        """Give out a response_url; ``family`` is commands, actions or app (a view's)."""
        path = f"/{family}/{self.team.id}/{secrets.randbelow(10**12):012d}/{secrets.token_urlsafe(18)}"
        url = ResponseUrl(path, channel, user, self.clock.now())
        if message is not None:
            url.message_ts, url.thread_ts, url.original = message.ts, message.thread_ts, message.ts
        self.response_urls[path] = url
        return self.base_url + path

    def top_view(self, user: str) -> View | None:
        """Return the modal that a person looks at, the uppermost of the stack."""
        stack = self.stacks.get(user)
        return self.views[stack[-1]] if stack else None

    def open_view(self, user: str) -> View:
        """Return the modal that a person looks at; without one raises ``view_not_found``."""
        view = self.top_view(user)
        if view is None:
            raise SlackError("view_not_found")
        return view

    def close_views(self, user: str, *, all_of_them: bool = False) -> list[View]:
        """Close the uppermost modal (or all) of a person and return what was closed, uppermost first."""
        stack = self.stacks.get(user, [])
        gone = stack[::-1] if all_of_them else stack[-1:]
        self.stacks[user] = stack[: len(stack) - len(gone)]
        self.changed()
        return [self.views.pop(view) for view in gone]

"""What a handler receives, wherever it came from: words, a button, a form, a shortcut, a search, or a replay.

With what it may use for it; and what the handler of an event receives.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from bot.domain.moments import Moment
from bot.domain.notices import Answer, Spoken
from bot.domain.people import Named, Principal
from bot.domain.policy import Installation
from bot.domain.runs import Run
from bot.domain.stops import Consent
from bot.domain.surfaces import Surface, Where
from bot.domain.workspaces import Workspace
from bot.messages.blocks import kit
from bot.messages.blocks.kit import Markup
from bot.messages.texts import answers
from bot.providers.base import Provider
from bot.providers.connection import Linking
from bot.services.context import Asked, Context, is_old
from bot.services.gather import Gatherer, PeopleNames
from bot.store.store import Store
from bot.support.clock import Clock, Ids
from bot.support.pool import Pool
from handlers.language.words import Manner
from handlers.payload import installed_at, said_at
from handlers.payload import principal as principal_of

#: A response_url is valid for 30 minutes (docs/slack.md, "Requests from Slack"), minus a minute for delivery.
RESPONSE_SECONDS = 29 * 60


#: What runs while nobody knows yet which verb it is, if any: words, and what came without any.
WORDS = "words"


#: The size of a burst, and how much of it is restored in a second.
BURST: Final = 30.0
PER_SECOND: Final = 1.0
#: People over the limit are told so, but not for each of a thousand clicks: once per this many seconds.
NOTICE_EVERY: Final = 5.0
#: How many people are remembered; the one unseen for longest is forgotten first, by then with a full bucket.
REMEMBERED: Final = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float
    noticed_at: float = float("-inf")


class RateLimiter:
    """Grant requests by key. Cheap: a dict lookup per request."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        *,
        burst: float = BURST,
        per_second: float = PER_SECOND,
        remembered: int = REMEMBERED,
    ) -> None:
        self._monotonic = monotonic
        self._burst = burst
        self._per_second = per_second
        self._remembered = remembered
        #: The one seen last comes last.
        self._buckets: dict[str, _Bucket] = {}

    def __len__(self) -> int:
        """Return how many people are remembered."""
        return len(self._buckets)

    def take(self, key: str) -> float:
        """Count a request and return 0; or count nothing and return the seconds until one is allowed."""
        now = self._monotonic()
        bucket = self._buckets.pop(key, None) or _Bucket(self._burst, now)
        self._buckets[key] = bucket
        if len(self._buckets) > self._remembered:
            del self._buckets[next(iter(self._buckets))]
        bucket.left = min(bucket.left + (now - bucket.at) * self._per_second, self._burst)
        bucket.at = now
        if bucket.left >= 1.0:
            bucket.left -= 1.0
            return 0.0
        return (1.0 - bucket.left) / self._per_second

    def tells(self, key: str) -> bool:
        """Return whether to tell the person that a request was one too many; each True counts."""
        bucket, now = self._buckets.get(key), self._monotonic()
        if bucket is None or now - bucket.noticed_at < NOTICE_EVERY:
            return False
        bucket.noticed_at = now
        return True


#: How many searches a person may make at once, and how many in a second: more than anybody types letters.
SEARCH_BURST: Final = 20.0
SEARCHES_PER_SECOND: Final = 5.0


class Searches:
    """Let each person search once at a time, and not without end: of what waits only the newest is made."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._limiter = RateLimiter(monotonic, burst=SEARCH_BURST, per_second=SEARCHES_PER_SECOND)
        self._newest: dict[str, int] = {}
        self._one: dict[str, asyncio.Lock] = {}

    async def let(self, key: str, search: Callable[[], Awaitable[object]]) -> None:
        """Search, unless a newer search of the same person came meanwhile, or there were too many."""
        if self._limiter.take(key) > 0.0:
            return
        number = self._newest[key] = self._newest.get(key, 0) + 1
        async with self._one.setdefault(key, asyncio.Lock()):
            if self._newest[key] != number:
                return
            try:
                await search()
            finally:
                if self._newest[key] == number:
                    del self._newest[key], self._one[key]


#: How many people are remembered as met, so that their requests ask no database.
_MET: Final = 20_000


class Contacts:
    """Remember who has been introduced to Usher."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._met: set[str] = set()

    async def is_new(self, principal: Principal) -> bool:
        """Return whether a person hasn't been introduced yet."""
        if principal.key in self._met:
            return False
        if not await self._store.has_met(principal):
            return True
        self._note(principal)
        return False

    async def meet(self, principal: Principal) -> bool:
        """Note that a person is introduced now; return whether this is the first time."""
        is_first = await self.is_new(principal) and await self._store.meet(principal)
        self._note(principal)
        return is_first

    def _note(self, principal: Principal) -> None:
        if len(self._met) >= _MET:
            self._met.clear()
        self._met.add(principal.key)


@dataclass(frozen=True, slots=True)
class Services:
    """Hold what handlers may use. ``commands`` maps a slash command to the folder of its verbs."""

    context: Context
    store: Store
    gatherer: Gatherer
    names: PeopleNames
    contacts: Contacts
    #: The connections that this person may use; the context has all of them.
    connections: Mapping[str, Provider]
    clock: Clock
    ids: Ids
    commands: Mapping[str, str]
    limiter: RateLimiter
    searches: Searches
    #: What is told once a store that takes long has answered.
    later: Pool

    def actor(self, payload: Mapping[str, Any]) -> Principal:
        """Return who acts, by a payload; raises Refused (``principal.missing``)."""
        return self.context.installation.who(principal_of(payload))

    def asked(self, principal: Principal, interaction: str = "") -> Asked:
        """Return who asks where no request says so."""
        return Asked(self.context, principal, interaction)

    def of(self, principal: Principal) -> Services:
        """Return the services with the connections that a person's Slack workspace may use."""
        served = {name: one for name, one in self.connections.items() if one.serves(principal)}
        return self if len(served) == len(self.connections) else replace(self, connections=served)

    def title(self, connection: str) -> str:
        """Return a connection's title; its name if the operator removed it."""
        return self.context.title(connection)

    def titles(self, connections: Iterable[str]) -> kit.Markup:
        """Return the titles of connections as part of a sentence."""
        return kit.Markup(
            " and ".join(sorted({kit.line(self.title(connection)) for connection in connections}))
        )

    def not_set_up(self, connections: Iterable[str]) -> str:
        """Say how many things are on connections that the operator took out; "" for none."""
        gone = Counter(name for name in connections if name not in self.context.connections)
        return " ".join(
            kit.fill(answers.NOT_SET_UP, count=Markup(str(gone[name])), name=name) for name in sorted(gone)
        )

    def linkable(self) -> list[tuple[str, str]]:
        """Return (name, title) of the connections that people link themselves."""
        return self._linked_by("token")

    def linkless(self) -> list[tuple[str, str]]:
        """Return (name, title) of the connections where there is nothing to link."""
        return self._linked_by("none")

    def approvable(self) -> list[str]:
        """Return the names of the connections where an administrator approves usernames."""
        return [name for name, _ in self._linked_by("admin")]

    def _linked_by(self, way: Linking) -> list[tuple[str, str]]:
        served = sorted(self.connections.items())
        return [(name, provider.settings.title) for name, provider in served if provider.links_by(way)]

    def linking(self) -> list[tuple[str, str, bool]]:
        """Return (name, title, whether with a token) of all that can be linked, in the order of a Home."""
        by_token = dict(self.linkable())
        names = by_token.keys() | set(self.approvable())
        found = [(name, self.title(name), name in by_token) for name in names]
        return sorted(found, key=lambda one: one[1].casefold())

    def slash(self, folder: str) -> str:
        """Return the slash command whose verbs are in a folder."""
        return next(command for command, found in self.commands.items() if found == folder)


def build_services(context: Context, limiter: RateLimiter) -> Services:
    """Assemble the services; ``limiter`` counts people's requests."""
    return Services(
        context=context,
        store=context.store,
        gatherer=Gatherer(context),
        names=PeopleNames(context),
        contacts=Contacts(context),
        connections=context.connections,
        clock=context.clock,
        ids=context.ids,
        commands={context.command: "workspace", context.job_command: "job"},
        limiter=limiter,
        searches=Searches(context.clock.monotonic),
        later=Pool(MOST_LATER, lambda: None),
    )


@dataclass(frozen=True, slots=True)
class Waiting:
    """Hold what waits for a link, a list or a person: a command or a press, and the way back to who asked.

    It waits as JSON. Whatever carries it adds ``task``, which tells one run from the next, and ``problem``.
    """

    principal: str = ""
    text: str = ""
    #: What was pressed, in place of a text (``Press.text``).
    press: str = ""
    folder: str = "workspace"
    interaction: str = ""
    channel_id: str | None = None
    thread_ts: str | None = None
    #: Where the answer would have been read.
    where: str = Where.CHANNEL
    response_url: str | None = None
    response_until: float = 0.0
    #: Usher's id of the form that the answer fills.
    view: str | None = None
    #: The accounts whose lists were already read for it.
    looked: tuple[str, ...] = ()
    #: The interaction whose answer promised this one; that answer becomes this one.
    first: str = ""
    #: The connection whose list it waits for.
    asked: str = ""
    #: Why what it waited for failed: a cause of ``bot.messages.texts.problems``.
    problem: str = ""
    #: The connection whose list could not be read, if it was asked for earlier than the one it waited for.
    unread: str = ""
    task: str = ""

    def as_body(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in values.items() if value}

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Waiting:
        """Read it back."""
        known = {name: value for name, value in body.items() if name in cls.__slots__}
        return cls(**known | {"looked": tuple(body.get("looked") or ())})


#: What has not waited.
AT_ONCE: Final = Waiting()
#: So many people at once are told later what came of what they asked.
MOST_LATER: Final = 1000
#: Nothing to add, because the card in the same conversation says it. An empty text isn't delivered.
SILENT = Answer(text="")


class Answered(Exception):
    """End a verb with an answer, in a helper that returns something else; a handler returns its answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.text)
        self.answer = answer


class AtFields(Exception):
    """End a form's handler with what is wrong with its fields, by block id; the form stays open."""

    def __init__(self, errors: Mapping[str, str], rule: str = "form.fields") -> None:
        super().__init__(rule)
        self.errors = errors
        self.rule = rule


class Reference:
    """Generate a request's short id when somebody needs it; most requests don't."""

    __slots__ = ("_drawn", "_ids")

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._drawn: str | None = None

    def __str__(self) -> str:
        """Return it, the same each time."""
        if self._drawn is None:
            self._drawn = self._ids.reference()
        return self._drawn

    def is_in(self, blocks: Sequence[dict[str, Any]]) -> bool:
        """Return whether it appears in one of these blocks."""
        return self._drawn is not None and any(self._drawn in str(block) for block in blocks)


@dataclass(slots=True)
class Speaking:
    """Collect what a request turns out to be about, whatever its answer is."""

    about: Spoken | None = None
    what: str = ""
    says_english: bool = False

    def of(self, workspaces: Iterable[Workspace]) -> None:
        """Note the workspaces that it is about, in their order."""
        self.about = Spoken(workspaces=tuple(one.id for one in workspaces))

    def of_run(self, run_id: str) -> None:
        """Note the run that it is about."""
        self.about = Spoken(runs=(run_id,))

    def by(self, answer: Answer) -> Spoken | None:
        """Return what an answer is about: as it says itself, otherwise as noted; None for nothing."""
        about = answer.about or self.about
        if about is None or not answer.text:
            return None
        return replace(
            about, what=about.what or self.what, says_english=about.says_english or self.says_english
        )


@dataclass(frozen=True, slots=True)
class Request:
    """Hold one request of a person: words, a press, a shortcut, a search, or a form that was sent.

    ``drawing`` generates its reference. ``target`` is the key that a button carried: only a key, its row
    is read and authorised again.
    ``text`` is the command as Slack sent it, in case it has to wait.
    """

    principal: Principal
    verb: str
    arguments: tuple[str, ...]
    surface: Surface
    services: Services
    drawing: Reference
    folder: str = "workspace"
    target: str | None = None
    #: The workspace of that key where this request has read it among its person's own.
    row: Workspace | None = None
    #: What the button carried that was pressed.
    press: kit.Press | None = None
    text: str = ""
    #: Its words as they were typed.
    given: tuple[str, ...] = ()
    is_shared: bool = False
    flags: frozenset[str] = frozenset()
    #: The time that a button was drawn for, in epoch seconds; or that was typed, with its ``moment``.
    at: float | None = None
    moment: Moment | None = None
    #: How much longer than planned something should run, in seconds.
    more: float = 0.0
    #: How it was put: a verb of Usher as typed (or a button), or in other words.
    manner: Manner = Manner.TYPED
    #: What it was as it waited, if it did.
    waited: Waiting = AT_ONCE
    #: The form that was sent, or that a button or a search belongs to: it contains only keys and texts.
    view: Mapping[str, Any] = field(default_factory=dict)
    #: The message on which a shortcut was chosen, as Slack sent it: anybody may have written it.
    message: Mapping[str, Any] = field(default_factory=dict)
    #: What it is about, for what is said next.
    spoken: Speaking = field(default_factory=Speaking)

    def pressed(self, press: kit.Press) -> Request:
        """Return the request of a button; those for verbs of jobs are named ``job_VERB``."""
        return replace(
            self,
            folder="job" if press.name.startswith("job_") else "workspace",
            verb=press.name.removeprefix("job_"),
            arguments=(),
            target=press.key or None,
            press=press,
            flags=frozenset({kit.AGREED} if press.agreed else ()),
            at=press.at,
            manner=Manner.TYPED,
        )

    async def heard(self) -> Spoken:
        """Return what was last spoken of where the person writes."""
        if self.surface.channel_id is None:
            return Spoken()
        surface = self.surface
        return await self.services.store.spoken(self.principal, surface.channel_id or "", surface.thread_ts)

    @property
    def agreed(self) -> Consent:
        """Return what was agreed to: by the button's own question, or typed beforehand."""
        if kit.AGREED not in self.flags:
            return Consent.NONE
        return (self.press.agreed if self.press is not None else Consent.NONE) or Consent.GIVEN

    @property
    def carried(self) -> str:
        """Return what Usher wrote into the form."""
        return str(self.view.get("private_metadata") or "")

    @property
    def seen(self) -> int | None:
        """Return how often the workspace had been brought up when the button was drawn, if it says so."""
        return None if self.press is None else self.press.seen

    @property
    def asked(self) -> Asked:
        """Return who asks for it, for the use cases."""
        surface = self.surface
        return Asked(
            self.services.context,
            self.principal,
            surface.interaction,
            self.drawing,
            surface.channel_id,
            surface.said_at,
            surface.is_quoted,
        )

    @property
    def then(self) -> str:
        """Return the command that waits for a link; "" if its person has to be asked first."""
        return self.text if self.asked.acts_unasked(self.services.clock.now()) else ""

    @property
    def reference(self) -> str:
        """Return the id that the answer and the log show."""
        return str(self.drawing)

    @property
    def command(self) -> kit.Markup:
        """Return what comes before a verb where the answer is read, so that people can type it there.

        That is the slash command in a channel, nothing in a direct message, the bot's name after a mention.
        """
        return self.command_of(self.folder)

    def filled(self, template: str, about: Workspace | Run | None = None, **more: object) -> str:
        """Fill a template with ``command``, and with ``name`` and ``title`` of what it is about."""
        names: dict[str, object] = {"command": self.command}
        if about is not None:
            name = about.name if isinstance(about, Run) else about.title
            names |= {"name": name, "title": self.services.title(about.connection)}
        return kit.fill(template, **names | more)

    def command_of(self, folder: str) -> kit.Markup:
        """Return the same for a folder's verbs; without a slash command, those of jobs follow a word."""
        word = "" if folder == "workspace" else f"{folder} "
        if self.surface.where is Where.DIRECT:
            return kit.Markup(word)
        if self.surface.where is Where.MENTION:
            return kit.Markup(
                f"@{kit.line(self.services.context.installation.at(self.principal).bot_name)} {word}"
            )
        return kit.Markup(f"{self.services.slash(folder)} ")

    @property
    def unread(self) -> str:
        """Return the connection whose list could not be read, for ``waited.problem``."""
        return (self.waited.unread or self.waited.asked) if self.waited.problem else ""

    @property
    def promised_in(self) -> str:
        """Return the interaction whose answer promised this one."""
        return self.waited.first or self.surface.interaction

    @property
    def is_asked(self) -> bool:
        """Return whether a person is asking just now; a request that waited was counted earlier."""
        return self.surface.kind != "replay"

    @property
    def who(self) -> kit.Markup:
        """Return a mention of the person, for answers that others read."""
        return kit.person(Named(self.principal.user_id))

    @property
    def name(self) -> str:
        """Return the arguments as one name: names with spaces need no quotes."""
        return " ".join(self.arguments)

    @property
    def is_beside_cards(self) -> bool:
        """Return whether cards and notices come to where the answer is read, so that it doesn't repeat them.

        An answer that was promised is given all the same, because the message that promised it becomes it.
        """
        return self.surface.where is Where.DIRECT and not self.waited.first

    def about(self, folder: str, verb: str, arguments: tuple[str, ...], target: str | None = None) -> Request:
        """Return the request for another verb, with other words or a key."""
        return replace(self, folder=folder, verb=verb, arguments=arguments, target=target, row=None)

    def waiting(self, text: str | None = None) -> Waiting:
        """Return the command, or another, so that it can run later and still be answered."""
        surface = self.surface
        return Waiting(
            principal=self.principal.key,
            text=self.text if text is None else text,
            folder=self.folder,
            interaction=surface.interaction,
            channel_id=surface.channel_id,
            thread_ts=surface.thread_ts,
            where=surface.where,
            response_url=surface.response_url,
            response_until=self.services.clock.now() + RESPONSE_SECONDS,
            view=surface.view_external_id,
            looked=self.waited.looked,
        )


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Hold a Slack event. Handlers raise StoreError if nothing was written; Slack then sends it again.

    They raise Refused where Slack doesn't say who it is about.
    """

    payload: Mapping[str, Any]
    services: Services
    interaction: str

    @property
    def event(self) -> Mapping[str, Any]:
        """Return the inner event."""
        event = self.payload.get("event")
        return event if isinstance(event, dict) else {}

    @property
    def happened_at(self) -> float | None:
        """Return when it happened (epoch seconds), if that is long ago: Slack may know better by now."""
        at = said_at(self.payload)
        return at if is_old(at, self.services.clock.now()) else None

    @property
    def enterprise_id(self) -> str | None:
        """Return the enterprise of the installation that it is for."""
        return installed_at(self.payload)[1]

    @property
    def installation(self) -> Installation | None:
        """Return the installation that it is for."""
        team, enterprise = installed_at(self.payload)
        return self.services.context.installation.of(enterprise, team)

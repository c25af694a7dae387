"""A person's request, wherever it came from: words, a button, a form, a shortcut, a search, or a replay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from bot.domain.conversations import Referents
from bot.domain.notices import Answer
from bot.domain.people import Named, Principal
from bot.domain.runs import Run
from bot.domain.stops import Consent
from bot.domain.surfaces import Surface, Where
from bot.domain.time_parsing import Moment
from bot.domain.undoable_actions import Act
from bot.domain.workspaces import Workspace
from bot.messages.blocks import kit
from bot.services.caller import Caller
from bot.store import conversations
from bot.support.clock import Ids
from handlers.deferred_command import AT_ONCE, RESPONSE_SECONDS, DeferredCommand
from handlers.services import Services

#: What runs while nobody knows yet which verb it is, if any: words, and what came without any.
WORDS = "words"
#: Nothing to add, because the card in the same conversation says it. An empty text isn't delivered.
SILENT = Answer(text="")


class Manner(StrEnum):
    """Say how sure it is what was meant: typed as it is, said in other words, or only a guess."""

    #: A verb of Usher came first, and what follows it was typed as it is.
    TYPED = "typed"
    #: In other words, or as a sentence.
    SAID = "said"
    #: A question whether to do it, a wish, or an order that is a guess.
    ASKED = "asked"


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

    about: Referents | None = None
    what: str = ""
    says_english: bool = False
    #: What is done for it.
    acts: dict[tuple[str, str], Act] = field(default_factory=dict)
    #: What its words can name, once that was read (``handlers.names``).
    names: object = None

    def of(self, workspaces: Iterable[Workspace]) -> None:
        """Note the workspaces that it is about, in their order."""
        self.about = Referents(workspaces=tuple(one.id for one in workspaces))

    def of_run(self, run_id: str) -> None:
        """Note the run that it is about."""
        self.about = Referents(runs=(run_id,))

    def by(self, answer: Answer) -> Referents | None:
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
    press: kit.ButtonValue | None = None
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
    waited: DeferredCommand = AT_ONCE
    #: The form that was sent, or that a button or a search belongs to: it contains only keys and texts.
    view: Mapping[str, Any] = field(default_factory=dict)
    #: The message on which a shortcut was chosen, as Slack sent it: anybody may have written it.
    message: Mapping[str, Any] = field(default_factory=dict)
    #: What it is about, for what is said next.
    spoken: Speaking = field(default_factory=Speaking)

    def pressed(self, press: kit.ButtonValue) -> Request:
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

    async def find_today(self) -> date:
        """Return today's date in the person's zone."""
        store = self.services.store
        return datetime.fromtimestamp(await store.now(), await store.zone(self.principal)).date()

    async def heard(self) -> Referents:
        """Return what was last spoken of where the person writes."""
        if self.surface.channel_id is None:
            return Referents()
        surface = self.surface
        return await self.services.store.read(
            conversations.spoken, self.principal, surface.channel_id or "", surface.thread_ts
        )

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
    def caller(self) -> Caller:
        """Return the caller of its use cases."""
        surface = self.surface
        return Caller(
            self.services.context,
            self.principal,
            surface.interaction,
            self.drawing,
            surface.channel_id,
            surface.thread_ts,
            surface.said_at,
            surface.is_quoted,
            via=surface.via,
            is_answered=not self.is_beside_cards and surface.kind != "form",
            acts=self.spoken.acts,
        )

    @property
    def then(self) -> str:
        """Return the command that waits for a link; "" if its person has to be asked first."""
        return (
            ""
            if self.surface.via or not self.caller.needs_no_confirmation(self.services.clock.now())
            else self.text
        )

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

    def waiting(self, text: str | None = None) -> DeferredCommand:
        """Return the command, or another, so that it can run later and still be answered."""
        surface = self.surface
        return DeferredCommand(
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
            via=surface.via,
        )

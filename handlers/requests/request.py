"""A person's request from any source: words, a button, a form, a shortcut, a search, or a replay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from bot.domain.accounts import Account
from bot.domain.conversations import Referents
from bot.domain.markup import Template
from bot.domain.notices import Answer
from bot.domain.people import Named, Principal
from bot.domain.runs import Run
from bot.domain.stops import Consent
from bot.domain.surfaces import Surface, Where
from bot.domain.time_parsing import FARTHEST_SECONDS, Moment
from bot.domain.undoable_actions import UndoableAction
from bot.domain.workspaces import Workspace
from bot.messages.blocks import kit, replies
from bot.messages.blocks.button_values import AGREED, ButtonValue
from bot.messages.blocks.kit import Markup
from bot.messages.texts import answers, cards
from bot.services.caller import Caller
from bot.store import conversations
from bot.support.clock import Ids
from handlers.requests.command_line import join_words
from handlers.requests.deferred_command import NOT_DEFERRED, RESPONSE_SECONDS, DeferredCommand
from handlers.requests.services import Services

#: The verb of a request while its verb isn't known: words, or something without words.
WORDS = "words"
#: The answer that adds nothing, because the card in the same conversation says it. It isn't delivered.
SILENT = Answer(text="")


class Answered(Exception):
    """An answer that ends a verb early. Only helpers raise it; a handler returns its answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.text)
        self.answer = answer


class InvalidFields(Exception):
    """The errors of a form's fields by block id, raised by a form's handler; the form stays open."""

    def __init__(self, errors: Mapping[str, str], rule: str = "form.fields") -> None:
        super().__init__(rule)
        self.errors = errors
        self.rule = rule


class Reference:
    """A request's short id, generated only when it is needed, which is rare."""

    __slots__ = ("_ids", "_value")

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._value: str | None = None

    def __str__(self) -> str:
        """Return the id, which is always the same."""
        if self._value is None:
            self._value = self._ids.reference()
        return self._value

    def is_in(self, blocks: Sequence[dict[str, Any]]) -> bool:
        """Return whether the id appears in one of these blocks."""
        return self._value is not None and any(self._value in str(block) for block in blocks)


#: Accounts with outdated lists, then the workspaces that were read after them.
Listed: TypeAlias = tuple[Sequence[Account], Sequence[Workspace]]


@dataclass(slots=True)
class RequestNotes:
    """The things that a request was about and what was done for it, whatever its answer is."""

    about: Referents | None = None
    #: The actions that were done for the request.
    actions: dict[tuple[str, str], UndoableAction] = field(default_factory=dict)
    #: The person's accounts with outdated lists, then their workspaces, if they were read to understand the
    #: words.
    listed: Listed | None = None

    def note_workspaces(self, workspaces: Iterable[Workspace]) -> None:
        """Note the workspaces that the request is about, in order."""
        self.about = Referents(workspaces=tuple(workspace.id for workspace in workspaces))

    def note_run(self, run_id: str) -> None:
        """Note the run that the request is about."""
        self.about = Referents(runs=(run_id,))

    def find_referents(self, answer: Answer) -> Referents | None:
        """Return the referents of an answer: its own, otherwise the noted ones; None if there are none."""
        return (answer.about or self.about) if answer.text else None


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a person: words, a click, a shortcut, a search, or a submitted form.

    ``reference_source`` generates its reference. ``target`` is the key that a button carried: only a key, as
    its row is read and authorised again. ``text`` is the command as Slack sent it, in case it has to wait.
    """

    principal: Principal
    verb: str
    arguments: tuple[str, ...]
    surface: Surface
    services: Services
    reference_source: Reference
    folder: str = "workspace"
    target: str | None = None
    #: The workspace with that key, if it was found among the person's own.
    row: Workspace | None = None
    #: The value of the button that was clicked.
    press: ButtonValue | None = None
    text: str = ""
    #: The words as they were typed.
    typed_words: tuple[str, ...] = ()
    is_shared: bool = False
    flags: frozenset[str] = frozenset()
    #: The time of a button, or a typed one with its ``moment``, in epoch seconds.
    at: float | None = None
    moment: Moment | None = None
    #: Seconds that something should run longer than planned.
    more: float = 0.0
    #: The deferred command that the request runs, if it runs one.
    deferred: DeferredCommand = NOT_DEFERRED
    #: The form that was submitted, or that a button or search belongs to; it contains only keys and texts.
    view: Mapping[str, Any] = field(default_factory=dict)
    #: The message of a message shortcut, as Slack sent it: anybody may have written it.
    message: Mapping[str, Any] = field(default_factory=dict)
    #: The things that the request is about, which the next words may refer to.
    notes: RequestNotes = field(default_factory=RequestNotes)

    def to_button_request(self, press: ButtonValue) -> Request:
        """Return the request of a button; buttons for verbs of jobs are named ``job_VERB``."""
        return replace(
            self,
            folder="job" if press.name.startswith("job_") else "workspace",
            verb=press.name.removeprefix("job_"),
            arguments=(),
            target=press.key or None,
            press=press,
            flags=frozenset({AGREED} if press.agreed else ()),
            at=press.at,
        )

    async def read_moment(self) -> Moment | None:
        """Return the moment of the words or of the button; raises Answered if it has passed."""
        if self.moment is not None or self.at is None:
            return self.moment
        now = await self.services.store.now()
        if not now < self.at <= now + FARTHEST_SECONDS:
            raise Answered(replies.hint(self.fill(cards.PASSED, typed=answers.EXAMPLE)))
        return Moment(self.at)

    async def find_zone(self) -> ZoneInfo | None:
        """Return the time zone of the answer's only reader; None if there are several, or it isn't known."""
        return None if self.is_shared else await self.services.store.known_zone(self.principal)

    async def format_time(self, at: float) -> Markup:
        """Return a time in the zone of the answer's reader, as an adverb."""
        return kit.moment_at(at, self.services.clock.now(), await self.find_zone())

    async def find_today(self) -> date:
        """Return today's date in the person's zone."""
        store = self.services.store
        return datetime.fromtimestamp(await store.now(), await store.zone(self.principal)).date()

    async def read_referents(self) -> Referents:
        """Return what was last talked about in the conversation in which the person writes."""
        if self.surface.channel_id is None:
            return Referents()
        surface = self.surface
        return await self.services.store.read(
            conversations.find_referents, self.principal, surface.channel_id or "", surface.thread_ts
        )

    @property
    def consent(self) -> Consent:
        """Return the person's consent: given to the button's own question, or typed as a flag."""
        if AGREED not in self.flags:
            return Consent.NONE
        return (self.press.agreed if self.press is not None else Consent.NONE) or Consent.GIVEN

    @property
    def outdated(self) -> str:
        """Return what is said of a button whose message, or page, has become outdated."""
        return answers.OUTDATED[self.surface.where is Where.HOME]

    @property
    def form_payload(self) -> str:
        """Return the metadata that Usher wrote into the form."""
        return str(self.view.get("private_metadata") or "")

    @property
    def seen(self) -> int | None:
        """Return how often the workspace had been started when the button was drawn, None if unknown."""
        return None if self.press is None else self.press.seen

    @property
    def caller(self) -> Caller:
        """Return the caller for the request's use cases."""
        surface = self.surface
        return Caller(
            self.services.context,
            self.principal,
            surface.interaction,
            self.reference_source,
            surface.channel_id,
            surface.thread_ts,
            surface.sent_at,
            surface.is_quoted,
            via=surface.via,
            is_answered=not self.is_read_with_cards and surface.kind != "form",
            is_in_home=surface.is_in_home or surface.where is Where.HOME,
            actions=self.notes.actions,
        )

    @property
    def command_after_linking(self) -> str:
        """Return the command to run after linking; "" if the person has to confirm it first."""
        return (
            ""
            if self.surface.via or not self.caller.needs_no_confirmation(self.services.clock.now())
            else self.text
        )

    @property
    def reference(self) -> str:
        """Return the id that the answer and the log show."""
        return str(self.reference_source)

    @property
    def command(self) -> kit.Markup:
        """Return what to type before a verb in the place where the answer is read.

        That is the slash command in a channel, nothing in a direct message, the bot's name after a mention.
        """
        return self.format_command(self.folder)

    def fill(self, template: Template, about: Workspace | Run | None = None, **more: object) -> str:
        """Fill a template with ``command``, and with ``name`` and ``title`` of a workspace or run.

        ``typed`` is the name as it is typed in a command.
        """
        names: dict[str, object] = {"command": lambda: self.command}
        if about is not None:
            name = about.name if isinstance(about, Run) else about.title
            title = self.services.title(about.connection)
            names |= {"name": name, "typed": lambda: format_typed_name(name), "title": title}
        return kit.fill(template, **names | more)

    def format_command(self, folder: str) -> kit.Markup:
        """Return what to type before the verbs of a folder: a slash command, or a word for those of jobs."""
        word = "" if folder == "workspace" else f"{folder} "
        if self.surface.where is Where.DIRECT:
            return kit.Markup(word)
        if self.surface.where is Where.MENTION:
            return kit.Markup(
                f"@{kit.line(self.services.context.installation.find_for(self.principal).bot_name)} {word}"
            )
        return kit.Markup(f"{self.services.find_slash_command(folder)} ")

    @property
    def failed_connection(self) -> str:
        """Return the connection whose list couldn't be read, "" without a ``deferred.problem``."""
        return (self.deferred.unread or self.deferred.asked) if self.deferred.problem else ""

    @property
    def promised_in(self) -> str:
        """Return the interaction whose answer promised this one."""
        return self.deferred.first or self.surface.interaction

    @property
    def is_live(self) -> bool:
        """Return whether a person is waiting now; a deferred request was counted when it was made."""
        return self.surface.kind != "replay"

    @property
    def mention(self) -> kit.Markup:
        """Return a mention of the person, for answers that others read."""
        return kit.mention(Named(self.principal.user_id))

    @property
    def name(self) -> str:
        """Return the arguments as one name, so that names with spaces need no quotes."""
        return " ".join(self.arguments)

    @property
    def is_read_with_cards(self) -> bool:
        """Return whether cards and notices appear beside the answer, so that it needn't repeat them.

        An answer that was promised is given anyway, because the message that promised it becomes the answer.
        """
        return self.surface.where is Where.DIRECT and not self.deferred.first

    def redirect(
        self, folder: str, verb: str, arguments: tuple[str, ...], target: str | None = None
    ) -> Request:
        """Return the request for another verb, with other words or a key."""
        return replace(self, folder=folder, verb=verb, arguments=arguments, target=target, row=None)

    def defer(self, text: str | None = None) -> DeferredCommand:
        """Return this command, or another, as a deferred one that can still be answered."""
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
            looked=self.deferred.looked,
            via=surface.via,
        )


def format_typed_name(name: str) -> kit.Markup:
    """Return a name as people type it in a command: in quotes if it has spaces."""
    return kit.Markup(kit.line(join_words((name,))))

"""A user's request from any source: text, a button, a form, a shortcut, a search, or a replay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from bot.domain.accepted_requests import AcceptedRequest
from bot.domain.accounts import Account
from bot.domain.markup import Template
from bot.domain.notices import Answer
from bot.domain.people import Principal
from bot.domain.runs import Run
from bot.domain.stops import Consent
from bot.domain.surfaces import Surface, Where
from bot.domain.time_parsing import FARTHEST_SECONDS, Moment
from bot.domain.workspaces import Workspace
from bot.messages.blocks import kit, replies
from bot.messages.blocks.button_values import AGREED, ButtonValue
from bot.messages.blocks.commands import DIRECT, Prefixes
from bot.messages.blocks.kit import Markup
from bot.messages.texts import answers, cards
from bot.services.caller import Caller
from handlers.requests.command_line import join_words
from handlers.requests.deferred_command import NOT_DEFERRED, RESPONSE_SECONDS, DeferredCommand
from handlers.requests.services import Services

#: Placeholder used as a request's verb until the actual verb is known.
WORDS = "words"
#: An answer that isn't sent, because the card in the same conversation already says everything.
SILENT = Answer(text="")


class Answered(Exception):
    """Ends the handling of a request early, with an answer.

    Handlers return their answers; helpers raise this.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.text)
        self.answer = answer


class InvalidFields(Exception):
    """Error messages for a form's fields, by block id. A form's handler raises this to keep the form open."""

    def __init__(self, errors: Mapping[str, str], rule: str = "form.fields") -> None:
        super().__init__(rule)
        self.errors = errors
        self.rule = rule


#: The user's accounts whose lists are out of date, and the user's workspaces. The accounts were read before
#: the workspaces.
Listed: TypeAlias = tuple[Sequence[Account], Sequence[Workspace]]


@dataclass(slots=True)
class RequestNotes:
    """Notes about a request: what its answer shows, and everything accepted for it so far."""

    #: The ids of the workspaces and runs shown in the answer, for an assistant.
    shown: Sequence[str] = ()
    is_question: bool = False
    #: The actions that Usher has accepted for this request so far, keyed by the kind of action and by the id
    #: of the workspace or run ("" if the action concerns neither).
    accepted: dict[tuple[str, str], AcceptedRequest] = field(default_factory=dict)
    #: The user's accounts with outdated lists, and the user's workspaces. Set only if they had to be read to
    #: interpret the user's words.
    listed: Listed | None = None
    #: What the answer says, as JSON data for Slack's assistant. ``names`` lists the names in the data that
    #: people or programs have chosen. If ``facts`` is None, the assistant gets its data from the database.
    facts: dict[str, Any] | None = None
    names: Sequence[str] = ()

    def note_workspaces(self, workspaces: Iterable[Workspace]) -> None:
        """Record the workspaces that the answer shows."""
        self.shown = [workspace.id for workspace in workspaces]


@dataclass(frozen=True, slots=True)
class Request:
    """A single request from a user: words, a click, a shortcut, a search, or a submitted form.

    ``reference`` is its short id, which appears in the answer and in the log. ``target`` is only the key that
    a button carries, because the row is read and authorised again. ``text`` is the command as Slack sent it,
    which is needed if the command has to wait.
    """

    principal: Principal
    verb: str
    arguments: tuple[str, ...]
    surface: Surface
    services: Services
    reference: str
    folder: str = "workspace"
    target: str | None = None
    #: The workspace that ``target`` identifies, or None if it isn't one of the user's own.
    row: Workspace | None = None
    #: The value of the clicked button.
    press: ButtonValue | None = None
    text: str = ""
    typed_words: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()
    #: The time that was typed or that a button carries, in epoch seconds. If typed, ``moment`` is set, too.
    at: float | None = None
    moment: Moment | None = None
    #: How much longer the workspace should keep running, in seconds.
    more: float = 0.0
    #: The deferred command that this request replays, if any.
    deferred: DeferredCommand = NOT_DEFERRED
    #: The form as Slack sent it when the user submitted it, pressed a button in it, or searched a menu.
    view: Mapping[str, Any] = field(default_factory=dict)
    notes: RequestNotes = field(default_factory=RequestNotes)

    async def read_moment(self) -> Moment | None:
        """Return the time that was typed or that the button carries. Raise Answered if it is in the past."""
        if self.moment is not None or self.at is None:
            return self.moment
        now = await self.services.store.now()
        if not now < self.at <= now + FARTHEST_SECONDS:
            raise Answered(replies.hint(cards.PASSED))
        return Moment(self.at)

    async def find_zone(self) -> ZoneInfo | None:
        """Return the time zone of the person who made the request, or None if it isn't known."""
        return await self.services.store.known_zone(self.principal)

    async def format_time(self, at: float) -> Markup:
        """Format a time as a phrase such as "today at 18:00", in the reader's time zone."""
        return kit.moment_at(at, self.services.clock.now(), await self.find_zone())

    async def find_today(self) -> date:
        """Return today's date in the person's time zone."""
        store = self.services.store
        return datetime.fromtimestamp(await store.now(), await store.zone(self.principal)).date()

    @property
    def consent(self) -> Consent:
        """Return the consent that the user gave by answering a button's question or by typing a flag."""
        if AGREED not in self.flags:
            return Consent.NONE
        return (self.press.agreed if self.press is not None else Consent.NONE) or Consent.GIVEN

    @property
    def variant(self) -> str:
        """Return the verb or the variant that a flag selects: ``stop`` with ``--force`` becomes *force*."""
        variant = {"stop": "force", "start": "wait"}.get(self.verb, "")
        return variant if variant in self.flags else self.verb

    @property
    def outdated(self) -> str:
        """Return a sentence that says that the message or page with the button is out of date."""
        return answers.OUTDATED[self.surface.where in {Where.HOME, Where.FORM}]

    @property
    def form_payload(self) -> str:
        """Return the data that Usher put into the form's metadata."""
        return str(self.view.get("private_metadata") or "")

    @property
    def seen(self) -> int | None:
        """Return how often the workspace had been started when the button was drawn, or None if unknown."""
        return None if self.press is None else self.press.seen

    @property
    def caller(self) -> Caller:
        """Return the caller for the request's use cases."""
        surface = self.surface
        return Caller(
            self.services.context,
            self.principal,
            surface.interaction,
            self.reference,
            surface.channel_id,
            surface.thread_ts,
            surface.sent_at,
            surface.is_quoted,
            via=surface.via,
            is_answered=not self.is_read_with_cards and surface.kind != "form",
            is_in_home=surface.is_in_home or surface.where is Where.HOME,
            accepted=self.notes.accepted,
        )

    @property
    def command_after_linking(self) -> str:
        """Return the command to run after linking. If the user has to confirm it first, return ""."""
        return (
            ""
            if self.surface.via or not self.caller.needs_no_confirmation(self.services.clock.now())
            else self.text
        )

    @property
    def command(self) -> kit.Markup:
        """Return what users have to type before a verb in the place where they read the answer.

        In a channel, it is the slash command, and after a mention, the bot's name. In a direct message, it is
        nothing.
        """
        return self.prefixes.of(self.folder)

    def fill(self, template: Template, about: Workspace | Run | None = None, **more: object) -> str:
        """Fill in a template with ``command`` and with the ``name`` and ``title`` of a workspace or run.

        ``typed`` in the template is the name as it is typed in a command.
        """
        names: dict[str, object] = {"command": lambda: self.command}
        if about is not None:
            title = self.services.title(about.connection)
            names |= {"name": about.title, "typed": lambda: format_typed_name(about.title), "title": title}
        return kit.fill(template, **names | more)

    @property
    def prefixes(self) -> Prefixes:
        """Return what users have to type before verbs in the place where they read the answer."""
        if self.surface.where is Where.DIRECT:
            return DIRECT
        if self.surface.where is Where.MENTION:
            bot = kit.line(self.services.context.installation.find_for(self.principal).bot_name)
            return Prefixes(f"@{bot} ", f"@{bot} job ")
        return self.services.slash_prefixes

    @property
    def failed_connection(self) -> str:
        """Return the connection whose list couldn't be read, or "" if ``deferred.problem`` isn't set."""
        return self.deferred.asked if self.deferred.problem else ""

    @property
    def is_live(self) -> bool:
        """Return whether the user is waiting for the answer now.

        If this replays a deferred request, they aren't.

        A deferred request was already counted when it was first made.
        """
        return self.surface.kind != "replay"

    @property
    def name(self) -> str:
        """Return the arguments as one name. This way, users needn't quote names that contain spaces."""
        return " ".join(self.arguments)

    @property
    def is_read_with_cards(self) -> bool:
        """Return whether cards and notices appear next to the answer, so that the answer needn't repeat them.

        If the answer was promised, return False, because it replaces the message that promised it.
        """
        return self.surface.where is Where.DIRECT and not self.deferred.is_promised

    def redirect(
        self, folder: str, verb: str, arguments: tuple[str, ...], target: str | None = None
    ) -> Request:
        """Return this request changed to another verb, with other words and possibly another key."""
        return replace(self, folder=folder, verb=verb, arguments=arguments, target=target, row=None)

    def defer(self, text: str | None = None, **answered_at: Any) -> DeferredCommand:
        """Return this command, or ``text`` in its place, as a deferred command that can still be answered.

        ``answered_at`` are those fields of the surface that differ from this request's surface.
        """
        was_promised = self.deferred.is_promised
        surface = self.deferred.surface if was_promised else self.surface
        return DeferredCommand(
            text=self.text if text is None else text,
            surface=surface._replace(**answered_at),
            response_until=self.deferred.response_until or self.services.clock.now() + RESPONSE_SECONDS,
            is_promised=was_promised,
            looked=self.deferred.looked,
        )


def format_typed_name(name: str) -> kit.Markup:
    """Return a name as it is typed in a command: quoted if it contains spaces."""
    return kit.Markup(kit.line(join_words((name,))))

"""From whatever comes in to its handler, from any result to an Answer, and back to where it was asked.

There is one guard for all that comes in, and one way back for each kind (ADR 42).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, NamedTuple

import structlog

from bot.domain.announcements import find_next_moment
from bot.domain.notices import Answer
from bot.domain.people import Principal
from bot.domain.surfaces import Surface, Where
from bot.domain.tasks import TaskKind
from bot.messages.blocks import kit, replies
from bot.messages.blocks.buttons import ENDS, RUN_STOPS
from bot.messages.blocks.forms import answer_view, field_of
from bot.messages.blocks.kit import ButtonValue, fill, safe
from bot.messages.blocks.lists import SAY
from bot.messages.texts import answers, problems, runs, times
from bot.services import snapshots
from bot.services.caller import OLD_SECONDS, ConfirmationRequired
from bot.store import inbox, notices
from bot.store.transaction import one_request
from bot.support.cleaning import clean, has_invisible, unescape
from bot.support.errors import NotIdentified, NotLinked, Refused, StoreError, StoreUnsure, UsherError
from handlers import quotations, routes, suggestions, typing_mistakes
from handlers.command_line import (
    LONGEST,
    LONGEST_COMMAND,
    MOST_WORDS,
    decoded,
    parse,
    plain,
    split_program,
)
from handlers.deferred_command import NOT_DEFERRED, DeferredCommand
from handlers.helping import met, what
from handlers.hooks import RequestHooks
from handlers.linking import linked
from handlers.payload import find_state_values, find_value, list_fields
from handlers.request import SILENT, WORDS, Answered, InvalidFields, Reference, Request
from handlers.response_targets import make_message_notice, make_reply_notice
from handlers.services import Services

log = structlog.get_logger(__name__)
#: Checked before a log line that nobody would see is composed.
_level = logging.getLogger(__name__)

#: The fields of each form in which no secret belongs; a program's arguments are the person's own business.
_PLAIN_FIELDS = {
    "ask_link": ("username",),
    "code": ("code",),
    "make": ("name",),
    "remove": ("name",),
    "stop_later": ("other",),
}
#: What asks again how things are: what has it says as of when.
_AS_OF: Final = frozenset({"refresh", "status", "job_refresh"})
#: The action that leaves undone what was only asked about.
_LEAVE = "leave"
#: How long to wait before asking a store again that was taking long.
_LOOKS_AGAIN_SECONDS = 0.2
#: The kinds of places where a person writes a text.
_WRITTEN: Final = frozenset({"message", "command", "assistant"})
#: How much of a text that is too long is looked at, to say in which words that is told.
_BEGINNING = 100


async def run_text(
    services: Services,
    principal: Principal,
    surface: Surface,
    text: str,
    *,
    folder: str = "workspace",
    deferred: DeferredCommand = NOT_DEFERRED,
    reader: routes.Verb | None = None,
) -> Answer:
    """Run what a person typed; always answers. The words may start with a folder (``job list``).

    ``reader`` reads them in place of the one for what people type. What isn't read at all costs next to
    nothing, so that nobody holds up the others.
    """
    request = _entered(services, principal, surface, WORDS, folder=folder, text=text, deferred=deferred)
    if request.is_live and (answer := await _before_reading(request)) is not None:
        return answer
    said = _read_message(request)
    if said.is_quoted:
        request = replace(request, surface=replace(surface, is_quoted=True))
    request = parse_request(request, said.text)
    reader = reader or routes.text.get("words")
    assert reader is not None, "somebody reads what people type"
    is_long = len(request.text) > LONGEST_COMMAND or len(request.arguments) > MOST_WORDS
    if is_long and not routes.has_own_parser(request.folder, request.verb):
        reader = partial(_talked, topic="too_long")
    return await _authorised(
        request, partial(typing_mistakes.without_tokens, reader=reader, besides=said.besides)
    )


def parse_request(request: Request, text: str) -> Request:
    """Return a request with the words of a text."""
    parsed, folder = parse(text, request.services.commands, routes.list_flags()), request.folder
    if parsed.folder:
        folder = parsed.folder
    elif folder != "workspace":
        # Kept, so that it means the same wherever it waits: on a button, for a link, for a list.
        text = f"{folder} {text}"
    word = plain(parsed.words[0]) if parsed.words else "list"
    return replace(
        request,
        verb=word if routes.get_verbs(folder).get(word) else WORDS,
        arguments=parsed.words,
        typed_words=parsed.words,
        folder=folder,
        text=text,
        is_shared="share" in parsed.flags,
        flags=parsed.flags,
    )


async def _before_reading(request: Request) -> Answer | None:
    """Return the answer to a text that isn't read: one too many, too long, or answered before."""
    # What something asks for a person is counted apart, so that they can always ask themselves.
    wait = request.services.limiter.take(request.principal.key + request.surface.via)
    if wait > 0:
        return _too_many(request, wait)
    if len(request.text) > LONGEST and _is_too_long(request):
        begin = parse(_begin(request, request.text), request.services.commands, routes.list_flags())
        if "job" in {request.folder, begin.folder}:
            return replies.hint(fill(runs.TOO_LONG, limit=LONGEST))
        return suggestions.small_talk(request, "too_long")
    if request.surface.kind != "message" or not request.surface.interaction:
        return None
    # Slack delivers it again if no ack reached it; its answer isn't in the ack.
    try:
        answered = await request.services.store.read(inbox.was_answered, request.surface.interaction)
    except StoreError as error:
        return _instead(request, problems.sentence(error))
    return SILENT if answered else None


def _is_too_long(request: Request) -> bool:
    """Return whether a text is too long without its quotations; a program's own words all count."""
    text = quotations.skip_quotations(request.text)
    has_program = _parses_itself(request, _begin(request, text))
    return len(text if has_program else quotations.drop_quotations(request.text)) > LONGEST


def _begin(request: Request, text: str) -> str:
    return _remove_own_mentions(request, text[:_BEGINNING])


class _Message(NamedTuple):
    """The words of a text that are read, and the rest of it, in which a token may be."""

    text: str
    is_quoted: bool = False
    besides: str = ""


def _read_message(request: Request) -> _Message:
    """Return the words that the writer of a text says; quoted ones if it has no others, or hidden signs."""
    kind, text = request.surface.kind, _remove_own_mentions(request, request.text)
    if kind not in _WRITTEN:
        return _Message(text)
    quotation = quotations.read_quotation(text)
    # Whoever types a slash command in code quotes nobody.
    is_quoted = quotation is not None and (kind == "message" or "`" not in text)
    begun = quotations.skip_quotations(text) if quotation is None else quotation
    if _parses_itself(request, begun):
        said, besides = begun, text.removesuffix(begun)
    else:
        said = quotations.drop_quotations(begun)
        besides = "" if said == text else text
    return _Message(clean(said), True, besides) if has_invisible(said) else _Message(said, is_quoted, besides)


def _remove_own_mentions(request: Request, text: str) -> str:
    """Remove mentions of Usher from a text, but not from a program's own words."""
    if "@" not in text:
        return text
    installation = request.services.context.installation.at(request.principal)
    command, program = split_program(text)
    command = installation.remove_own_mentions(command)
    if program and _parses_itself(request, quotations.skip_quotations(command)):
        return f"{command}{program}"
    return installation.remove_own_mentions(text)


def _parses_itself(request: Request, text: str) -> bool:
    """Return whether a text begins with a verb that reads it by itself, such as a program's own words."""
    parsed = parse(text, request.services.commands)
    verb = plain(next(iter(parsed.words), ""))
    return routes.has_own_parser(parsed.folder or request.folder, verb)


async def _talked(request: Request, topic: str) -> Answer:
    return suggestions.small_talk(request, topic)


async def run_talk(services: Services, principal: Principal, surface: Surface, topic: str) -> Answer:
    """Answer what came without words, as small talk about a topic."""
    return await guarded(_entered(services, principal, surface, WORDS), partial(_talked, topic=topic))


async def run_button(
    services: Services,
    principal: Principal,
    surface: Surface,
    press: ButtonValue,
    view: Mapping[str, Any] | None = None,
) -> Answer:
    """Run what a button is for: a handler of its own, or the verb of that name; always answers.

    Buttons for verbs of jobs are named ``job_VERB``.
    """
    request = _entered(services, principal, surface, press.name, view=view or {}).to_button_request(press)
    found = routes.find_button_handler(request, press.name)
    if found is said:
        return await said(request)
    return await guarded(request, found or old_button)


async def run_shortcut(
    services: Services,
    principal: Principal,
    surface: Surface,
    callback_id: str,
    message: Mapping[str, Any] | None = None,
) -> Answer:
    """Run what a shortcut is for; always answers."""
    request = _entered(services, principal, surface, callback_id, message=message or {})
    return await guarded(request, routes.shortcut.get(callback_id) or old_button)


def _entered(services: Services, principal: Principal, surface: Surface, verb: str, **more: Any) -> Request:
    """Return the request of a person, before anything of it was read or asked."""
    return Request(
        principal=principal,
        verb=verb,
        arguments=(),
        surface=surface,
        services=services.limit_to(principal),
        reference_source=Reference(services.ids),
        **more,
    )


async def guarded(request: Request, handler: routes.Verb) -> Answer:
    """Count the request, authorise the person, and run the handler; always answers."""
    wait = request.services.limiter.take(request.principal.key) if request.is_live else 0.0
    return _too_many(request, wait) if wait > 0 else await _authorised(request, handler)


async def _authorised(request: Request, handler: routes.Verb, *, is_later: bool = False) -> Answer:
    """Authorise the person, run the handler, and turn every possible ending into an Answer.

    The log gets the reference that the answer shows, and nothing that a person typed. ``is_later``: nobody
    waits for an ack, so what the store doesn't take is raised (StoreError).
    """

    def logger() -> Any:
        # Composed only if it will be logged, which is rare.
        return log.bind(
            reference=request.reference,
            verb=request.verb,
            surface=request.surface.kind,
            where=request.surface.where,
            principal=request.principal.key,
        )

    try:
        with one_request():
            await request.caller.authorise(request.verb)
            try:
                answer = await handler(request)
            except NotLinked as missing:
                # Whoever turns out not to be linked is offered *Link*, whatever the verb.
                await linked(request, missing.connection, is_refused=missing.is_refused)
                raise
    except Answered as early:
        _note(logger, "answered early", request, early.answer)
        return _fit(request, early.answer)
    except ConfirmationRequired:
        logger().info("asked first")
        return _fit(request, _asked_again(request))
    except NotIdentified as unknown:
        logger().info("not known yet")
        return await _kept(request, unknown)
    except InvalidFields as wrong:
        logger().info("refused", rule=wrong.rule)
        return _fit(request, Answer(text="", errors=wrong.errors))
    except Refused as refusal:
        logger().info("refused", rule=refusal.rule)
        if (say := routes.refusal.get(refusal.rule)) is not None:
            return _fit(request, say(request, refusal))
        return _instead(request, refusal.text, is_broken=False)
    except UsherError as error:
        is_stores = isinstance(error, StoreError)
        if is_later and is_stores:
            raise
        logger().warning("store failed" if is_stores else "failed", problem=error)
        answer = _instead(request, problems.sentence(error))
        return _unwritten(request, handler, answer, error) if is_stores else answer
    except Exception:  # noqa: BLE001 - the one place where a bug in a verb becomes an answer
        logger().exception("failed unexpectedly")
        return _instead(request, problems.sentence("internal"))
    # Mostly below info: a line for each would cost a quarter of a request. Every change is in the audit.
    _note(logger, "answered", request, answer)
    return _fit(request, _replace_question(request, answer))


def _replace_question(request: Request, answer: Answer) -> Answer:
    """Replace a question by the answer to its button."""
    is_said = bool(answer.text) and answer.view is None and not (answer.errors or answer.in_channel)
    return replace(answer, replaces=True) if request.surface.is_question and is_said else answer


def _unwritten(request: Request, handler: routes.Verb, answer: Answer, error: UsherError) -> Answer:
    """Return the answer to what the store didn't take; where that isn't known yet, its outcome is told later.

    Nothing else is asked of the store: that would outlast the 3 s for an ack.
    """
    if not isinstance(error, StoreUnsure):
        return replace(answer, about=None, unwritten="not")
    request.services.outcome_pool.add(_notify_later(request, handler))
    return replace(answer, about=None, unwritten="unsure")


async def _notify_later(request: Request, handler: routes.Verb) -> None:
    """Notify a person of the result of a commit that took long, as promised.

    The same is asked again once the store answers: its interaction is an inbox key, so it has one effect, and
    the answer is true whether the commit went through or not. That ends when nobody would act on words that
    old without asking.
    """
    services, surface = request.services, request.surface
    # What Slack delivers again is answered once, whoever is first.
    notice_of = make_reply_notice if surface.kind == "message" else make_message_notice

    async def notify() -> None:
        answer = await _authorised(request, handler, is_later=True)
        if answer.errors:
            answer = replies.hint("\n".join(answer.errors.values()))
        if answer.text:
            await services.store.write(
                notices.add_notices, [notice_of(answer, surface, request.principal, services.ids)]
            )
        elif surface.kind == "message":
            await services.store.write(inbox.mark_answered, surface.interaction)

    await written_later(services, notify, surface.interaction)


async def written_later(services: Services, write: Callable[[], Awaitable[None]], interaction: str) -> None:
    """Write once more what a commit may have written already, once the store answers: it has one effect."""
    until = services.clock.now() + OLD_SECONDS
    while services.clock.now() < until:
        try:
            await write()
        except StoreError as error:
            log.info("what came of it isn't known yet", problem=error, interaction=interaction)
            await asyncio.sleep(_LOOKS_AGAIN_SECONDS)
        else:
            return
    log.error("what came of it was never known", interaction=interaction)


def _fit(request: Request, answer: Answer) -> Answer:
    """Return an answer with what it is about; its form, if any, names commands as typed next to it."""
    if (about := request.notes.find_referents(answer)) != answer.about:
        answer = replace(answer, about=about)
    if answer.errors:
        return replace(answer, errors={at: _as_read(request, text) for at, text in answer.errors.items()})
    if request.surface.via and any(kit.buttons_of(answer.blocks)):
        said = kit.section(fill(answers.ASKED_TO, said=_in_full(request.text)))
        answer = kit.with_blocks(answer, [said, *answer.blocks])
    for hooks in RequestHooks.list_subscribers():
        answer = hooks.finish_answer(request, answer)
    answer = _offering(answer)
    about = answer.about
    if about is not None and (about.ask or about.takes_press):
        answer = replies.as_question(answer)
        if not answer.offers and any(kit.buttons_of(answer.blocks)):
            key = f"{kit.QUESTION}:{request.surface.interaction}"
            answer = replace(answer, offers=key, about=replace(about, question=key))
    if request.surface.where in (Where.CHANNEL, Where.MENTION) or answer.in_channel:
        answer = _add_date(request, answer)
    is_in_form = request.surface.where is Where.FORM and request.is_live
    if is_in_form and answer.view is None and answer.text:
        # Said where it was asked, not in a conversation behind the form.
        answer = replace(answer, view=answer_view(answer))
    if answer.view is None:
        return answer
    slash = request.services.find_slash_command
    return replace(answer, view=replies.in_view(answer.view, slash("workspace"), slash("job")))


def _add_date(request: Request, answer: Answer) -> Answer:
    """Return an answer that can't be edited later: it says as of when it announces what is to come."""
    now = request.services.clock.now()
    if find_next_moment([one for one in answer.blocks if one["type"] != "actions"], now) is None:
        return answer
    as_of = fill(answers.AS_OF_ALONE, at=kit.moment(now, now))
    blocks = [replies.use_plain_dates(one) for one in answer.blocks]
    if not any("As of " in one for one in kit.lines_of(blocks)):
        blocks.insert(len(blocks) - (blocks[-1]["type"] == "actions"), kit.context(as_of))
    return kit.with_blocks(answer, blocks)


def _offering(answer: Answer) -> Answer:
    """Name the one workspace or run that an answer offers something for; what can be asked again is dated."""
    presses = [kit.ButtonValue.of(one) for one in kit.buttons_of(answer.blocks)]
    about_one = {"open_url", *ENDS, *RUN_STOPS}
    keys = {one.key for one in presses if one.seen is not None or one.name in about_one}
    if answer.offers or len(keys) != 1 or any(one.name in _AS_OF or one.mark == "refresh" for one in presses):
        return answer
    return replace(answer, offers=keys.pop())


def _instead(request: Request, sentence: str, *, is_broken: bool = True) -> Answer:
    """Answer with a sentence of the catalogue in place of what was asked for; a form keeps what was typed."""
    said = _as_read(request, sentence)
    place = first_field(request.view) if request.surface.kind == "form" else ""
    if place:
        shown = f"{said} ({request.reference})" if is_broken else said
        return Answer(text="", errors={place: shown})
    answer = replies.plain_problem(said, request.reference) if is_broken else replies.hint(safe(said))
    return _fit(request, answer)


def _as_read(request: Request, text: str) -> str:
    """Return a sentence of the catalogue, written as for a direct message, with commands as typed here."""
    if "`" not in text:
        return text
    return replies.as_typed(text, request.format_command("workspace"), request.format_command("job"))


async def _kept(request: Request, unknown: NotIdentified) -> Answer:
    """Keep a request until Slack has said who the person is; it is never carried out before that.

    A request isn't kept a second time, one from an open form has to be repeated there, and anything that
    may be a token is never kept; nor is what an assistant asks, as only its reader refuses what agrees.
    """
    kinds = {"shortcut", "search", "assistant"}
    is_seen_only_now = request.surface.where is Where.FORM or request.surface.kind in kinds
    if not request.is_live or is_seen_only_now or typing_mistakes.suspected(request):
        return _instead(request, unknown.text)
    press = "" if request.press is None else request.press.text
    waiting = replace(request.defer(), first=request.promised_in, press=press)
    person = [request.principal.key]
    try:
        await request.caller.run(snapshots.read_again, TaskKind.LOOK_UP_PERSON, person, waiting.as_body())
    except ConfirmationRequired:
        return _fit(request, _asked_again(request))
    except StoreError as error:
        return _instead(request, problems.sentence(error))
    return replies.answer(answers.ASKING_WHO)


async def introduced(services: Services, principal: Principal, answer: Answer) -> Answer:
    """Return an answer to what a person wrote; at first contact with what Usher is and the first steps.

    It stays as it is if others read it, if it says nothing, or if the person may not use Usher.
    """
    if not answer.text or answer.in_channel:
        return answer
    try:
        first = await met(services, principal) if await services.greeted.is_new(principal) else None
    except StoreError as error:
        log.warning("nobody introduced", problem=error)
        return answer
    if first is None:
        return answer
    steps, is_first = first
    return replies.introduced(answer, what(services.limit_to(principal)), steps, is_first=is_first)


def _note(logger: Callable[[], Any], event: str, request: Request, answer: Answer) -> None:
    """Log an answer, at the level operators read if people can see its reference."""
    if request.reference_source.is_in(answer.blocks[-1:]):
        logger().info(event)
    elif _level.isEnabledFor(logging.DEBUG):
        logger().debug(event)


def _too_many(request: Request, wait: float) -> Answer:
    """Answer somebody over the rate limit: always in an ack, otherwise once in a while."""
    principal = request.principal.key
    if request.surface.kind not in {"command", "form", "assistant"}:
        if not request.services.limiter.should_notify(principal):
            return Answer(text="")
        log.info("too many requests", principal=principal, reference=request.reference)
    said = times.duration(max(wait, 1.0))
    return _instead(request, answers.TOO_MANY.format(wait=said), is_broken=False)


async def run_form(
    services: Services, principal: Principal, surface: Surface, callback_id: str, view: Mapping[str, Any]
) -> Answer:
    """Do what a form says that was sent; always answers, with nothing or a view, or at its fields."""
    handler = routes.view.get(callback_id)
    if handler is None:
        log.warning("no such form", view=callback_id[:40])
        return SILENT
    request = _entered(services, principal, surface, f"view.{callback_id}", view=view)
    plain = _PLAIN_FIELDS.get(callback_id, ())
    return await guarded(request, partial(_sent, handler=handler, plain=plain))


async def _sent(request: Request, handler: routes.Verb, plain: Collection[str]) -> Answer:
    """Run a form's handler, unless a token was typed into one of the ``plain`` fields."""
    for block_id in find_state_values(request.view):
        if (name := field_of(block_id)) in plain:
            typed = find_value(request.view, name)
            if sentence := await typing_mistakes.token_in_field(request.services, request.principal, typed):
                raise InvalidFields({block_id: sentence}, rule="form.token")
    return await handler(request)


async def run_search(
    services: Services, principal: Principal, action_id: str, value: str, view: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the choices of a select menu, from what is known: none rather than a wait or an error.

    ``VERB:SOURCE`` names the handler by its source, ``field:NAME`` is a field of a form.
    """
    kind, _, source = action_id.partition(":")
    handler = routes.options.get(kind if kind == "field" else source)
    if handler is None:
        log.warning("no such search", action_id=action_id[:40])
        return []
    request = _entered(services, principal, Surface(kind="search"), "search", view=view)
    found: list[dict[str, Any]] = []

    async def searched(request: Request) -> Answer:
        found.extend(await handler(request))
        return SILENT

    # There is one for each letter that is typed, so they aren't counted with what is asked for.
    request = replace(request, arguments=(unescape(value),), target=source)
    await services.search_limiter.run(principal.key, partial(_authorised, request, searched))
    return found


def first_field(view: Mapping[str, Any]) -> str:
    """Return the block at which an error about the whole form is shown."""
    return next((block_id for _, block_id in list_fields(view)), "")


@routes.action(SAY)
async def said(request: Request) -> Answer:
    """Run a command that was offered, as if it had been typed; authorised and counted like any other."""
    command = "" if request.press is None else request.press.value
    return await run_text(request.services, request.principal, request.surface, command)


def _asked_again(request: Request) -> Answer:
    """Ask whether words from the past, or somebody's, count; nothing of what they say was done."""
    now, command, is_quoted = request.services.clock.now(), request.text, request.surface.is_quoted
    at = kit.moment_at(request.surface.said_at or now, now)
    if len(command) > kit.VALUE:
        return replies.hint(fill(answers.QUOTED_AGAIN if is_quoted else answers.SAID_LONG_AGO_AGAIN, at=at))
    buttons = [kit.button(answers.DO_IT_NOW, SAY, command), kit.button(answers.LEAVE_IT, _LEAVE)]
    template = answers.NOT_LET if request.surface.via else answers.SAID_LONG_AGO
    template = answers.QUOTED if is_quoted else template
    return replies.answer(fill(template, at=at, said=_in_full(command)), buttons)


def _in_full(command: str) -> kit.Markup:
    """Return a command as a question shows it: what is agreed to is read before."""
    return kit.Markup(kit.line(unescape(decoded(command)), kit.VALUE))


@routes.action(_LEAVE)
async def left(_request: Request) -> Answer:
    """Do nothing, and let the question say so."""
    return replies.answer(answers.LEFT, replaces=True)


async def old_button(request: Request) -> Answer:
    """Answer a button of an earlier release that no longer exists."""
    return replies.hint(request.fill(answers.OLD_BUTTON))

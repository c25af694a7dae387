"""Dispatches requests: each is counted, authorised and handled, and each outcome becomes an Answer.

All requests go through the same checks, and each kind of request has only one way to return its answer (ADR
42).
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, NamedTuple

import structlog

from bot.domain.markup import list_parts
from bot.domain.notices import Answer
from bot.domain.people import Principal
from bot.domain.surfaces import Surface, Where
from bot.domain.tasks import TaskKind
from bot.domain.waitlist import WaitlistFacts
from bot.messages.blocks import kit, limits, replies, stored, waitlist
from bot.messages.blocks.button_values import AGREED, ButtonValue
from bot.messages.blocks.buttons import BACK, RUN_STOPS, WARNING_ANSWERS
from bot.messages.blocks.forms import answer_view, get_field_name
from bot.messages.blocks.kit import fill, safe
from bot.messages.blocks.lists import RUN_COMMAND
from bot.messages.texts import answers, problems, runs, times, verbs
from bot.messages.texts.refusals import explain_refusal
from bot.services import snapshots
from bot.services.caller import MAX_REQUEST_AGE_SECONDS, ConfirmationRequired
from bot.services.operation_requests import AlreadyWaiting
from bot.store import inbox, notices
from bot.store.transaction import track_used_keys
from bot.support.cleaning import clean, has_invisible, unescape
from bot.support.errors import NotIdentified, NotLinked, Refused, StoreError, StoreUnsure, UsherError
from handlers.helping import describe_usher, start_introduction
from handlers.linking import require_account
from handlers.requests import quotations, routes, suggestions, typing_mistakes
from handlers.requests.command_line import (
    MAX_COMMAND_LENGTH,
    MAX_TEXT_LENGTH,
    MAX_WORDS,
    decode_links,
    fold_word,
    parse,
    split_program,
)
from handlers.requests.deferred_command import NOT_DEFERRED, DeferredCommand
from handlers.requests.payload import find_state_values, find_value, list_fields
from handlers.requests.request import SILENT, WORDS, Answered, InvalidFields, Request
from handlers.requests.response_targets import make_message_notice, make_reply_notice
from handlers.requests.services import Services

log = structlog.get_logger(__name__)
#: The standard library's logger. Checking its level first avoids composing log lines that won't be written.
_level = logging.getLogger(__name__)

#: Maps each form to its fields that mustn't contain a token. The other fields aren't checked, because they
#: may hold a program's arguments, which can be anything.
_PLAIN_FIELDS = {
    "ask_link": ("username",),
    "code": ("code",),
    "make": ("name",),
    "remove": ("name",),
    "stop_later": ("other",),
}
#: Actions of buttons that read the state again. An answer with such a button already says when the state was
#: read, so the current time isn't added to it.
_REFRESHING_ACTIONS: Final = frozenset({"refresh", "status", "job_refresh"})
#: The action of the button that dismisses a question.
_DECLINE = "leave"
#: Seconds to wait before retrying if the store is slow.
_STORE_RETRY_SECONDS = 0.2
#: Kinds of surfaces where people type text.
_TYPED_SURFACES: Final = frozenset({"message", "command", "assistant"})
#: Matches text that can't contain quotations, mentions or invisible characters.
_PLAIN_TEXT: Final = re.compile(r"\s*([\w .-]*)", re.ASCII)
#: How many leading characters of an overlong text are parsed to find out which command it contains.
_MAX_BEGINNING_LENGTH = 100


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
    """Run text that a user typed, and always answer. The text may begin with a folder (``job list``).

    ``reader`` replaces the function that usually interprets the words. Some commands are refused without
    being interpreted, for example if the user sends too many. Such a refusal costs next to nothing, so no
    user can hold up others.
    """
    request = _create_request(
        services, principal, surface, WORDS, folder=folder, text=text, deferred=deferred
    )
    if request.is_live and (answer := await _before_reading(request)) is not None:
        return answer
    message = _read_message(request)
    if message.is_quoted:
        request = replace(request, surface=surface._replace(is_quoted=True))
    request = parse_request(request, message.text)
    reader = reader or routes.text.get("words")
    assert reader is not None, "somebody reads what people type"
    is_long = len(request.text) > MAX_COMMAND_LENGTH or len(request.arguments) > MAX_WORDS
    if is_long and not routes.has_own_parser(request.folder, request.verb):
        reader = partial(_answer_chat, topic="too_long")
    return await _authorise_and_run(
        request, partial(typing_mistakes.read_without_tokens, reader=reader, besides=message.besides)
    )


def parse_request(request: Request, text: str) -> Request:
    """Return the request with the verb, words and flags parsed from the text."""
    parsed, folder = parse(text, request.services.commands, routes.list_flags()), request.folder
    if parsed.folder:
        folder = parsed.folder
    elif folder != "workspace":
        # Keep the folder in the text, because a button may store the text, or it may have to wait for a link
        # or a list.
        text = f"{folder} {text}"
    word = fold_word(parsed.words[0]) if parsed.words else "list"
    return replace(
        request,
        verb=word if routes.get_verbs(folder).get(word) else WORDS,
        arguments=parsed.words,
        typed_words=parsed.words,
        folder=folder,
        text=text,
        flags=parsed.flags,
    )


async def _before_reading(request: Request) -> Answer | None:
    """Return the answer to a message that must not be interpreted, or None if it may be.

    A message isn't interpreted if the person has reached the rate limit, if it is too long, or if it has
    already been answered.
    """
    # Requests from an assistant have a separate limit, so that they never keep the user from asking directly.
    wait = request.services.limiter.take(request.principal.key + request.surface.via)
    if wait > 0:
        return _answer_too_many(request, wait)
    if len(request.text) > MAX_TEXT_LENGTH and _is_too_long(request):
        begin = parse(_read_beginning(request, request.text), request.services.commands, routes.list_flags())
        if "job" in {request.folder, begin.folder}:
            return replies.hint(fill(runs.TOO_LONG, limit=MAX_TEXT_LENGTH))
        return suggestions.answer_chat(request, "too_long")
    if request.surface.kind != "message" or not request.surface.interaction:
        return None
    # Slack redelivers a message that it didn't see acknowledged, even if the message was answered in another
    # way.
    try:
        answered = await request.services.store.read(inbox.was_answered, request.surface.interaction)
    except StoreError as error:
        return _answer_problem(request, problems.explain_cause(error))
    return SILENT if answered else None


def _is_too_long(request: Request) -> bool:
    """Return whether a message is too long, not counting quotations. In a job's command, they do count."""
    text = quotations.skip_quotations(request.text)
    has_program = _has_own_parser(request, _read_beginning(request, text))
    return len(text if has_program else quotations.drop_quotations(request.text)) > MAX_TEXT_LENGTH


def _read_beginning(request: Request, text: str) -> str:
    return _remove_own_mentions(request, text[:_MAX_BEGINNING_LENGTH])


class _Message(NamedTuple):
    """The words of a message to interpret. ``besides`` is the rest, which is only searched for tokens."""

    text: str
    is_quoted: bool = False
    besides: str = ""


def _read_message(request: Request) -> _Message:
    """Return the words that a message's author wrote, without quotations.

    If the whole message is a quotation, return it marked as quoted. Text with invisible characters is cleaned
    and also marked as quoted.
    """
    if (plain := _PLAIN_TEXT.fullmatch(request.text)) is not None:
        return _Message(plain[1])
    kind, text = request.surface.kind, _remove_own_mentions(request, request.text)
    if kind not in _TYPED_SURFACES:
        return _Message(text)
    # Many keyboards add a line break at the end, so it isn't a sign that the text was copied.
    text = quotations.drop_struck_beginning(text.strip())
    quotation = quotations.read_quotation(text)
    # In a slash command, code formatting isn't a sign of a quotation.
    is_quoted = quotation is not None and (kind == "message" or "`" not in text)
    beginning = quotations.skip_quotations(text) if quotation is None else quotation
    if _has_own_parser(request, beginning):
        own_words, besides = beginning, text.removesuffix(beginning)
    else:
        own_words = quotations.drop_quotations(beginning)
        besides = "" if own_words == text else text
    return (
        _Message(clean(own_words), True, besides)
        if has_invisible(own_words)
        else _Message(own_words, is_quoted, besides)
    )


def _remove_own_mentions(request: Request, text: str) -> str:
    """Remove mentions of Usher, except from words that are meant for a program."""
    if "@" not in text:
        return text
    installation = request.services.context.installation.find_for(request.principal)
    command, program = split_program(text)
    command = installation.remove_own_mentions(command)
    if program and _has_own_parser(request, quotations.skip_quotations(command)):
        return f"{command}{program}"
    return installation.remove_own_mentions(text)


def _has_own_parser(request: Request, text: str) -> bool:
    parsed = parse(text, request.services.commands)
    verb = fold_word(next(iter(parsed.words), ""))
    return routes.has_own_parser(parsed.folder or request.folder, verb)


async def _answer_chat(request: Request, topic: str) -> Answer:
    return suggestions.answer_chat(request, topic)


async def run_chat(services: Services, principal: Principal, surface: Surface, topic: str) -> Answer:
    """Reply with small talk to a message that contains no words to run."""
    return await run_within_limit(
        _create_request(services, principal, surface, WORDS), partial(_answer_chat, topic=topic)
    )


async def run_button(
    services: Services,
    principal: Principal,
    surface: Surface,
    press: ButtonValue,
    view: Mapping[str, Any] | None = None,
) -> Answer:
    """Run a button's own handler or, if it has none, the verb with the same name. Always answer.

    Buttons for job verbs are named ``job_VERB``. If a button's verb has been replaced, run the replacement.
    """
    request = _create_request(
        services,
        principal,
        surface,
        press.name.removeprefix("job_"),
        folder="job" if press.name.startswith("job_") else "workspace",
        target=press.key or None,
        press=press,
        flags=frozenset({AGREED} if press.agreed else ()),
        at=press.at,
        view=view or {},
    )
    request = routes.replace_former_verb(request)
    found = routes.action.get(press.name) or routes.get_verbs(request.folder).get(request.verb)
    if found is run_offered_command:
        return await run_offered_command(request)
    return await run_within_limit(request, found or answer_old_button)


async def run_unasked(
    services: Services, principal: Principal, surface: Surface, command: str, deferred: DeferredCommand
) -> Answer:
    """Run a command that nobody typed, such as the Home tab's. Always answer, and skip the rate limit."""
    request = _create_request(services, principal, surface, WORDS, text=command, deferred=deferred)
    request = parse_request(request, command)
    request = replace(request, arguments=request.arguments[1:])
    return await _authorise_and_run(request, routes.run)


async def run_shortcut(
    services: Services, principal: Principal, surface: Surface, callback_id: str
) -> Answer:
    """Run a shortcut's handler, and always answer."""
    request = _create_request(services, principal, surface, callback_id)
    return await run_within_limit(request, routes.shortcut.get(callback_id) or answer_old_button)


def _create_request(
    services: Services, principal: Principal, surface: Surface, verb: str, **more: Any
) -> Request:
    return Request(
        principal=principal,
        verb=verb,
        arguments=(),
        surface=surface,
        services=services.limit_to(principal),
        reference=services.ids.reference(),
        **more,
    )


async def run_within_limit(request: Request, handler: routes.Verb) -> Answer:
    """Apply the rate limit, authorise the person, and run the handler. Always answer."""
    wait = request.services.limiter.take(request.principal.key) if request.is_live else 0.0
    return _answer_too_many(request, wait) if wait > 0 else await _authorise_and_run(request, handler)


async def _authorise_and_run(request: Request, handler: routes.Verb, *, is_after_ack: bool = False) -> Answer:
    """Authorise the person, run the handler, and turn every possible outcome into an Answer.

    The log contains the reference that the answer shows, but nothing that a person typed. ``is_after_ack``
    means that Slack isn't waiting for an ack, so if the store fails, StoreError is raised.
    """

    def logger() -> Any:
        # Create the logger only if something is logged, which is rare.
        return log.bind(
            reference=request.reference,
            verb=request.verb,
            surface=request.surface.kind,
            where=request.surface.where,
            principal=request.principal.key,
        )

    try:
        with track_used_keys():
            await request.caller.authorise(request.verb)
            try:
                answer = await handler(request)
            except NotLinked as missing:
                # Whatever the verb, offer *Link* to users whose account isn't linked.
                await require_account(request, missing.connection, is_refused=missing.is_refused)
                raise
    except Answered as early:
        _note(logger, "answered early", request, early.answer)
        return _fit(request, early.answer)
    except ConfirmationRequired:
        logger().info("asked first")
        return _fit(request, await _ask_to_confirm(request))
    except NotIdentified as unknown:
        logger().info("not known yet")
        return await _defer_until_identified(request, unknown)
    except InvalidFields as wrong:
        logger().info("refused", rule=wrong.rule)
        return _fit(request, Answer(text="", errors=wrong.errors))
    except Refused as refusal:
        logger().info("refused", rule=refusal.rule)
        if isinstance(refusal, AlreadyWaiting):
            return _fit(request, await show_place(request, refusal.place))
        return _answer_problem(request, explain_refusal(refusal), is_broken=False)
    except UsherError as error:
        is_stores = isinstance(error, StoreError)
        if is_after_ack and is_stores:
            raise
        logger().warning("store failed" if is_stores else "failed", problem=error)
        return (
            _answer_store_error(request, handler, error)
            if is_stores
            else _answer_problem(request, problems.explain_cause(error))
        )
    except Exception:  # noqa: BLE001 - the one place where a bug in a verb becomes an answer
        logger().exception("failed unexpectedly")
        return _answer_problem(request, problems.explain_cause("internal"))
    # Log most answers below info level, because otherwise logging would make requests a quarter more
    # expensive. Every change is in the audit log anyway.
    _note(logger, "answered", request, answer)
    return _fit(request, _replace_question(answer) if request.surface.is_question else answer)


async def show_place(request: Request, place: WaitlistFacts) -> Answer:
    """Answer with the user's place in line, for example if a start that is waiting is requested again."""
    is_lasting = request.surface.where is Where.DIRECT and not request.surface.response_url
    now, zone = request.services.clock.now(), await request.find_zone()
    return waitlist.answer_place(place, now, zone, is_lasting=is_lasting)


def _replace_question(answer: Answer) -> Answer:
    is_replacement = bool(answer.text) and answer.view is None and not answer.errors
    return replace(answer, replaces=True) if is_replacement else answer


def _answer_store_error(request: Request, handler: routes.Verb, error: UsherError) -> Answer:
    """Answer a request whose write failed.

    If the write may have succeeded, tell the person the outcome later.
    """
    # If the store failed only after it had accepted the request, the request takes effect.
    is_unsure = isinstance(error, StoreUnsure) or bool(request.notes.accepted)
    answer = _answer_problem(request, problems.explain_cause("unsure" if is_unsure else error))
    if not is_unsure:
        return replace(answer, unwritten="not")
    request.services.outcome_pool.add(_notify_of_outcome(request, handler))
    return replace(answer, unwritten="unsure")


async def _notify_of_outcome(request: Request, handler: routes.Verb) -> None:
    """Tell a person the outcome of a slow commit, as an earlier answer promised.

    The request is repeated until the store responds or the request is so old that it would have to be
    confirmed. Because its interaction is an inbox key, the request takes effect only once, and the answer is
    true whether or not the first commit succeeded.
    """
    services, surface = request.services, request.surface
    # A reply's key is its interaction, so a redelivered message doesn't get a second reply.
    notice_of = make_reply_notice if surface.kind == "message" else make_message_notice

    async def notify() -> None:
        answer = await _authorise_and_run(request, handler, is_after_ack=True)
        if answer.errors:
            answer = replies.hint("\n".join(answer.errors.values()))
        if answer.text:
            await services.store.write(
                notices.add_notices, [notice_of(answer, surface, request.principal, services.ids)]
            )
        elif surface.kind == "message":
            await services.store.write(inbox.mark_answered, surface.interaction)

    await retry_write(services, notify, surface.interaction)


async def retry_write(services: Services, write: Callable[[], Awaitable[None]], interaction: str) -> None:
    """Repeat a write that may have been committed, until the store responds or the request is too old.

    The write takes effect only once, however often it is repeated.
    """
    until = services.clock.now() + MAX_REQUEST_AGE_SECONDS
    while services.clock.now() < until:
        try:
            await write()
        except StoreError as error:
            log.info("what came of it isn't known yet", problem=error, interaction=interaction)
            await asyncio.sleep(_STORE_RETRY_SECONDS)
        else:
            return
    log.error("what came of it was never known", interaction=interaction)


def _fit(request: Request, answer: Answer) -> Answer:
    """Adapt an answer, such as its commands, buttons and times, to the place where it will be shown."""
    if answer.errors:
        return replace(
            answer, errors={at: request.prefixes.adapt(text) for at, text in answer.errors.items()}
        )
    answer = _add_offers(request, answer)
    # Most answers contain no commands.
    if "`" in str(answer.blocks):
        blocks = request.prefixes.adapt_view([*answer.blocks])
        if blocks != [*answer.blocks]:
            answer = kit.with_blocks(answer, blocks)
    if answer.text and (answer.is_question or request.notes.is_question):
        answer = replies.as_question(answer)
        if not answer.offers and any(kit.iterate_buttons(answer.blocks)):
            answer = replace(answer, offers=f"{kit.QUESTION}:{request.surface.interaction}")
    if request.surface.where in (Where.CHANNEL, Where.MENTION):
        answer = _add_date(request, answer)
    is_in_form = request.surface.where is Where.FORM and request.is_live
    if is_in_form and answer.view is None and answer.text:
        # Show the answer in the form, not in the conversation behind it.
        answer = replace(answer, view=answer_view(answer, external_id=request.surface.view_external_id))
    if answer.view is None:
        return answer
    return replace(answer, view=request.services.slash_prefixes.adapt_view(answer.view))


def _add_date(request: Request, answer: Answer) -> Answer:
    """Add the current time below an answer that mentions future times and can't be edited later.

    It isn't added if the answer already shows that time or can be refreshed.
    """
    now = request.services.clock.now()
    moments = [at for part in list_parts(answer.blocks) for at in part.moments]
    if max(moments, default=0) <= now or answer.is_dated or _can_refresh(answer):
        return answer
    as_of = kit.context(fill(answers.AS_OF_ALONE, at=kit.moment(now, now)))
    return kit.with_blocks(answer, [*answer.blocks, as_of])


def _can_refresh(answer: Answer) -> bool:
    return any(
        press.name in _REFRESHING_ACTIONS or press.mark == "refresh"
        for _, press in kit.iterate_drawn(answer.blocks)
    )


def _add_offers(request: Request, answer: Answer) -> Answer:
    """Store in an answer the key of the workspace or run that its buttons act on, if there is only one.

    If the buttons act on several, or if the answer can be refreshed, no key is stored. If an answer has no
    buttons and one operation or run was started, its key is stored, so that the message about its end
    replaces the answer. If several were started and all buttons undo them, the key of the last one is stored,
    because the message about its end has the same buttons.
    """
    buttons = [press for _, press in kit.iterate_drawn(answer.blocks)]
    begun = [one.work_item_id for one in request.notes.accepted.values()]
    brings_back = len(begun) > 1 and all(one.mark == BACK for one in buttons)
    is_replaced = bool(buttons) is brings_back
    if begun and begun[-1] and answer.text and is_replaced and not (answer.offers or answer.shows):
        return replace(answer, offers=begun[-1])
    single_row_actions = {"open_url", *WARNING_ANSWERS, *RUN_STOPS}
    keys = {button.key for button in buttons if button.seen is not None or button.name in single_row_actions}
    keys |= {key for _, key in stored.list_plans(answer.blocks)}
    if answer.offers or len(keys) != 1 or _can_refresh(answer):
        return answer
    return replace(answer, offers=keys.pop())


def _answer_problem(request: Request, sentence: str, *, is_broken: bool = True) -> Answer:
    """Answer with a sentence about a problem. If a form is open, the sentence appears at its first field."""
    text = request.prefixes.adapt(sentence)
    field = find_first_field(request.view) if request.surface.kind == "form" else ""
    if field:
        error = f"{text} ({request.reference})" if is_broken else text
        return Answer(text="", errors={field: error})
    answer = replies.plain_problem(text, request.reference) if is_broken else replies.hint(safe(text))
    return _fit(request, answer)


async def _defer_until_identified(request: Request, unknown: NotIdentified) -> Answer:
    """Defer a request until Slack has identified the person. Until then, the request doesn't run.

    Refuse it instead if it was already deferred, if the person can simply repeat it (a form, shortcut or
    search), or if it contains text that may be a token, because tokens are never stored. An assistant's
    request is refused, too, because only the assistant's reader ensures that it doesn't consent to anything.
    """
    kinds = {"shortcut", "search", "assistant"}
    is_seen_only_now = request.surface.where is Where.FORM or request.surface.kind in kinds
    is_repeated = not request.is_live or bool(request.deferred.task)
    if is_repeated or is_seen_only_now or typing_mistakes.may_have_token(request):
        return _answer_problem(request, explain_refusal(unknown))
    press = "" if request.press is None else request.press.text
    waiting = replace(request.defer(), is_promised=True, press=press)
    person = [request.principal.key]
    try:
        await request.caller.run(snapshots.request_read, TaskKind.LOOK_UP_PERSON, person, waiting.as_body())
    except ConfirmationRequired:
        return _fit(request, await _ask_to_confirm(request))
    except StoreError as error:
        return _answer_problem(request, problems.explain_cause(error))
    return replies.answer("Checking with Slack who you are. I'll carry on with your request right after.")


async def add_introduction(services: Services, principal: Principal, answer: Answer) -> Answer:
    """Add a description of Usher and first steps to the answer to a new user.

    The answer stays as it is if others can read it, if it is empty, or if the person may not use Usher.
    """
    if not answer.text or services.greeted.knows(principal):
        return answer
    try:
        steps = await start_introduction(services, principal)
    except StoreError as error:
        log.warning("nobody introduced", problem=error)
        return answer
    if steps is None:
        return answer
    return replies.add_introduction(answer, describe_usher(services.limit_to(principal)), steps)


def _note(logger: Callable[[], Any], event: str, request: Request, answer: Answer) -> None:
    if request.reference in str(answer.blocks[-1:]):
        logger().info(event)
    elif _level.isEnabledFor(logging.DEBUG):
        logger().debug(event)


def _answer_too_many(request: Request, wait: float) -> Answer:
    """Tell a person that they have sent too many requests.

    After messages and clicks, they are told only from time to time.
    """
    principal = request.principal.key
    if request.surface.kind not in {"command", "form", "shortcut", "assistant"}:
        if not request.services.limiter.should_notify(principal):
            return Answer(text="")
        log.info("too many requests", principal=principal, reference=request.reference)
    seconds = times.format_duration(max(wait, 1.0))
    return _answer_problem(request, answers.TOO_MANY.format(wait=seconds), is_broken=False)


async def run_form(
    services: Services, principal: Principal, surface: Surface, callback_id: str, view: Mapping[str, Any]
) -> Answer:
    """Run a submitted form's handler. Always answer: with nothing, a view, or errors at fields."""
    handler = routes.view.get(callback_id)
    if handler is None:
        log.warning("no such form", view=callback_id[:40])
        return Answer(text=verbs.OUTDATED, view=answer_view(replies.answer(verbs.OUTDATED)))
    request = _create_request(services, principal, surface, f"view.{callback_id}", view=view)
    plain = _PLAIN_FIELDS.get(callback_id, ())
    return await run_within_limit(request, partial(_submit_form, handler=handler, plain=plain))


async def _submit_form(request: Request, handler: routes.Verb, plain: Collection[str]) -> Answer:
    for block_id in find_state_values(request.view):
        if (name := get_field_name(block_id)) in plain:
            value = find_value(request.view, name)
            if sentence := await typing_mistakes.describe_token_in_field(
                request.services, request.principal, value
            ):
                raise InvalidFields({block_id: sentence}, rule="form.token")
    return await handler(request)


async def run_search(
    services: Services, principal: Principal, action_id: str, value: str, view: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return a menu's choices from cached rows, without waiting. If that fails, return [].

    In ``VERB:SOURCE``, the source names the handler. ``field:NAME`` stands for a field of a form.
    """
    kind, _, source = action_id.partition(":")
    handler = routes.options.get(kind if kind == "field" else source)
    if handler is None:
        log.warning("no such search", action_id=action_id[:40])
        return []
    request = _create_request(services, principal, Surface(kind="search"), "search", view=view)
    choices: list[dict[str, Any]] = []

    async def collect(request: Request) -> Answer:
        choices.extend(await handler(request))
        return SILENT

    # Searches don't count towards the rate limit, because Slack sends one for every letter typed.
    request = replace(request, arguments=(unescape(value),), target=source)
    await services.search_limiter.run(principal.key, partial(_authorise_and_run, request, collect))
    return choices


def find_first_field(view: Mapping[str, Any]) -> str:
    """Return the id of the block at which errors about the whole form are shown."""
    return next((block_id for _, block_id in list_fields(view)), "")


@routes.action(RUN_COMMAND)
async def run_offered_command(request: Request) -> Answer:
    """Run an offered command as if the user had typed it: authorised and within the rate limit."""
    command = "" if request.press is None else request.press.value
    return await run_text(request.services, request.principal, request.surface, command)


async def _ask_to_confirm(request: Request) -> Answer:
    """Ask the user to confirm a command that is old, quoted, or more than their assistant may do."""
    command, is_quoted = request.text, request.surface.is_quoted
    at = await request.format_time(request.surface.sent_at or request.services.clock.now())
    if len(command) > limits.MAX_BUTTON_VALUE_LENGTH:
        return replies.hint(fill(answers.QUOTED_AGAIN if is_quoted else answers.SAID_LONG_AGO_AGAIN, at=at))
    buttons = [kit.button("Do it now", RUN_COMMAND, command), kit.button(answers.LEAVE_IT, _DECLINE)]
    template = answers.NOT_LET if request.surface.via else answers.SAID_LONG_AGO
    template = "This looks copied from somewhere: “{said}”. Should I do it?" if is_quoted else template
    return replies.answer(fill(template, at=at, said=format_full_command(command)), buttons)


def format_full_command(command: str) -> kit.Markup:
    """Format the whole command, to be shown in the question that asks for confirmation."""
    return kit.Markup(kit.line(unescape(decode_links(command)), limits.MAX_BUTTON_VALUE_LENGTH))


@routes.action(_DECLINE)
async def decline(_request: Request) -> Answer:
    """Replace the question with a note that nothing was done."""
    return replies.answer("Left as it is.", replaces=True)


async def answer_old_button(request: Request) -> Answer:
    """Answer a click on a button that doesn't exist in this release."""
    return replies.hint(request.fill(answers.OLD_BUTTON))

"""Typing mistakes: flags that a verb doesn't have, and tokens pasted by accident.

A token is never used, stored or repeated, and people are told to replace it. Some ids and links look like
tokens, but are valid arguments. So text that looks like a token is treated as a token only if it can't be an
argument of the command.
"""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, Literal

from bot.domain.notices import Answer
from bot.domain.people import Principal
from bot.messages.blocks import replies
from bot.messages.blocks.kit import Markup, fill, line
from bot.messages.texts import pages, talk
from bot.messages.verb import find_verb, list_verbs, to_present_name
from bot.providers import base, facets
from bot.services import naming
from bot.store import runs as run_rows
from bot.store import workspaces
from bot.support.cleaning import SLACK_TOKEN, fold
from bot.support.pool import run_beside_loop
from handlers.requests import routes
from handlers.requests.command_line import find_unknown_flags, fold_word, normalise_fully, parse_command_line
from handlers.requests.request import Answered, Request
from handlers.requests.services import Services

#: Matches characters that separate words, surround a flag's value, or separate the parts of a link.
_SEPARATOR_PATTERN: Final = re.compile(r"[\s\"'`<>|,;=?&()@]+")
#: Matches characters that may surround a token within a word, or separate it from a label.
_LABEL_PATTERN: Final = re.compile(r"[:.#*~!\[\]{}\\]+")
#: Matches characters that can join a token to another word, but also occur inside some tokens.
_JOINER_PATTERN: Final = re.compile(r"[-_+]+")
_CORE_PATTERN: Final = re.compile(r"[^\W_](?:.*[^\W_])?", re.DOTALL)
_SLACK_TOKEN_PATTERN: Final = re.compile(r"(?<![^\W_])" + SLACK_TOKEN.pattern)
#: Matches secrets other than the tokens of Slack and of connections: text that looks like a token of another
#: well-known service, or that follows a label such as *password*. This large pattern is compiled on
#: first use.
_CREDENTIAL_PATTERN: Final = (
    r"(?i)(?<![\w-])(?:(?:sk|pk|gh[oprsu]|hf|pat|npm|glpat)[-_]|dapi|AKIA|ASIA)(?=[A-Za-z]*\d)[A-Za-z\d]{16,}"
    r"|(?<![\w-])[a-z]{2,6}_(?:live|test|prod|secret|key)_(?=[A-Za-z]*\d)[A-Za-z\d]{8,}"
    r"|\b(?:token|password|passwort|kennwort|secret|api[ _-]?key|contraseña)"
    r"(?:\s*[:=]\s*|\s+(?:is|was|ist|lautet|es)[\s:]+)"
    r"[\"'`]*(?=\S*\d)(?=\S*[A-Za-z])([^\s\"'`]{8,})"
)
#: Address of the page where a Slack token can be replaced.
_SLACK_APPS_PAGE: Final = "api.slack.com/apps"


def may_have_token(request: Request, besides: str = "") -> bool:
    """Return whether a word in a command, or in the rest of the message, may be a token."""
    if request.text == request.verb and not besides:
        return False
    text = _read_typed_text(request, besides)
    return bool(re.search(_CREDENTIAL_PATTERN, text)) or any(
        _find_issuers(request.services, word) for word in _SEPARATOR_PATTERN.split(text)
    )


async def read_without_tokens(request: Request, reader: routes.Verb, besides: str = "") -> Answer:
    """Run the function that reads some text, unless the text or the rest of the message contains a token.

    In that case, the answer says so, but doesn't repeat the token.
    """
    answer = await _answer_token(request, besides) if may_have_token(request, besides) else None
    return answer or await reader(request)


async def _answer_token(request: Request, besides: str) -> Answer | None:
    """Answer a person who typed a token. Return None if there is no token in the text."""
    services, text = request.services, _read_typed_text(request, besides)
    words, verb = _SEPARATOR_PATTERN.split(text), _find_verb(request)
    if any(_SLACK_TOKEN_PATTERN.search(word) for word in words):
        return replies.hint(
            request.fill(
                pages.TYPED_SLACK, where=Markup(_SLACK_APPS_PAGE), delete=_format_delete_hint(request)
            )
        )
    own_names, providers = await _read_own_names(services, request.principal), services.connections.values()
    for word in words:
        # An id in a link isn't treated as a token if a provider recognises the link.
        link = naming.to_link(word)
        is_link = link and any(
            provider.parse_reference(link) or provider.parse_job_reference(link) for provider in providers
        )
        if is_link or fold(word) in own_names or not _find_issuers(services, word):
            continue
        for candidate in _list_candidates(word):
            issuers = _match_issuers(services, candidate)
            kind = _guess(request, verb, candidate, own_names) if issuers else "argument"
            if kind != "argument":
                return _answer_likely_token(request, issuers, is_id=kind == "unknown id")
    secret = re.search(_CREDENTIAL_PATTERN, text)
    if secret is None or fold(secret[1] or secret[0]) in own_names:
        return None
    return replies.hint(request.fill(pages.TYPED_ELSE, delete=_format_delete_hint(request)))


async def describe_token_in_field(services: Services, principal: Principal, text: str) -> str:
    """Return what to tell a user about a token in a form's field, or "" if the text isn't a token."""
    issuers = [name for word in _SEPARATOR_PATTERN.split(text) for name in _find_issuers(services, word)]
    if not issuers or fold(text) in await _read_own_names(services, principal):
        return ""
    titles = " or ".join(sorted({services.title(name) for name in issuers}))
    return pages.TYPED_IN_FIELD.format(titles=titles)


def _find_issuers(services: Services, word: str) -> list[str]:
    """Return the connections (or Slack) that may have issued a word as a token."""
    if _SLACK_TOKEN_PATTERN.search(word):
        return ["Slack"]
    issuers: set[str] = set()
    for candidate in set(_list_candidates(word)):
        issuers.update(_match_issuers(services, candidate))
    return sorted(issuers)


def _match_issuers(services: Services, candidate: str) -> list[str]:
    return sorted(
        [name for name, provider in services.connections.items() if provider.looks_like_token(candidate)]
    )


def _list_candidates(word: str) -> Iterator[str]:
    """Yield the parts of a word that may be a whole token, without the characters around them.

    A token may contain a slash, except in a link.
    """
    yield word
    if word.isalnum():
        return
    yield _strip_surroundings(word)
    is_link = "://" in word
    for part in _LABEL_PATTERN.split(word):
        if not is_link:
            yield _strip_surroundings(part)
        for piece in part.split("/"):
            yield _strip_surroundings(piece)
            yield from _JOINER_PATTERN.split(piece)


def _strip_surroundings(text: str) -> str:
    """Return a string from its first to its last letter or digit."""
    match = _CORE_PATTERN.search(text)
    return match[0] if match is not None else ""


def _answer_likely_token(request: Request, issuers: Sequence[str], *, is_id: bool) -> Answer:
    """Answer that a word looks like a token, and where to replace it. The answer doesn't repeat the word."""
    services = request.services
    titles = where = Markup("")
    if len(issuers) == 1:
        titles = Markup(fill(" from {title}", title=line(services.title(issuers[0]))))
        place = Markup(_format_renewal_place(services.connections[issuers[0]]))
        where = Markup(fill(" ({where})", where=place))
    template = pages.TYPED_ID if is_id else pages.TYPED
    sentence = request.fill(template, titles=titles, where=where, delete=_format_delete_hint(request))
    return replies.hint(sentence, [] if is_id else services.make_link_buttons(issuers))


def _format_delete_hint(request: Request) -> Markup:
    """Ask the user to delete their message, in which others or Slack's search could find the token.

    Return "" for a slash command, because it leaves no message.
    """
    return Markup("" if request.surface.kind == "command" else "delete your message and ")


def _format_renewal_place(provider: base.Provider) -> str:
    if isinstance(provider, facets.Tokens) and (page := provider.token_help().url):
        return line(page, 200)
    return fill("ask your Usher admin for {title}", title=provider.settings.title)


def _read_typed_text(request: Request, besides: str) -> str:
    """Return everything that the user typed, except a program's arguments, which may be anything."""
    text = normalise_fully(request.text)
    if request.folder == "job" and request.verb == "run":
        text = " ".join(parse_command_line(request.text, request.services.commands).words)
    return f"{text} {normalise_fully(besides)}" if besides else text


def _find_verb(request: Request) -> str:
    """Return the verb that decides how a message is interpreted: the first word in it that is a verb."""
    verbs = list_verbs(request.folder)
    said = (fold_word(word) for word in (request.verb, *request.arguments))
    words = (to_present_name(request.folder, word) for word in said)
    return next((word for word in words if word in verbs), "")


def _guess(
    request: Request, verb: str, word: str, own_names: AbstractSet[str]
) -> Literal["argument", "unknown id", "token"]:
    """Decide whether a word is an argument, an unknown id, or a token.

    Names of the user's own workspaces and runs are arguments. So are ids, if the verb accepts any id.
    """
    providers = request.services.connections.values()
    is_of_run = request.folder == "job"
    is_id = any(
        (provider.parse_job_reference if is_of_run else provider.parse_reference)(word)
        for provider in providers
    )
    # These verbs accept the id of any job or any workspace, even if Usher doesn't list it.
    is_any = is_id and verb == ("run" if is_of_run else "add")
    if is_any or fold(word) in own_names:
        return "argument"
    return "unknown id" if is_id and verb and "NAME" in find_verb(request.folder, verb).usage else "token"


async def _read_own_names(services: Services, principal: Principal) -> set[str]:
    """Return the names and ids of a person's workspaces and runs."""
    rows = await services.store.perform(workspaces.read_workspaces, principal, hidden=True)
    runs = await services.store.read(run_rows.list_runs, principal)
    names = [
        text
        for workspace in rows
        for text in (workspace.id, workspace.remote_id, workspace.name, workspace.alias)
    ]
    names += [text for run in runs for text in (run.id, run.remote_id, run.name)]
    return await run_beside_loop(rows, lambda: {fold(text) for text in names if text})


async def refuse_flags(request: Request) -> None:
    """Raise Answered for flags that the request's verb doesn't have, unless they are part of a name."""
    flags = find_verb(request.folder, request.verb).flags
    if flags is None:
        return
    known_flags = frozenset(flags)
    wrong = [f"--{flag}" for flag in sorted(request.flags - known_flags)]
    if unknown_flags := find_unknown_flags(request.arguments):
        rows = await request.services.store.perform(workspaces.read_workspaces, request.principal)
        is_name = bool(naming.find_whole(request.name, rows, request.services.connections))
        wrong += [] if is_name else unknown_flags
    if wrong:
        wrong_flags = Markup(", ".join(f"`{line(flag, 40)}`" for flag in wrong))
        sentence = fill(talk.UNKNOWN_FLAG, verb=Markup(f"{request.command}{request.verb}"), flags=wrong_flags)
        are = fill(talk.FLAGS_ARE, flags=Markup(", ".join(f"`--{flag}`" for flag in sorted(known_flags))))
        raise Answered(replies.hint(sentence, more=are if known_flags else "It has no options."))

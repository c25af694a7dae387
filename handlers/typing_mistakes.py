"""What people type by mistake: flags that a verb doesn't have, and tokens.

A token is never used, kept or repeated; people are told to replace it. A word that looks like one may be
something else: ids and links are valid arguments, and some ids have the same shape. Anything that can't be
an argument of the command is treated as a token.
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
from bot.messages.texts.verbs import VERBS
from bot.providers import base
from bot.services import naming
from bot.store import runs as run_rows
from bot.store import workspaces
from bot.support.cleaning import SLACK_TOKEN, fold
from bot.support.pool import beside
from handlers import routes
from handlers.command_line import command_line, plain, typed, unknown_flags
from handlers.request import Answered, Request
from handlers.services import Services

#: Separators between words, and around a flag's value or a part of a link.
_BETWEEN: Final = re.compile(r"[\s\"'`<>|,;=?&()@]+")
#: Characters that may surround a token in a word, or separate it from a label.
_WITHIN: Final = re.compile(r"[:.#*~!\[\]{}\\]+")
#: Characters that may join a token to a word, and may be part of some tokens.
_JOINED: Final = re.compile(r"[-_+]+")
_CORE: Final = re.compile(r"[^\W_](?:.*[^\W_])?", re.DOTALL)
_OF_SLACK: Final = re.compile(r"(?<![^\W_])" + SLACK_TOKEN.pattern)
#: A secret of anything else: like the tokens of a well-known service, or its writer says what it is.
_SECRET: Final = re.compile(
    r"(?<![\w-])(?:(?:sk|pk|gh[oprsu]|hf|pat|npm|glpat)[-_]|dapi|AKIA|ASIA)(?=[A-Za-z]*\d)[A-Za-z\d]{16,}"
    r"|(?<![\w-])[a-z]{2,6}_(?:live|test|prod|secret|key)_(?=[A-Za-z]*\d)[A-Za-z\d]{8,}"
    r"|\b(?:token|password|passwort|kennwort|secret|api[ _-]?key|contraseña)"
    r"(?:\s*[:=]\s*|\s+(?:is|was|ist|lautet|es)[\s:]+)"
    r"[\"'`]*(?=\S*\d)(?=\S*[A-Za-z])([^\s\"'`]{8,})",
    re.IGNORECASE,
)
#: Verbs that accept ids of things that aren't on any list here.
_OF_ANY_JOB: Final = frozenset({"run", "schedule"})
_OF_ANY_WORKSPACE: Final = frozenset({"add"})
#: Where to replace a Slack token.
_SLACK_PAGE: Final = "api.slack.com/apps"


def suspected(request: Request, besides: str = "") -> bool:
    """Return whether any word of a command, or besides it, looks like a token and needs a closer look."""
    if request.text == request.verb and not besides:
        return False
    text = _typed(request, besides)
    return bool(_SECRET.search(text)) or any(_suspects(request.services, word) for word in _words(text))


async def without_tokens(request: Request, reader: routes.Verb, besides: str = "") -> Answer:
    """Run a text's reader, unless a token is in it or in the rest of its message: then repeat nothing."""
    said = await _token_in(request, besides) if suspected(request, besides) else None
    return said or await reader(request)


async def _token_in(request: Request, besides: str) -> Answer | None:
    """Answer somebody who typed a token; None if there is none."""
    services, text = request.services, _typed(request, besides)
    words, verb = _words(text), _verb(request)
    if any(_OF_SLACK.search(word) for word in words):
        return replies.hint(
            request.fill(pages.TYPED_SLACK, where=Markup(_SLACK_PAGE), delete=_delete(request))
        )
    known, providers = await _known(services, request.principal), services.connections.values()
    for word in words:
        # The ids in a link that a provider recognises aren't tokens.
        link = naming.to_link(word)
        is_link = link and any(one.parse_reference(link) or one.job_reference(link) for one in providers)
        if is_link or fold(word) in known or not _suspects(services, word):
            continue
        for piece in _pieces(word):
            found = _issuers(services, piece)
            kind = _guess(request, verb, piece, known) if found else "argument"
            if kind != "argument":
                return _advice(request, found, is_id=kind == "unknown id")
    secret = _SECRET.search(text)
    if secret is None or fold(secret[1] or secret[0]) in known:
        return None
    return replies.hint(request.fill(pages.TYPED_ELSE, delete=_delete(request)))


async def token_in_field(services: Services, principal: Principal, text: str) -> str:
    """Return a sentence for somebody who typed a token into a form's field, or "" if there is none."""
    found = [name for word in _BETWEEN.split(text) for name in _suspects(services, word)]
    if not found or fold(text) in await _known(services, principal):
        return ""
    titles = " or ".join(sorted({services.title(name) for name in found}))
    return pages.TYPED_IN_FIELD.format(titles=titles)


def _suspects(services: Services, word: str) -> list[str]:
    """Return the connections, or Slack, whose tokens look like this word."""
    if _OF_SLACK.search(word):
        return [pages.SLACK]
    found: set[str] = set()
    for piece in set(_pieces(word)):
        found.update(_issuers(services, piece))
    return sorted(found)


def _issuers(services: Services, piece: str) -> list[str]:
    return sorted([name for name, one in services.connections.items() if one.looks_like_token(piece)])


def _pieces(word: str) -> Iterator[str]:
    """Yield the pieces of a word that may be a whole token: itself, and its parts without their surroundings.

    A slash may be part of a token, but not in a link.
    """
    yield word
    if word.isalnum():
        return
    yield _core(word)
    is_link = "://" in word
    for part in _WITHIN.split(word):
        if not is_link:
            yield _core(part)
        for piece in part.split("/"):
            yield _core(piece)
            yield from _JOINED.split(piece)


def _core(text: str) -> str:
    """Return a text without what surrounds its letters and digits."""
    found = _CORE.search(text)
    return found[0] if found is not None else ""


def _advice(request: Request, issuers: Sequence[str], *, is_id: bool) -> Answer:
    """Say that a word looks like a token, where to replace it and how to link, without repeating the word."""
    services = request.services
    titles = Markup(" or ".join(line(services.title(name)) for name in issuers))
    where = Markup(" or ".join(_renewed(services.connections[name]) for name in issuers))
    template = pages.TYPED_ID if is_id else pages.TYPED
    sentence = request.fill(template, titles=titles, where=where, delete=_delete(request))
    links = [] if is_id else [one for one in services.list_linkable() if one[0] in issuers]
    return replies.hint(sentence, replies.link_buttons(links))


def _delete(request: Request) -> Markup:
    """Ask to delete what others or Slack's search could still find; a slash command is no message."""
    return Markup("" if request.surface.kind == "command" else pages.DELETE_IT)


def _renewed(provider: base.Provider) -> str:
    if isinstance(provider, base.Tokens) and (page := provider.token_help().url):
        return line(page, 200)
    return fill(pages.BY_ADMINISTRATOR, title=provider.settings.title)


def _typed(request: Request, besides: str) -> str:
    """Return all that was typed except a program's arguments, which are the person's own business."""
    text = typed(request.text)
    if request.folder == "job" and request.verb == "run":
        text = " ".join(command_line(request.text, request.services.commands).words)
    return f"{text} {typed(besides)}" if besides else text


def _words(text: str) -> list[str]:
    return list(dict.fromkeys(_BETWEEN.split(text)))


def _verb(request: Request) -> str:
    """Return the verb that a text is read by: the first of Usher's in it, wherever it stands."""
    verbs = VERBS[request.folder]
    words = (plain(word) for word in (request.verb, *request.arguments))
    return next((word for word in words if word in verbs), "")


def _guess(
    request: Request, verb: str, word: str, known: AbstractSet[str]
) -> Literal["argument", "unknown id", "token"]:
    """Classify a word: something the person has here, an id where any is allowed, an unknown id, a token."""
    providers = request.services.connections.values()
    is_of_run = request.folder == "job"
    is_id = any((one.job_reference if is_of_run else one.parse_reference)(word) for one in providers)
    is_any = is_id and verb in (_OF_ANY_JOB if is_of_run else _OF_ANY_WORKSPACE)
    if is_any or fold(word) in known:
        return "argument"
    return "unknown id" if is_id and verb and "NAME" in VERBS[request.folder][verb].usage else "token"


async def _known(services: Services, principal: Principal) -> set[str]:
    """Return the names and ids of what a person has here."""
    rows = await services.store.perform(workspaces.workspaces, principal, hidden=True)
    runs = await services.store.read(run_rows.runs, principal)
    found = [text for one in rows for text in (one.id, one.remote_id, one.name, one.alias)]
    found += [text for run in runs for text in (run.id, run.remote_id, run.name)]
    return await beside(rows, lambda: {fold(text) for text in found if text})


async def refuse_flags(request: Request) -> None:
    """Raise Answered for flags that a request's verb doesn't have, unless they are part of a name."""
    known = routes.find_traits(request.folder, request.verb).flags
    if known is None:
        return
    wrong = [f"--{flag}" for flag in sorted(request.flags - known)]
    if found := unknown_flags(request.arguments):
        rows = await request.services.store.perform(workspaces.workspaces, request.principal)
        is_name = naming.find_whole(request.name, rows, request.services.connections) is not None
        wrong += [] if is_name else found
    if wrong:
        flags = Markup(", ".join(f"`{line(flag, 40)}`" for flag in wrong))
        sentence = fill(talk.UNKNOWN_FLAG, verb=Markup(f"{request.command}{request.verb}"), flags=flags)
        are = fill(talk.FLAGS_ARE, flags=Markup(", ".join(f"`--{flag}`" for flag in sorted(known))))
        raise Answered(replies.hint(sentence, more=are if known else talk.FLAGS_NONE))

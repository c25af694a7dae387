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
from bot.support.cleaning import SLACK_TOKEN, fold
from bot.support.pool import beside
from handlers import routes
from handlers.command_line import command_line, typed, unknown_flags
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
#: Verbs that accept ids of things that aren't on any list here.
_OF_ANY_JOB: Final = frozenset({"run", "schedule"})
_OF_ANY_WORKSPACE: Final = frozenset({"add"})
#: Where to replace a Slack token.
_SLACK_PAGE: Final = "https://api.slack.com/apps"


def suspected(request: Request) -> bool:
    """Return whether any word of a command looks like a token and needs a closer look."""
    if request.text == request.verb:
        return False
    return any(_suspects(request.services, word) for word in set(_words(request)))


async def token_in(request: Request) -> str:
    """Return a sentence for somebody who typed a token in a command, or "" if there is none."""
    services = request.services
    known: set[str] | None = None
    for word in _words(request):
        if not _suspects(services, word):
            continue
        if _OF_SLACK.search(word):
            return fill(pages.TYPED_SLACK, page=Markup(_SLACK_PAGE))
        if known is None:
            known = await _known(services, request.principal)
        if fold(word) in known or _is_known_link(services, word):
            continue
        for piece in _pieces(word):
            found = _issuers(services, piece)
            match _guess(request, piece, known) if found else "argument":
                case "token":
                    return _advice(pages.TYPED, request, found)
                case "unknown id":
                    return _advice(pages.TYPED_ID, request, found)
    return ""


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


def _is_known_link(services: Services, word: str) -> bool:
    """Return whether a word is a link that a provider recognises: the ids in it aren't tokens."""
    providers = services.connections.values()
    return "://" in word and any(one.parse_reference(word) or one.job_reference(word) for one in providers)


def _advice(template: str, request: Request, suspected: Sequence[str]) -> str:
    """Say that a word looks like a token, and where to replace it, without repeating the word."""
    services = request.services
    titles = Markup(" or ".join(line(services.title(name)) for name in suspected))
    where = Markup(" or ".join(_renewed(services.connections[name]) for name in suspected))
    return request.filled(template, titles=titles, where=where)


def _renewed(provider: base.Provider) -> str:
    if isinstance(provider, base.Tokens) and (page := provider.token_help().url):
        return line(page, 200)
    return fill(pages.BY_ADMINISTRATOR, title=provider.settings.title)


def _words(request: Request) -> list[str]:
    """Return a command's words, except a program's arguments, which are the person's own business."""
    if request.folder == "job" and request.verb == "run":
        given = command_line(request.text, request.services.commands).words
        return [word for one in given for word in _BETWEEN.split(one)]
    return _BETWEEN.split(typed(request.text))


def _guess(
    request: Request, word: str, known: AbstractSet[str]
) -> Literal["argument", "unknown id", "token"]:
    """Classify a word: something the person has here, an id where any is allowed, an unknown id, a token."""
    providers = request.services.connections.values()
    is_of_run = request.folder == "job"
    if is_of_run:
        is_id = any(one.job_reference(word) for one in providers)
    else:
        is_id = any(one.parse_reference(word) for one in providers)
    if is_id and request.verb in (_OF_ANY_JOB if is_of_run else _OF_ANY_WORKSPACE):
        return "argument"
    if fold(word) in known:
        return "argument"
    verb = VERBS[request.folder].get(request.verb)
    return "unknown id" if is_id and verb is not None and "NAME" in verb.usage else "token"


async def _known(services: Services, principal: Principal) -> set[str]:
    """Return the names and ids of what a person has here."""
    rows = await services.store.workspaces(principal, hidden=True)
    runs = await services.store.runs(principal)
    found = [text for one in rows for text in (one.id, one.remote_id, one.name, one.alias)]
    found += [text for run in runs for text in (run.id, run.remote_id, run.name)]
    return await beside(rows, lambda: {fold(text) for text in found if text})


def unknown_flag(request: Request, found: Sequence[str]) -> Answer:
    """Name the flags that a verb doesn't have, and those that it has."""
    known = sorted(routes.nature(request.folder, request.verb).flags or ())
    flags = Markup(", ".join(f"`{line(flag, 40)}`" for flag in found))
    verb = Markup(f"{request.command}{request.verb}")
    sentence = fill(talk.UNKNOWN_FLAG, verb=verb, flags=flags)
    are = fill(talk.FLAGS_ARE, flags=Markup(", ".join(f"`--{flag}`" for flag in known)))
    return replies.hint(sentence, more=are if known else talk.FLAGS_NONE)


async def refuse_flags(request: Request) -> None:
    """Raise Answered for flags that a request's verb doesn't have, unless they are part of a name."""
    known = routes.nature(request.folder, request.verb).flags
    if known is None:
        return
    wrong = [f"--{flag}" for flag in sorted(request.flags - known)]
    if found := unknown_flags(request.arguments):
        rows = await request.services.store.workspaces(request.principal)
        is_name = naming.find_whole(request.name, rows, request.services.connections) is not None
        wrong += [] if is_name else found
    if wrong:
        raise Answered(unknown_flag(request, wrong))

"""Show every verb in a line, or more on one; made from the catalogue of texts."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from bot.blocks import kit
from bot.blocks.limits import Markup, fill
from bot.words import answers as words
from bot.words.verbs import VERBS
from handlers.dispatch import unknown_verb

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Answer with the catalogue, or with one entry of it."""
    if request.arguments:
        return await _one(request, request.arguments[0].casefold())
    is_short = request.surface.is_direct and request.surface.kind == "message"
    return _all(request.folder, request.command, is_short=is_short)


@lru_cache(maxsize=16)
def _all(folder: str, command: Markup, *, is_short: bool) -> Answer:
    """Draw the catalogue; it is the same for everybody, and asked for more often than anything else."""
    lines = [f"`{command}{entry.usage}` – {entry.summary}" for entry in VERBS[folder].values()]
    small = [] if is_short else [words.HELP_SHARE, fill(words.HELP_DIRECT, command=Markup(command.strip()))]
    blocks = [
        kit.section(words.HELP),
        kit.section("\n".join(lines)),
        *([kit.context(*small)] if small else []),
    ]
    return kit.answer(words.HELP, blocks)


async def _one(request: Request, verb: str) -> Answer:
    entry = VERBS[request.folder].get(verb)
    if entry is None:
        return await unknown_verb(request.with_verb(verb))
    sentence = f"`{request.command}{entry.usage}` – {entry.summary}."
    blocks = [kit.section(sentence), *([kit.section("\n".join(entry.more))] if entry.more else [])]
    return kit.answer(sentence.replace("`", ""), blocks)

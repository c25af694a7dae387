"""Which connection a person names, for link and unlink."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.blocks.limits import Markup, fill, line
from bot.services.naming import fold
from bot.words import answers as words
from handlers.request import Answered

if TYPE_CHECKING:
    from handlers.request import Request


def connection_of(request: Request, name: str, more: str = "") -> str:
    """Return the connection of this name or title, or of the one beginning; raises Answered for any other.

    ``more`` is a sentence of ours for that answer.
    """
    providers = request.services.connections
    needle = fold(name)
    for connection, provider in providers.items():
        if needle in {connection, fold(provider.settings.title)}:
            return connection
    begun = [
        connection
        for connection, provider in providers.items()
        if connection.startswith(needle) or fold(provider.settings.title).startswith(needle)
    ]
    if len(begun) == 1:
        return begun[0]
    known = Markup(", ".join(f"`{line(connection)}`" for connection in sorted(providers)))
    sentence = fill(words.UNKNOWN_CONNECTION, name=name, known=known)
    raise Answered(replies.problem(sentence, request.reference, more=more))

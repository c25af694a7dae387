"""Renderers: the functions that draw each kind of message from its facts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, Final, TypeVar, cast

from bot.domain.notices import Answer, NoticeKind
from bot.messages.blocks.kit import add_block_labels
from bot.support.declarations import Registry

D = TypeVar("D", bound=Callable[..., Answer])


@dataclass(frozen=True, slots=True)
class Renderer:
    """How a kind of message is rendered, and when its text is true.

    ``is_true`` says whether its content is still true when it is sent. ``together`` has the words for one and
    for several at once; None if each message has words of its own.
    """

    render: Callable[[Any], Answer]
    is_true: Callable[[Any], bool]
    together: Callable[[Any], tuple[str, str] | None]


RENDERERS: Final[dict[NoticeKind, Renderer]] = {}
#: Functions that render the answer if the row of a message is gone, by the subject of its kind.
render_gone: Registry[Callable[[], Answer]] = Registry()


def renders(
    kind: NoticeKind,
    *,
    is_true: Callable[[Any], bool] = lambda _facts: True,
    together: Callable[[Any], tuple[str, str] | None] = lambda _facts: None,
) -> Callable[[D], D]:
    """Return the decorator of a kind's renderer, which gets the facts of its family."""

    def declare(render: D) -> D:
        if kind in RENDERERS:
            raise ValueError(f"two functions render {kind}")

        @wraps(render)
        def render_labelled(context: Any) -> Answer:
            """Label the buttons of the message for a screen reader."""
            answer = render(context)
            return replace(answer, blocks=tuple(add_block_labels(answer.blocks, context.objects)))

        RENDERERS[kind] = Renderer(render_labelled, is_true, together)
        return cast(D, render_labelled)

    return declare

"""Maps each kind of message to the function that renders it from facts (the values that it needs)."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any, Final, NamedTuple, TypeVar, cast

from bot.domain.notices import Answer, NoticeKind
from bot.messages.blocks.kit import add_block_labels
from bot.support.declarations import Registry

D = TypeVar("D", bound=Callable[..., Answer])


class Renderer(NamedTuple):
    """How messages of one kind are rendered.

    ``is_true`` returns whether the message would still be true if it were sent now. ``together`` returns the
    wording with which such messages can share a sentence, or None if they can't.
    """

    render: Callable[[Any], Answer]
    is_true: Callable[[Any], bool]
    together: Callable[[Any], tuple[str, str] | None]


RENDERERS: Final[dict[NoticeKind, Renderer]] = {}
#: Functions that render a message about a row that no longer exists, keyed by the kind of row.
render_gone: Registry[Callable[[], Answer]] = Registry()


def renders(
    kind: NoticeKind,
    *,
    is_true: Callable[[Any], bool] = lambda _facts: True,
    together: Callable[[Any], tuple[str, str] | None] = lambda _facts: None,
) -> Callable[[D], D]:
    """Return a decorator that registers the renderer for a kind of message."""

    def declare(render: D) -> D:
        if kind in RENDERERS:
            raise ValueError(f"two functions render {kind}")

        @wraps(render)
        def render_labelled(context: Any) -> Answer:
            answer = render(context)
            return replace(answer, blocks=tuple(add_block_labels(answer.blocks, context.objects)))

        RENDERERS[kind] = Renderer(render_labelled, is_true, together)
        return cast(D, render_labelled)

    return declare

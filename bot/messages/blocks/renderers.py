"""Renderers: the function that draws each kind of message from its facts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, Final, TypeVar, cast

from bot.domain.message_kinds import AnyKind
from bot.domain.notices import Answer
from bot.messages.blocks.kit import add_block_labels
from bot.support.declarations import Registry

D = TypeVar("D", bound=Callable[..., Answer])


@dataclass(frozen=True, slots=True)
class Renderer:
    """A kind of message's rendering, and when its text holds.

    ``is_true``: whether what it is to say is so when it is sent. ``together`` says the same of several at
    once, of one and of more; None where each has words of its own.
    """

    render: Callable[[Any], Answer]
    is_true: Callable[[Any], bool]
    together: Callable[[Any], tuple[str, str] | None]


RENDERERS: Final[dict[AnyKind, Renderer]] = {}
#: The functions that render the answer instead of a message whose row is gone, by the subject of its kind.
render_gone: Registry[Callable[[], Answer]] = Registry()


def renders(
    kind: AnyKind,
    *,
    is_true: Callable[[Any], bool] = lambda _facts: True,
    together: Callable[[Any], tuple[str, str] | None] = lambda _facts: None,
) -> Callable[[D], D]:
    """Return the decorator of a kind's renderer, from the facts of its family."""

    def declare(render: D) -> D:
        if kind in RENDERERS:
            raise ValueError(f"two functions render {kind}")
        render = add_labels_after(render)
        RENDERERS[kind] = Renderer(render, is_true, together)
        return render

    return declare


def add_labels_after(render: D) -> D:
    """Return a renderer that labels the buttons of its message for a screen reader."""

    @wraps(render)
    def render_labelled(context: Any, *arguments: Any, **options: Any) -> Answer:
        answer = render(context, *arguments, **options)
        return replace(answer, blocks=tuple(add_block_labels(answer.blocks, context.objects)))

    return cast(D, render_labelled)

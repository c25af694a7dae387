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


def render_override(
    kind: NoticeKind, word: str, applies: Callable[[Any], bool] = lambda _facts: True
) -> Callable[[D], D]:
    """Return the decorator of a renderer that replaces a kind's own.

    It does so if there is a row, if the message's body has the ``word``, and if it ``applies``.
    """

    def declare(render: D) -> D:
        usual, render = RENDERERS[kind], add_labels_after(render)

        def render_either(facts: Any) -> Answer:
            is_chosen = facts.body.get(word) and facts.workspace is not None and applies(facts)
            return (render if is_chosen else usual.render)(facts)

        RENDERERS[kind] = replace(usual, render=render_either)
        return render

    return declare

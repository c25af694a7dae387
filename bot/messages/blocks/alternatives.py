"""Alternatives: messages that a feature renders in place of a kind's own."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bot.domain.message_kinds import AnyKind
from bot.domain.notices import Answer
from bot.messages.blocks.renderers import RENDERERS, D, add_labels_after


def render_override(
    kind: AnyKind,
    applies: Callable[[Any], bool],
    *,
    needs_row: bool = True,
    is_true: Callable[[Any], bool] | None = None,
) -> Callable[[D], D]:
    """Return the decorator of an alternative to a kind's own message, for facts to which it ``applies``.

    Where the row is gone, only what doesn't need it is. ``is_true`` says whether the message still holds.
    """

    def declare(render: D) -> D:
        usual, render = RENDERERS[kind], add_labels_after(render)

        def is_chosen(facts: Any) -> bool:
            return (not needs_row or facts.workspace is not None) and applies(facts)

        def render_either(facts: Any) -> Answer:
            return (render if is_chosen(facts) else usual.render)(facts)

        def is_either_true(facts: Any) -> bool:
            return (is_true if is_true is not None and is_chosen(facts) else usual.is_true)(facts)

        RENDERERS[kind] = replace(usual, render=render_either, is_true=is_either_true)
        return render

    return declare

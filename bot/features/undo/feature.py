"""The declaration of the feature undo."""

from collections.abc import Awaitable, Callable
from typing import Final

from bot.domain.notices import Answer
from bot.features.feature import Feature
from bot.features.hooks import Hooks
from bot.features.undo import verbs
from handlers.request import Request


class UndoHooks(Hooks):
    """An answer to one request has *Undo*; sentences can take actions back."""

    async def undo_action(
        self, request: Request, action_id: str, or_else: Callable[[], Awaitable[Answer]] | None
    ) -> tuple[Answer, bool]:
        return await verbs.undo_action(request, action_id, or_else)

    def finish_answer(self, request: Request, answer: Answer) -> Answer:
        return verbs.add_undo(request, answer)


FEATURE: Final = Feature(
    name="undo",
    summary="Take back the last request, and list those of a day.",
    page="commands#undo",
    hooks=UndoHooks(),
)

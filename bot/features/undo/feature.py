"""The declaration of the feature undo."""

from typing import Final

from bot.domain.notices import Answer
from bot.features.feature import Feature
from bot.features.hooks import Hooks
from bot.features.undo import verbs
from handlers.request import Request


class UndoHooks(Hooks):
    """An answer to one request has *Undo*."""

    def finish_answer(self, request: Request, answer: Answer) -> Answer:
        return verbs.add_undo(request, answer)


FEATURE: Final = Feature(
    name="undo",
    summary="Take back the last request, and list those of a day.",
    page="commands#undo",
    hooks=UndoHooks(),
)

"""The declaration of the feature courses."""

from collections.abc import Mapping, Sequence
from typing import Final

from bot.domain.classes import ClassCard
from bot.domain.facts import WorkspaceFacts
from bot.features.feature import Feature
from bot.features.hooks import Hooks
from bot.messages.blocks import classes as blocks
from bot.messages.blocks.courses import card_button
from bot.messages.blocks.home_sections import HomeContent
from bot.messages.blocks.kit import Element
from bot.services.classes import CLASSES
from bot.services.lessons import MEMBERS
from bot.store import classes
from bot.store.hooks import RecordedColumns
from bot.store.timetables import CLASS_CARDS
from bot.store.transaction import Transaction
from handlers import course, course_room
from handlers.intents import Intent
from handlers.request import Request


class CoursesHooks(Hooks):
    """A member's place in a class follows their workspace."""

    def on_workspaces_merged(self, tx: Transaction, former_id: str, workspace_id: str) -> None:
        classes.merge(tx, former_id, workspace_id)

    def list_recorded_columns(self) -> Mapping[type, RecordedColumns]:
        return {ClassCard: (CLASS_CARDS, CLASS_CARDS.fields)}

    def describe_end(self, view: WorkspaceFacts, *, is_done: bool) -> str:
        return blocks.describe_end(view, is_done=is_done)

    def list_home_buttons(self, content: HomeContent) -> Sequence[Element]:
        return [card_button()] if content.links else []

    async def list_entities(self, request: Request) -> Sequence[ClassCard]:
        return await course.list_courses(request)

    async def read_intent(self, request: Request) -> Intent | None:
        return await course_room.read(request)


FEATURE: Final = Feature(
    name="courses",
    summary="Give members of a class their workspaces, lesson by lesson.",
    needs=("hours", "sentences"),
    due=(CLASSES, MEMBERS),
    hooks=CoursesHooks(),
)

"""The declaration of the feature courses."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.domain.classes import ClassCard, CourseRule
from bot.domain.facts import WorkspaceFacts
from bot.domain.operations import Operation
from bot.domain.people import Principal
from bot.domain.stops import End
from bot.domain.workspaces import Workspace
from bot.features.feature import Feature
from bot.features.hooks import Hooks
from bot.messages.blocks import classes as blocks
from bot.messages.blocks.courses import card_button
from bot.messages.blocks.home_sections import HomeContent
from bot.messages.blocks.hours import HoursMessageHooks
from bot.messages.blocks.kit import Element
from bot.services import classes as use_cases
from bot.services.class_facts import add_lessons
from bot.services.classes import CLASSES
from bot.services.context import Context
from bot.services.gather import Gatherer
from bot.services.lesson_times import LESSONS
from bot.services.lessons import MEMBERS
from bot.store import classes, lessons
from bot.store.hooks import RecordedColumns
from bot.store.hours import RuleHooks
from bot.store.timetables import CLASS_CARDS, COURSE_RULES
from bot.store.transaction import Row, Transaction
from handlers import course, course_room
from handlers.intents import Intent
from handlers.request import Request


class CoursesHooks(Hooks, RuleHooks, HoursMessageHooks):
    """A member's place in a class follows their workspace."""

    def on_workspaces_merged(self, tx: Transaction, former_id: str, workspace_id: str) -> None:
        classes.merge(tx, former_id, workspace_id)

    def list_recorded_columns(self) -> Mapping[type, RecordedColumns]:
        return {
            ClassCard: (CLASS_CARDS, CLASS_CARDS.fields),
            CourseRule: (COURSE_RULES, COURSE_RULES.fields),
        }

    def on_workspace_unlinked(self, tx: Transaction, workspace: Row, *, notify: bool) -> None:
        lessons.unlink(tx, workspace)

    def read_shared_rules(self, tx: Transaction, rows: Sequence[Row]) -> Sequence[CourseRule]:
        return lessons.read_shared_rules(tx, rows)

    def on_rule_dropped(self, tx: Transaction, row: Row) -> None:
        lessons.leave_with(tx, row)

    def find_postponed_end(self, tx: Transaction, workspace_id: str, end: End) -> End | None:
        return lessons.find_postponed_end(tx, workspace_id, end)

    def find_agreed_at(self, tx: Transaction, workspace_id: str) -> float:
        return classes.find_agreed_at(tx, workspace_id)

    def on_consent_withdrawn(self, tx: Transaction, card_id: str, principal_key: str) -> None:
        classes.withdraw(tx, card_id, principal_key)

    def has_consent(self, tx: Transaction, context: Context, workspace: Workspace) -> bool:
        return use_cases.consents(tx, context, workspace)

    def on_timer_ended(self, tx: Transaction, workspace: Workspace, stop: Operation | None) -> None:
        use_cases.ended(tx, workspace, stop)

    async def extend_facts(
        self, gatherer: Gatherer, principal: Principal, views: Sequence[WorkspaceFacts]
    ) -> Sequence[WorkspaceFacts]:
        return await add_lessons(gatherer, principal, views)

    def list_row_sentences(self, view: WorkspaceFacts) -> Sequence[str]:
        return blocks.list_lessons(view)

    def list_more_lines(self, view: WorkspaceFacts) -> Sequence[str]:
        return blocks.list_lessons(view)

    def list_more_buttons(self, view: WorkspaceFacts) -> Sequence[Element]:
        return blocks.list_lesson_buttons(view)

    def describe_stop(self, view: WorkspaceFacts) -> tuple[str, Mapping[str, Any]] | None:
        return blocks.describe_stop(view)

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
    due=(CLASSES, MEMBERS, LESSONS),
    hooks=CoursesHooks(),
)

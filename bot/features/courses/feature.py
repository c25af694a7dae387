"""The declaration of the feature courses."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.domain.courses import ClassCard
from bot.domain.message_context import WorkspaceFacts
from bot.domain.notices import NewNotice
from bot.domain.operations import Operation
from bot.domain.people import Principal
from bot.domain.workspaces import Workspace
from bot.features.feature import Feature
from bot.features.hooks import Hooks
from bot.messages.blocks import courses as blocks
from bot.messages.blocks.hours import HoursMessageHooks
from bot.messages.blocks.kit import Element
from bot.services import courses as use_cases
from bot.services.context import Context
from bot.services.courses import CLASS_WORK
from bot.services.due_lessons import LESSON_WORK, follow_start
from bot.services.lesson_facts import add_lessons
from bot.services.message_context import Gatherer
from bot.store import courses as store
from bot.store.transaction import Row, Transaction
from handlers.request import Request
from handlers.workspace import courses as verbs


class CoursesHooks(Hooks, HoursMessageHooks):
    """A member's place in a class follows their workspace."""

    def find_waiting_texts(self, tx: Transaction, principal: Principal, connection: str) -> Sequence[str]:
        return store.find_waiting_texts(tx, principal, connection)

    def on_workspaces_merged(self, tx: Transaction, former_id: str, workspace_id: str) -> None:
        store.merge(tx, former_id, workspace_id)

    def on_workspace_unlinked(self, tx: Transaction, workspace: Row, *, notify: bool) -> None:
        store.leave_with(tx, workspace)

    def find_agreed_at(self, tx: Transaction, workspace_id: str) -> float:
        return store.find_agreed_at(tx, workspace_id)

    def on_consent_withdrawn(self, tx: Transaction, card_id: str, principal_key: str) -> None:
        store.withdraw(tx, card_id, principal_key)

    def has_consent(self, tx: Transaction, context: Context, workspace: Workspace) -> bool:
        return use_cases.has_consent(tx, context, workspace)

    def on_operation_ended(
        self, tx: Transaction, ended: Operation, notices: Sequence[NewNotice]
    ) -> Sequence[NewNotice]:
        return follow_start(tx, ended, notices)

    def on_timer_ended(self, tx: Transaction, workspace: Workspace, stop: Operation | None) -> None:
        use_cases.end_for_workspace(tx, workspace, stop)

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

    async def list_entities(self, request: Request) -> Sequence[ClassCard]:
        return await verbs.list_courses(request)


FEATURE: Final = Feature(
    name="courses",
    summary="Give members of a class their workspaces, lesson by lesson.",
    page="classes#a-course-lessons-all-term",
    needs=("hours",),
    due=(CLASS_WORK, LESSON_WORK),
    hooks=CoursesHooks(),
)

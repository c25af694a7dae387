"""Home tabs: tasks to publish one. A Home tab is drawn when it is published, and stored nowhere."""

from typing import Any, Final

from bot.domain.people import Principal
from bot.domain.tasks import TaskKind
from bot.store.fan_out import Stage
from bot.store.tables import PEOPLE, TASKS, parse_principal
from bot.store.tasks import NewTask, add_tasks
from bot.store.transaction import Priority, Row, Transaction, prioritize

#: In place of a channel's id (``UndoableAction.channel_id``): the action was taken on the Home tab.
HOME_PLACE: Final = "home"


@prioritize(Priority.URGENT)
def request_home(tx: Transaction, principal: Principal, **shown: Any) -> None:
    """Publish a person's Home tab soon, because they opened it or pressed something on it.

    ``shown`` is what the press adds to it (``handlers.home.publish_home``); the newest press counts.
    """
    PEOPLE.change(tx, {"principal": principal}, home_at=tx.now())
    _add_task(tx, principal, shown)


@prioritize(Priority.URGENT)
def republish_home(tx: Transaction, principal: Principal) -> None:
    """Publish a person's Home tab again, without the answer to a press, if they have ever opened it."""
    row = PEOPLE.row(tx, principal=principal)
    if row is not None and row["home_at"] is not None:
        _add_task(tx, principal, {})


def show_end(tx: Transaction, work_item_id: str) -> None:
    """Publish a Home tab again, as an operation or run that was requested on it has ended."""
    row = tx.one("home_of_work_item", work_item_id=work_item_id, place=HOME_PLACE)
    if row is not None:
        republish_home(tx, parse_principal(row["principal"]))


def _add_task(tx: Transaction, principal: Principal, shown: dict[str, Any]) -> None:
    key = {"kind": TaskKind.HOME, "subject": principal.key}
    add_tasks(tx, [NewTask(TaskKind.HOME, principal.key, {"shown": shown})])
    # A task that waits takes the newest answer; a Home tab that is being published is published again.
    TASKS.change(tx, key | {"is_leased": False}, payload={"shown": shown})


def _republish_row(tx: Transaction, row: Row, _said: Row) -> None:
    _add_task(tx, parse_principal(row["id"]), {})


#: The last stage of changes of a link: the Home tab must show nothing of a link that ended or rests.
STAGE: Final[Stage] = "home_of_person", _republish_row

"""Home tabs, and the tasks that publish them.

A Home tab is rendered when it is published, and never stored.
"""

from typing import Any, Final

from bot.domain.people import Principal
from bot.domain.tasks import TaskKind
from bot.store.fan_out import Stage
from bot.store.tables import ACCEPTED_REQUESTS, PEOPLE, TASKS, parse_principal
from bot.store.tasks import NewTask, add_tasks
from bot.store.transaction import Priority, Transaction, prioritize

#: Value of ``AcceptedRequest.channel_id`` for a request made on the Home tab.
HOME_PLACE: Final = "home"


def open_home(tx: Transaction, principal: Principal) -> None:
    """Publish a person's Home tab soon, because they opened it.

    If the result of a button press is still waiting to be shown, the tab shows it.
    """
    PEOPLE.change(tx, {"principal": principal}, home_at=tx.now())
    _add_task(tx, principal)


def request_home(tx: Transaction, principal: Principal, **shown: Any) -> None:
    """Publish a person's Home tab soon, because they pressed a button on it.

    ``shown`` contains what the button press adds to the tab (``handlers.home.publish_home``). Only the latest
    addition is shown.
    """
    open_home(tx, principal)
    # If the task is still waiting, it gets the latest answer. If the tab is being published now, it is
    # published again, with this answer.
    payload, key = {"shown": shown}, {"kind": TaskKind.HOME, "subject": principal.key}
    TASKS.change(tx, key | {"is_leased": False}, payload=payload)
    TASKS.change(tx, key | {"is_leased": True}, joined=payload)


@prioritize(Priority.URGENT)
def republish_home(tx: Transaction, principal: Principal) -> None:
    """Publish a person's Home tab again, if they have ever opened it, without the result of a button press.

    A result that hasn't been shown yet is kept.
    """
    row = PEOPLE.row(tx, principal=principal)
    if row is not None and row["home_at"] is not None:
        _add_task(tx, principal)


def was_opened_since(tx: Transaction, principal: Principal, at: float) -> bool:
    """Return whether a person has opened their Home tab, or pressed a button on it, since a time."""
    row = PEOPLE.row(tx, principal=principal)
    return row is not None and (row["home_at"] or 0.0) > at


def show_end(tx: Transaction, work_item_id: str) -> None:
    """Republish a Home tab because an operation or run requested on it has ended."""
    row = ACCEPTED_REQUESTS.row(tx, work_item_id=work_item_id, channel_id=HOME_PLACE)
    if row is not None:
        republish_home(tx, parse_principal(row["principal"]))


def _add_task(tx: Transaction, principal: Principal) -> None:
    # If the tab is being published now, publish it again afterwards, without the answer. If publishing fails
    # now, the answer hasn't been shown, so it stays in the task (``retry_task``).
    key = {"kind": TaskKind.HOME, "subject": principal.key, "is_leased": True, "joined": None}
    TASKS.change(tx, key, joined={})
    add_tasks(tx, [NewTask(TaskKind.HOME, principal.key, {"shown": {}})])


#: Redraws a person's Home tab after a change to a link. It is the last stage of the change's fan-out (a
#: change made to many rows in batches). The tab must not show anything about a link that has ended or is
#: suspended (*resting*).
STAGE: Final[Stage] = "home_of_person", lambda tx, row, _: _add_task(tx, parse_principal(row["id"]))

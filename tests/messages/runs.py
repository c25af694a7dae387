"""A job run, used in tests of messages about runs."""

from bot.domain.forms import Spec
from bot.domain.runs import Run, RunState
from bot.domain.work_items import Call
from tests.messages.card_facts import ALICE, NOW

RUN = Run(
    id="job_1",
    principal=ALICE,
    connection="saturn",
    name="train",
    spec=Spec("train"),
    created_at=NOW - 900,
    reference="K7QX-2MPA",
    remote_id="r1",
    state=RunState.RUNNING,
    start_call=Call.ACCEPTED,
    started_at=NOW - 800,
)

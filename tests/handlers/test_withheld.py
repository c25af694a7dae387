"""Things that a person may no longer use: templates now meant for others, and runs of an unlinked account."""

from typing import Any

import pytest

from bot.domain.forms import Spec
from bot.domain.observations import Created, Observed
from bot.domain.people import Principal
from bot.domain.steps import Update
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.services.operation_requests import create_workspace
from bot.store import creations, operations, runs
from tests.handlers.rig import activate, rig, words
from tests.handlers.run_rig import launch, over, run_rig
from tests.rigs.clock import FakeClock
from tests.rigs.forms import Workbench
from tests.rigs.providers import FakeProvider, fake_settings
from tests.rigs.store import ALICE, observe, unlink


class Choosy(FakeProvider):
    """A provider whose templates are only for the people named."""

    def __init__(self, *arguments: Any, **keys: Any) -> None:
        super().__init__(*arguments, **keys)
        self.who = {ALICE.user_id}

    def is_withheld(self, spec: Spec, principal: Principal) -> bool:
        return bool(spec.text("template")) and principal.user_id not in self.who


class ChoosyBench(Choosy, Workbench):
    """A provider that runs jobs, whose templates are only for the people named."""


@pytest.mark.parametrize("is_named", [True, False])
async def test_a_workspace_like_one_that_is_gone(is_named):
    provider = Choosy(FakeClock(), fake_settings("saturn", title="Saturn Cloud"))
    async with rig(connections={"saturn": provider}) as bot:
        await bot.link(names=())
        spec = Spec("lab", {"template": "gpu"})
        made = await bot.services.create_caller(ALICE, "make").run(create_workspace, "saturn", spec)
        row = await bot.store.write(
            creations.name_created, made.operation.id, Created("m1", "lab"), provider.gate_key("m1")
        )
        await bot.store.write(operations.save_step, Update(made.operation.id, 0.0, outcome=Outcome.FULFILLED))
        await observe(bot.store, bot.clock, row, Observed(State.GONE))
        provider.who = {ALICE.user_id} if is_named else set()
        assert ("isn't available to you" in words(await bot.press("again", row.id))) is not is_named
        assert ((await bot.workspace("lab")).id != row.id) is is_named


@pytest.mark.parametrize("is_named", [True, False])
async def test_another_run_of_the_same(is_named):
    async with run_rig(kind=ChoosyBench) as bot:
        spec = Spec("train.R", {"template": "nightly"})
        run = await launch(bot, spec=spec)
        bot.connections["posit"].who = {ALICE.user_id} if is_named else set()
        assert ("isn't available to you" in words(await bot.press("job_again", run.id))) is not is_named
        assert len(await bot.store.read(runs.list_runs, ALICE)) == 1 + is_named


async def test_output_of_a_run_of_an_account_that_was_unlinked_is_not_promised():
    async with run_rig() as bot:
        run = await over(bot)
        await unlink(bot.store, ALICE, "posit")
        await activate(bot.store, ALICE, "posit")
        assert "I can't find that run on your list" in words(await bot.press("job_logs", run.id))

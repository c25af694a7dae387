"""The fakes of the engine's tests can act later than they answer, or never."""

import pytest
from pydantic import SecretStr

from bot.domain.forms import Spec
from bot.domain.workspaces import State
from bot.providers.base import Access, Credential
from bot.support.errors import UnknownOutcome
from tests.rigs.clock import FakeClock
from tests.rigs.run_provider import JobProvider

ACCESS = Access("alice", Credential(SecretStr("t")))


async def test_what_was_accepted_takes_effect_late_or_never_also_when_its_answer_is_lost():
    clock = FakeClock()
    provider = JobProvider(clock)

    async def state(remote_id: str) -> State:
        return (await provider.status(ACCESS, [remote_id]))[remote_id].state

    provider.put("a", State.STOPPED)
    provider.acts_late("start", 30.0)
    await provider.start(ACCESS, "a")
    assert await state("a") is State.STOPPED
    clock.advance(30)
    assert await state("a") is State.STARTING

    provider.acts_late("launch_job", 30.0)
    provider.acts_late("launch_job", None)
    provider.fail("launch_job", UnknownOutcome("no answer in time"), after=True)
    with pytest.raises(UnknownOutcome):
        await provider.launch_job(ACCESS, Spec("late"), "k1")
    await provider.launch_job(ACCESS, Spec("never"), "k2")
    assert (await provider.find_job(ACCESS, Spec("late"), "k1", 0.0)).ours is None
    clock.advance(30)
    assert (await provider.find_job(ACCESS, Spec("late"), "k1", 0.0)).ours is not None
    assert provider.launched("k2") == []

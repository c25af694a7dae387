"""Whatever is said and pressed, in whatever order, is answered: nothing breaks."""

from contextlib import asynccontextmanager
from pathlib import Path

import structlog.processors
import structlog.testing
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.domain.forms import Spec
from bot.domain.observations import Observed
from bot.domain.workspaces import State
from bot.services.operation_requests import create_workspace
from bot.store import conversations, workspaces
from handlers import routes
from tests.handlers.class_rig import TRAINER, course_rig, posted
from tests.handlers.rig import buttons
from tests.handlers.run_rig import found, going, over, run_rig
from tests.rigs.store import ALICE, linked, observe

#: What people say: all of it, a bit more of it, or any words of it and any verbs.
SENTENCES = (Path(__file__).parent / "said.txt").read_text(encoding="utf-8").splitlines()
VERBS = {*(verb for verbs in routes.list_verbs_by_folder().values() for verb in verbs)}
WORDS = sorted(VERBS.union(*(sentence.split() for sentence in SENTENCES)))
words = st.lists(st.sampled_from(WORDS) | st.text(max_size=8), min_size=1, max_size=9).map(" ".join)
mixed = st.tuples(st.sampled_from(SENTENCES), st.integers(0, 9), st.sampled_from(WORDS)).map(
    lambda one: " ".join([*one[0].split()[: one[1]], one[2], *one[0].split()[one[1] :]])
)
#: A text, or which button of the last answer is pressed.
turn = st.sampled_from(SENTENCES) | mixed | words | st.integers(0, 3)
IS_THOROUGH = settings.get_current_profile_name() == "thorough"
of_dialogues = settings(max_examples=1500 if IS_THOROUGH else 40, suppress_health_check=list(HealthCheck))


@of_dialogues
@given(turns=st.lists(turn, min_size=1, max_size=10), is_direct=st.booleans())
@example(turns=["stop lab", "just blue"], is_direct=True)
@example(turns=["today add report"], is_direct=True)
@example(turns=["monday rename"], is_direct=True)
@example(turns=["rename 2026-13-45"], is_direct=True)
@example(turns=["skip 2026-13-45", "of no 2026-13-45 room"], is_direct=True)
@example(turns=["start lab-red", "stop lab-red", 0, "1h30 them"], is_direct=True)
@example(turns=["ready without lab-red unlink lab-red", 0], is_direct=True)
async def test_whatever_is_said_is_answered(turns, is_direct):
    async with with_workspaces() as bot:
        await plays(bot, [(ALICE, one) for one in turns], is_direct)


@of_dialogues
@given(
    turns=st.lists(st.tuples(st.sampled_from([ALICE, TRAINER]), turn), min_size=1, max_size=10),
    is_direct=st.booleans(),
)
async def test_whatever_members_and_teachers_of_a_course_say_is_answered(turns, is_direct):
    async with with_a_course() as bot:
        await plays(bot, turns, is_direct)


async def plays(bot, turns, is_direct):
    """Let people say and press things; see that no answer is an error."""
    last = {}
    with structlog.testing.capture_logs([structlog.processors.format_exc_info]) as logs:
        for who, one in turns:
            bot.clock.advance(1)
            if isinstance(one, str):
                last[who] = answer = await (bot.direct if is_direct else bot.say)(one, who)
                if answer.text and answer.about is not None:
                    await bot.store.write(
                        conversations.save_referents, who, "D1", None, answer.about.as_body()
                    )
            elif who in last and (pressed := [*buttons(last[who]).values()][one : one + 1]):
                last[who] = await bot.press(pressed[0]["action_id"], pressed[0].get("value", ""), who)
    broken = [line for line in logs if line["log_level"] == "error"]
    assert not broken, (turns, broken[0].get("exception", broken[0]))


@asynccontextmanager
async def with_workspaces():
    """Give somebody workspaces that were found and made, some of them up, and runs of each kind."""
    async with run_rig("saturn") as bot:
        await linked(bot.store, ALICE, ("report", "notebook", "lab-red"), connection="hub", username="alice")
        for name in ("lab-blue", "studio"):
            spec = Spec(name, {"template": "jupyter", "more": ("a", "b")})
            await bot.services.create_caller(ALICE, f"make {name}").run(create_workspace, "posit", spec)
        for row in await bot.store.perform(workspaces.read_workspaces, ALICE):
            if row.name in {"report", "notebook"}:
                await observe(bot.store, bot.clock, row, Observed(State.RUNNING))
        await going(bot, "etl")
        await over(bot, "train.R")
        await found(bot, "nightly")
        yield bot


@asynccontextmanager
async def with_a_course():
    """Give a trainer a course that somebody else has joined."""
    async with course_rig() as bot:
        for who in (ALICE, TRAINER):
            await linked(bot.store, who, ("notebook", "report"), connection="saturn", username=who.user_id)
        card = await posted(bot, "card notebook --title Biology --hours mon,thu 8:00-9:30")
        await bot.press("class_press", card.id)
        yield bot

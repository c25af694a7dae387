"""Settings: shown, changed in a form whose every value is checked again, and what they change."""

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.preferences import Preferences
from bot.domain.snapshots import Snapshot
from bot.store import operations, snapshots
from bot.store import preferences as store
from bot.store.transaction import from_json
from tests.handlers.class_rig import class_rig, offer
from tests.handlers.rig import activate, buttons, words
from tests.handlers.settings_form import save
from tests.rigs.golden import check_golden
from tests.rigs.maker import OFFER
from tests.rigs.store import ALICE, BOB, prefer


@pytest.fixture
async def maker():
    async with class_rig() as made:
        await offer(made, ALICE)
        yield made


async def test_at_first_settings_say_what_applies_and_open_the_form(bot):
    await bot.link(names=("notebook", "training"))
    answer = await bot.say("settings", trigger_id="t1")
    check_golden("answers/settings", answer)
    check_golden("views/settings", answer.view)
    assert "Change settings" in buttons(await bot.direct("settings"))
    assert (await bot.press("settings_form")).view == answer.view


async def test_settings_and_a_bare_start_agree_on_the_only_workspace(bot):
    await bot.link(names=("notebook",))
    assert "start` without a name means *notebook*." in words(await bot.say("settings"))
    assert "Starting *notebook*" in words(await bot.say("start"))


async def test_what_is_saved_is_shown_and_stays(bot):
    row, *_ = (await bot.link(names=("notebook", "training"))).workspaces
    await bot.zone()
    saved = await save(bot, tell=["stopped"], asking="8", workspace=row.id)
    check_golden("views/settings-saved", saved["view"])
    assert await bot.store.read(store.preferences, ALICE) == Preferences(
        ready=False,
        stopped=True,
        run_ended=False,
        workspace_id=row.id,
        idle_prompt_after=8,
    )
    # Opened and sent again, it stays as it is.
    before = await bot.store.read(store.preferences, ALICE)
    await save(bot)
    assert await bot.store.read(store.preferences, ALICE) == before
    assert await bot.store.read(store.preferences, BOB) == Preferences()
    first, second = [
        from_json(row["detail"]) for row in await bot.audit() if row["action"] == "settings.save"
    ]
    assert first == {
        "ready": "True → False",
        "stopped": "False → True",
        "run_ended": "True → False",
        "workspace_id": f" → {row.id}",
        "idle_prompt_after": "None → 8",
    }
    assert second == {}


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"workspace": "workspace_of_somebody"}, "workspace", "no longer on your list"),
        ({"new": "nowhere python"}, "new", "isn't available any more"),
        ({"new": "saturn python"}, "new", "isn't available any more"),
    ],
)
async def test_what_is_wrong_stands_at_its_field(bot, values, field, said):
    await bot.link()
    assert said in (await save(bot, **values))["errors"][field]
    assert await bot.store.read(store.preferences, ALICE) == Preferences()


async def test_nobody_chooses_what_is_another_persons(bot):
    theirs = (await bot.link(BOB, username="bob")).workspaces[0]
    await bot.link()
    assert "workspace" in (await save(bot, workspace=theirs.id))["errors"]


async def test_new_begins_where_the_default_is(maker):
    assert (await maker.store.read(store.preferences, ALICE)).connection == ""
    view = (await maker.say("settings")).view
    chosen = view["blocks"][-1]["element"]["options"]
    assert [one["value"] for one in chosen] == ["-", "saturn"]
    assert "New workspaces come from *Saturn Cloud*." in str((await save(maker, new="saturn"))["view"])


async def test_a_default_template_is_chosen_in_the_form():
    async with class_rig() as made:
        account = await activate(made.store, ALICE, "saturn")
        now = await made.store.now()
        await made.store.write(
            snapshots.save_snapshot, Snapshot("saturn", account.id, "templates", OFFER, now)
        )
        await prefer(made.store, ALICE, Preferences(connection="saturn", template="Kubernetes"))
        assert (await made.say("new", trigger_id="t")).view["callback_id"] == "make"
        await prefer(made.store, ALICE, Preferences(connection="gone", template="x"))
        assert (await made.say("new", trigger_id="t")).view["callback_id"] == "make"


@pytest.mark.parametrize(
    ("text", "ready", "stopped", "said"),
    [
        ("notify notebook on", True, True, "is ready, and when it stops by itself"),
        ("notify notebook off", False, False, "I won't message you"),
        ("notify notebook on --stopped", None, True, "is ready, and when it stops by itself"),
        ("notify notebook off --ready", False, None, "I won't message you"),
        ("notify notebook usual", None, None, "follows your usual settings"),
    ],
)
async def test_one_workspace_may_differ(bot, text, ready, stopped, said):
    await bot.link(names=("notebook", "training"))
    assert said in words(await bot.say(text))
    row = await bot.workspace()
    assert (row.notify_ready, row.notify_stopped) == (ready, stopped)
    shown = words(await bot.say("settings"))
    assert ("With settings of their own: *notebook*" in shown) is ((ready, stopped) != (None, None))


@pytest.mark.parametrize("text", ["notify", "notify off", "notify notebook", "notify notebook maybe"])
async def test_notify_says_how_it_is_written(bot, text):
    await bot.link()
    assert "notify NAME on" in words(await bot.say(text))


async def test_a_bare_start_means_the_default_and_a_bare_stop_still_asks(bot):
    await bot.link(names=("notebook", "training"))
    row = await bot.workspace("training")
    assert "Which workspace?" in words(await bot.say("start"))
    await save(bot, workspace=row.id)
    assert "Starting *training*" in words(await bot.say("start"))
    assert "*training*" in words(await bot.say("open"))
    for verb in ("restart", "suspend", "forget", "remove"):
        assert "Which workspace?" in words(await bot.say(verb)), verb
    # The only one to which it applies is offered.
    assert list(buttons(await bot.say("stop"))) == ["Stop training"]
    assert [one.verb for one in await bot.store.read(operations.open_operations, ALICE)] == [
        OperationVerb.START
    ]
    # What is no longer there means nothing.
    await bot.say("forget training")
    await bot.link(names=("notebook", "lab"))
    assert "Which workspace?" in words(await bot.say("start"))
    assert "or I'll ask" in words(await bot.say("settings"))

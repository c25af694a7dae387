"""Preferences: showing them, changing them in a form that checks each value again, and their effects."""

from typing import Any

import pytest

from bot.domain.notices import NoticeKind
from bot.domain.preferences import Preferences
from bot.store import preferences as store
from bot.store import workspaces as workspace_rows
from bot.store.transaction import from_json
from tests.handlers.rig import buttons, submit, words
from tests.rigs.golden import check_golden
from tests.rigs.store import ALICE, BOB


def form(view: dict[str, Any], **values: Any) -> dict[str, Any]:
    """Return a form as Slack sends it, with these values and otherwise those that the form showed."""
    state: dict[str, Any] = {}
    for block in view["blocks"]:
        name, element = block["block_id"], block["element"]
        match element["type"]:
            case "checkboxes":
                shown = [one["value"] for one in element.get("initial_options", ())]
                held = {"selected_options": [{"value": one} for one in values.get(name, shown)]}
            case _:
                shown = element["initial_option"]["value"]
                held = {"selected_option": {"value": values.get(name, shown)}}
        state[name] = {element["action_id"]: {"type": element["type"], **held}}
    return {**view, "id": "V1", "state": {"values": state}}


async def save(bot, principal=ALICE, name: str = "", **values: Any) -> dict[str, Any]:
    """Open the form for all workspaces or for one, and submit it with these values."""
    view = (await bot.say(f"settings {name}".rstrip(), principal)).view
    bot.count += 1
    return await submit(bot.services, principal, form(view, **values), f"view:{bot.count}")


async def test_at_first_settings_say_what_applies_and_open_the_form(bot):
    await bot.link(names=("notebook", "training"))
    answer = await bot.say("settings", trigger_id="t1")
    check_golden("answers/settings", answer)
    check_golden("views/settings", answer.view)
    assert "Change settings" in buttons(await bot.direct("settings"))
    assert (await bot.press("settings_form")).view == answer.view


async def test_what_is_saved_is_shown_and_stays(bot):
    await bot.link(names=("notebook", "training"))
    saved = await save(bot, tell=["stopped"], asking="8")
    check_golden("views/settings-saved", saved["view"])
    assert await bot.store.read(store.preferences, ALICE) == Preferences(
        ready=False,
        stopped=True,
        run_ended=False,
        idle_prompt_after=8,
    )
    # Submitting the form unchanged changes nothing.
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
        "idle_prompt_after": "None → 8",
    }
    assert second == {}


@pytest.mark.parametrize(
    ("text", "ready", "stopped", "said"),
    [
        ("settings notebook on", True, True, "is ready, and when it stops by itself"),
        ("settings notebook off", False, False, "I won't message you"),
        ("settings notebook ready", True, False, "but not when it stops by itself"),
        ("settings notebook stopped", False, True, "stops by itself. Its card"),
        ("settings notebook usual", None, None, "follows your usual settings"),
        ("notify notebook off", False, False, "`notify` is now `/workspace settings`"),
    ],
)
async def test_one_workspace_may_differ(bot, text, ready, stopped, said):
    await bot.link(names=("notebook", "training"))
    assert said in words(await bot.say(text))
    row = await bot.workspace()
    assert (row.notify_ready, row.notify_stopped) == (ready, stopped)
    shown = words(await bot.say("settings"))
    assert ("With settings of their own: *notebook*" in shown) is ((ready, stopped) != (None, None))


@pytest.mark.parametrize(
    ("chosen", "kept"),
    [
        pytest.param("on", (True, True), id="both"),
        pytest.param("ready", (True, False), id="ready"),
        pytest.param("stopped", (False, True), id="stopped"),
        pytest.param("off", (False, False), id="neither"),
        pytest.param("usual", (None, None), id="as_in_general"),
        pytest.param("of an earlier form", (None, None), id="unknown"),
    ],
)
async def test_form_of_one_workspace_saves_its_choice(bot, chosen, kept):
    await bot.link(names=("notebook", "training"))
    saved = await save(bot, name="notebook", messages=chosen)
    assert "*Saved.*" in str(saved["view"])
    now = await bot.workspace()
    assert (now.notify_ready, now.notify_stopped) == kept


@pytest.mark.parametrize(
    ("usual", "chosen", "hears"),
    [(True, None, True), (False, None, False), (True, False, False), (False, True, True)],
)
async def test_a_start_has_its_card_at_once_if_no_message_will_say_that_it_is_ready(
    bot, usual, chosen, hears
):
    row = (await bot.link(names=("notebook", "training"))).workspaces[0]
    await bot.store.write(store.save_preferences, ALICE, Preferences(ready=usual))
    await bot.store.write(workspace_rows.notify, row.id, ready=chosen, stopped=None)
    await bot.say("start notebook")
    find = "SELECT due_at > created_at AS waits FROM notices WHERE kind = :kind"
    (card,) = await bot.store.read(lambda tx: tx.all(find, kind=NoticeKind.CARD))
    assert card["waits"] == hears


async def test_form_of_one_workspace_sent_unchanged_writes_nothing(bot):
    """Rows from releases that set only one of the two values stay valid."""
    row, *_ = (await bot.link(names=("notebook", "training"))).workspaces
    await bot.store.write(workspace_rows.notify, row.id, ready=None, stopped=True)
    await save(bot, name="notebook")
    now = await bot.workspace()
    assert (now.notify_ready, now.notify_stopped) == (None, True)
    assert not [one for one in await bot.audit() if one["action"] == "workspace.notify"]


async def test_form_about_another_persons_workspace_is_refused(bot):
    theirs, *_ = (await bot.link(BOB, username="bob")).workspaces
    await bot.link()
    view = (await bot.say("settings notebook")).view | {"private_metadata": theirs.id}
    await submit(bot.services, ALICE, form(view, messages="off"), "view:1")
    row = await bot.store.read(workspace_rows.find_workspace, theirs.id)
    assert row.notify_ready is None


async def test_settings_of_one_workspace_open_its_form(bot):
    await bot.link(names=("notebook", "training"))
    answer = await bot.say("settings notebook", trigger_id="t1")
    check_golden("answers/settings-workspace", answer)
    check_golden("views/settings-workspace", answer.view)
    pressed = await bot.press("settings_form", (await bot.workspace()).id)
    assert pressed.view == answer.view


async def test_bare_start_offers_first_what_was_used_last(bot):
    await bot.link(names=("lab", "notebook", "training"))
    assert list(buttons(await bot.say("start"))) == ["Start lab", "Start notebook", "Start training"]
    await bot.say("status training")
    assert next(iter(buttons(await bot.say("start")))) == "Start training"

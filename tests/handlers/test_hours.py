"""Working hours: commands, buttons and their answers."""

from __future__ import annotations

import re
from functools import partial

import pytest

from bot.domain.observations import Observed
from bot.domain.surfaces import Where
from bot.domain.time_parsing import clock, read_hours, write_hours
from bot.domain.workspaces import State
from bot.messages.blocks import kit
from bot.services import hours as use_cases
from bot.store import hours as rows
from bot.store import operations
from bot.store.tables import RULES
from tests.handlers import slack
from tests.handlers.rig import buttons, rig, submit, words
from tests.rigs.golden import check_golden
from tests.rigs.store import ALICE, observe


@pytest.fixture
async def bot():
    async with rig() as made:
        await made.link(names=("notebook", "training"))
        await made.zone("Europe/Berlin")
        yield made


def plain(answer):
    """Return the words of an answer. Times have the text for clients that can't format them."""
    return re.sub(r"<!date\^\d+\^[^|]*\|([^>]*)>", r"\1", words(answer))


async def rules(bot, name="notebook"):
    return await bot.store.read(rows.list_rules, (await bot.workspace(name)).id)


async def test_hours_are_set_shown_and_turned_off(bot):
    for name, text in {
        "hours/none-at-all": "hours",
        "hours/none": "hours notebook",
        "hours/set": "hours notebook weekdays 9:00-18:00",
        "hours/start-only": "hours notebook sat 10:30",
        "hours/replaced": "hours notebook weekdays 8:30-17:00",
        "hours/stop-only": "hours training every day -20:00",
        "hours/of-one": "hours notebook",
        "hours/of-all": "hours",
        "hours/in-status": "status notebook",
        "hours/in-list": "list",
        "hours/unread": "hours notebook weekdays 25:00",
        "hours/of-nothing": "hours weekdays 9:00",
    }.items():
        check_golden(name, await bot.say(text))
    assert [(one.starts, one.stops) for one in await rules(bot)] == [(630, None), (510, 1020)]
    check_golden("hours/off", await bot.say("hours notebook off"))
    assert await rules(bot) == []
    assert len(await rules(bot, "training")) == 1


async def test_the_buttons_turn_off_and_resume(bot):
    answer = await bot.say("hours notebook weekdays 9:00-18:00")
    (rule,) = await rules(bot)
    await bot.store.carry_out(lambda tx: rows.pause(tx, rule, "gone", notify=False))
    check_golden("hours/paused", paused := await bot.say("hours notebook"))
    assert "Paused" not in words(await bot.push(paused, "Resume hours"))
    assert [one.paused for one in await rules(bot)] == [""]
    await bot.push(answer, "Turn hours off")
    assert await rules(bot) == []


async def test_hours_say_which_of_them_are_paused(bot):
    await bot.say("hours notebook weekdays 9:00-18:00")
    await bot.say("hours notebook pause")
    said = words(await bot.say("hours notebook 2027-01-16 -20:00"))
    assert "I'll stop *notebook* on Saturn Cloud Sat 16 Jan at" in said
    assert "Its other working hours: weekdays" in said
    assert "They're paused" in said
    said = words(await bot.say("hours notebook"))
    assert "They're paused" not in said
    assert "Paused: weekdays" in said
    assert "Next stop: Sat 16 Jan" in said
    assert "weekdays" not in words(await bot.say("status notebook"))


async def test_what_cannot_be_planned_is_refused_with_a_reason(bot):
    row = await bot.workspace("notebook")
    await observe(bot.store, bot.clock, row, Observed(State.GONE))
    assert "no longer exists" in words(await bot.say("hours notebook weekdays 9:00"))
    assert await rules(bot) == []


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("hours notebook weekdays 9 to 6", "weekdays 09:00-18:00"),
        ("hours notebook every day 8:30-5pm", "daily 08:30-17:00"),
        ("hours notebook monday to friday 9 to 20", "weekdays 09:00-20:00"),
        ("hours notebook mon-thu 9-5", "mon,tue,wed,thu 09:00-17:00"),
        ("hours notebook sat 8:00-noon", "sat 08:00-12:00"),
        ("hours notebook tomorrow 9:00-17:00", "2027-01-16 09:00-17:00"),
        ("hours notebook 2027-01-18 9:00", "2027-01-18 09:00"),
        ("hours notebook every day -22:00", "daily -22:00"),
        ("hours for notebook weekdays 9 to 5", "weekdays 09:00-17:00"),
        ("hours notebook every other day 9:00", ""),
        ("hours notebook later", ""),
        ("hours notebook 2027-01-14 9:00", ""),
        # Other phrasings are only offered as a button.
        ("start notebook every weekday at 9 and stop it at 6", ""),
        ("start notebook tomorrow at 9", ""),
        ("start notebook next saturday at 9", ""),
        ("start notebook every other day at 9", ""),
    ],
)
async def test_hours_are_set_by_their_command_alone(bot, text, hours):
    await bot.say(text)
    assert ",".join(write_hours(one.wanted) for one in await rules(bot)).lstrip() == hours
    assert (await bot.workspace("notebook")).state is State.STOPPED
    assert (
        await bot.store.read(operations.find_latest_operation, (await bot.workspace("notebook")).id) is None
    )


async def test_the_button_for_a_later_start_sets_its_end_too(bot):
    offered = await bot.direct("please start notebook tomorrow at 9 until tomorrow 12:00")
    await bot.push(offered, "Hours for notebook: Sat 16 Jan 9:00-12:00")
    assert [write_hours(one.wanted) for one in await rules(bot)] == ["2027-01-16 09:00-12:00"]


async def test_the_buttons_leave_out_what_they_say(bot):
    shown = await bot.say("hours notebook every day 9:00-18:00")
    left = await bot.push(shown, "Skip Sat 16 Jan")
    assert "No working hours on" in words(left)
    assert [len(one.off) for one in await rules(bot)] == [1]
    await bot.push(shown, "Pause until Mon 18 Jan")
    assert "Skip Mon 18 Jan" in buttons(await bot.say("hours notebook"))
    await bot.push(left, "Don't skip Sat 16 Jan")
    assert [one.off for one in await rules(bot)] == [frozenset()]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # It is 9:00 on Friday, 15 January.
        ("hours notebook today 8:00-18:00", "I'll stop *notebook* on Saturn Cloud at 17:00 UTC."),
        (
            "hours notebook tomorrow 22:00-6:00",
            "Sat 16 Jan at 21:00 UTC, and stop it Sun 17 Jan at 05:00 UTC.",
        ),
        ("hours notebook tomorrow 9:00-18:00", "Sat 16 Jan at 08:00 UTC, and stop it at 17:00 UTC."),
    ],
)
async def test_hours_for_one_day_are_said_as_what_will_happen(bot, text, said):
    assert said in plain(await bot.say(text))


async def test_a_day_that_does_not_exist_is_not_read(bot):
    assert "so I haven't changed anything" in words(await bot.say("hours notebook 20 jan and 31 nov 9:00"))
    assert await rules(bot) == []


async def test_day_that_does_not_exist_in_an_old_row_is_ignored(bot):
    """Release 0.5.0 stored such a day as it was typed."""
    await bot.say("hours notebook 20 jan 9:00-10:00")
    key = {"workspace_id": (await bot.workspace()).id}
    await bot.store.carry_out(lambda tx: RULES.change(tx, key, days="2027-01-20 31nov"))
    assert "9:00" in words(await bot.say("hours notebook"))
    assert [write_hours(one.wanted) for one in await rules(bot)] == ["2027-01-20 09:00-10:00"]


async def test_days_with_hours_of_their_own_are_not_called_skipped(bot):
    await bot.say("hours notebook every day 9:00-18:00")
    said = plain(await bot.say("hours notebook tomorrow 9:00-20:00"))
    assert "They replace 16 Jan 09:00\u201318:00." in said
    shown = await bot.say("hours notebook")
    assert "No working hours" not in words(shown)
    assert not any("skip" in one and "Don't" in one for one in buttons(shown))
    assert "No working hours on Sat 16 Jan" in words(await bot.say("hours notebook skip tomorrow"))


async def test_a_later_stop_for_one_day_keeps_the_start_of_that_day(bot):
    await bot.say("hours notebook every day 9:00-18:00")
    said = plain(await bot.say("hours notebook tomorrow -20:00"))
    assert "Sat 16 Jan at 08:00 UTC, and stop it at 19:00 UTC." in said
    assert "They replace 16 Jan 09:00\u201318:00." in said
    said = plain(await bot.say("hours notebook tomorrow -12:00"))
    assert "Sat 16 Jan at 08:00 UTC, and stop it at 11:00 UTC." in said
    assert "They replace 16 Jan 09:00\u201320:00." in said


async def test_stop_that_their_own_stop_overrules_is_not_promised(bot):
    await bot.sees(State.RUNNING)
    await bot.say("stop notebook at 20:00")
    said = plain(await bot.say("hours notebook today -19:00"))
    assert "*notebook* now runs 15 Jan until 19:00. I'll still stop it at 19:00 UTC." in said
    assert "I'll stop" not in said


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "2028-02-29"])
async def test_stop_on_a_day_that_is_far_away_is_refused(bot, day):
    await bot.say("hours notebook every day 22:00-6:00")
    assert "None of these hours comes within the next 30 days" in words(
        await bot.say(f"hours notebook {day} -23:00")
    )


@pytest.mark.parametrize(
    ("hours", "off"),
    [
        ("9:00-20:00", [{"2027-01-16"}, set()]),
        ("19:00-22:00", [set(), set()]),
    ],
)
async def test_day_with_hours_of_its_own_is_skipped_and_brought_back(bot, hours, off):
    await bot.say("hours notebook every day 9:00-18:00")
    await bot.say(f"hours notebook tomorrow {hours}")
    await bot.say("hours notebook skip tomorrow")
    await bot.say("hours notebook on")
    assert [one.off for one in await rules(bot)] == off


def sent(view, workspace="", **values):
    """Return the form as Slack sends it, with these values and otherwise those that the form showed."""
    shown = {one["block_id"]: one["element"] for one in view["blocks"] if one["type"] == "input"}
    days = values.get("days", [one["value"] for one in shown["days"].get("initial_options", ())])
    state = {"days": {"days": {"selected_options": [{"value": day} for day in days]}}}
    for name in ("from", "until"):
        state[name] = {name: {"selected_time": values.get(name, shown[name].get("initial_time"))}}
    if workspace:
        state["workspace"] = {"workspace": {"selected_option": {"value": workspace}}}
    return {**view, "id": "V1", "state": {"values": state}}


async def send(bot, view, *, workspace="", **values):
    bot.count += 1
    return await submit(bot.services, ALICE, sent(view, workspace, **values), f"view:{bot.count}")


async def test_the_form_sets_hours_and_changes_them(bot):
    key = (await bot.workspace("notebook")).id
    opened = await bot.press("hours_form", key)
    check_golden("hours/form-typed", opened)
    check_golden("views/hours", opened.view)
    assert "weekdays from <!date" in str((await send(bot, opened.view, until=None))["view"])
    changed = (await bot.press("hours_form", key)).view
    check_golden("views/hours-change", changed)
    await send(bot, changed, days=["mon", "tue"], **{"from": "08:30"}, until="17:00")
    assert [(one.days, one.starts, one.stops) for one in await rules(bot)] == [({"mon", "tue"}, 510, 1020)]


async def test_what_is_wrong_is_said_at_its_field(bot):
    view = (await bot.press("hours_form", (await bot.workspace("notebook")).id)).view
    assert (await send(bot, view, days=[]))["errors"] == {"days": "Choose at least one day."}
    assert (await send(bot, view, until=None, **{"from": None}))["errors"].keys() == {"from"}
    assert (await send(bot, view, until="09:10"))["errors"].keys() == {"until"}
    assert await rules(bot) == []


async def test_the_form_of_all_asks_which(bot):
    view = (await bot.press("hours_form", "")).view
    check_golden("views/hours-of-all", view)
    assert (await send(bot, view))["errors"] == {"workspace": "Choose one of your workspaces."}
    await send(bot, view, workspace=(await bot.workspace("training")).id)
    assert [(one.starts, one.stops) for one in await rules(bot, "training")] == [(540, 1080)]
    assert "errors" in await send(bot, view, workspace="workspace_9999")


#: Commands given at 9:00 on a Friday, while hours keep a workspace running until 18:00.
@pytest.mark.parametrize(
    ("text", "first", "last", "count"),
    [
        ("hours notebook skip today and tomorrow", "2027-01-15", "2027-01-16", 2),
        ("hours notebook pause for a week", "2027-01-15", "2027-01-21", 7),
        ("hours notebook pause until 4 feb", "2027-01-15", "2027-02-03", 20),
        ("hours notebook pause from 21 jan to 4 feb", "2027-01-21", "2027-02-04", 15),
        ("hours notebook skip 21 jan, 25 jan", "2027-01-21", "2027-01-25", 2),
        ("hours notebook pause friday", "2027-01-15", "2027-01-21", 7),
        ("hours notebook pause for 2 weeks", "2027-01-15", "2027-01-28", 14),
        ("hours notebook skip monday", "2027-01-18", "2027-01-18", 1),
    ],
)
async def test_all_days_that_are_named_are_left_out(bot, text, first, last, count):
    await run(bot, "weekdays 8:00-18:00")
    await bot.say(text)
    (rule,) = await rules(bot)
    assert (min(rule.off), max(rule.off), len(rule.off)) == (first, last, count)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hours notebook skip next saturday", "Type `2027-01-16` or `2027-01-23`."),
        ("hours notebook pause until 4 dec", "is too far away. Choose a time within the next 90 days."),
        ("hours notebook skip 2027-01-14", "has already passed."),
        ("hours notebook pause until never", "I can't read *until never*"),
        ("hours notebook weekdays 9:00-18:00 +05:30", "name of a time zone, such as `Asia/Kolkata`"),
    ],
)
async def test_a_day_that_cannot_be_told_is_asked_for(bot, text, said):
    await run(bot, "weekdays 8:00-18:00")
    answer = await bot.say(text)
    assert said in words(answer)
    assert not buttons(answer)
    (rule,) = await rules(bot)
    assert not rule.off


TODAY_ENDS = {
    "skip": "hours notebook skip today",
    "pause": "hours notebook pause",
    "pause for a day": "hours notebook pause for today",
    "off for a day": "hours notebook off today",
    "pause until": "hours notebook pause until monday",
    "off": "hours notebook off",
    "edit": "hours notebook weekdays 8:00-8:45",
}


async def run(bot, text, name="notebook"):
    """Set hours for a workspace, which is then running."""
    await bot.say(f"hours {name} {text}")
    await observe(bot.store, bot.clock, await bot.workspace(name), Observed(State.RUNNING))


@pytest.mark.parametrize("text", TODAY_ENDS.values(), ids=TODAY_ENDS)
async def test_changed_hours_say_that_today_ends_as_planned(bot, text):
    await run(bot, "weekdays 8:00-18:00")
    answer = await bot.say(text)
    assert "I'll still stop it at <!date^1800032400^" in words(answer)
    assert "stop_at=1800032400.0" in str(await bot.workspace("notebook"))
    assert "keeps running" in words(await bot.push(answer, "Keep running"))
    assert (await bot.workspace("notebook")).stop_at is None


@pytest.mark.parametrize("text", ["hours notebook skip today", "hours notebook pause", "hours notebook off"])
async def test_skipped_stop_of_what_runs_can_be_had_after_all(bot, text):
    """Hours without a start time haven't started it, so the answer says that Usher won't stop it."""
    await run(bot, "every day -18:00")
    answer = await bot.say(text)
    assert re.search(r"It's running, and |Next stop: Sat 16 Jan at ", words(answer))
    assert (await bot.workspace("notebook")).stop_at is None
    await bot.push(answer, "Stop it then")
    assert (await bot.workspace("notebook")).stop_at == 1800032400.0


async def test_hours_say_what_becomes_of_what_runs(bot):
    await run(bot, "weekdays 8:00-18:00")
    await run(bot, "every day -18:00", "training")
    for name, text in {
        "hours/running-skipped": "hours notebook skip today",
        "hours/running-listed": "hours",
        "hours/running-off": "hours notebook off",
        "hours/running-stop-skipped": "hours training skip today",
        "hours/running-stop-off": "hours training off",
        "hours/running-start-only": "hours training mon,wed 9:05",
    }.items():
        check_golden(name, await bot.say(text))


async def test_kept_workspace_is_said_to_run_until_its_next_hours(bot):
    await run(bot, "weekdays 8:00-18:00")
    await bot.say("stop notebook at 16:00")
    assert "I won't stop it before <!date^1800032400^" in words(await bot.say("keep notebook"))


async def test_planned_stop_is_said_once_beside_hours_that_only_stop(bot):
    await run(bot, "every day -18:00")
    await bot.say("stop notebook at 18:00")
    said = words(await bot.say("hours notebook"))
    assert "I'll still stop it at <!date^1800032400^" in said
    assert "Next," not in said


@pytest.mark.parametrize(
    ("text", "former", "now"),
    [
        ("every day -20:00", "weekdays", ["daily -20:00"]),
        ("mon,wed 8:30", "Mon, Wed", ["tue,thu,fri 08:00-18:00", "mon,wed 08:30"]),
        ("fri 9:00-12:00", "Fri", ["mon,tue,wed,thu 08:00-18:00", "fri 09:00-12:00"]),
        ("fri,sat 9:00-12:00", "Fri", ["mon,tue,wed,thu 08:00-18:00", "fri,sat 09:00-12:00"]),
        ("sat 9:00-12:00", "", ["weekdays 08:00-18:00", "sat 09:00-12:00"]),
    ],
)
async def test_hours_replace_others_on_the_same_days(bot, text, former, now):
    """Hours that stay in force besides the new ones are mentioned, too."""
    await run(bot, "weekdays 8:00-18:00")
    said = words(await bot.say(f"hours notebook {text}"))
    assert ("They replace" in said) is bool(former)
    assert f"They replace {former}" in said or not former
    assert [write_hours(one.wanted).replace("  ", " ") for one in await rules(bot)] == now


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("notebook weekdays 9-25", "9-25"),
        ("weekdays 25:00", "25:00"),
        ("notebook weekdays 9:00-18:00 and sat 10-12", "9:00-18:00 and 10-12"),
        ("notebook this monday 9-17", "this 9-17"),
        ("notebook next monday 9-17", "next 9-17"),
    ],
)
async def test_hours_that_cannot_be_read_are_quoted_alone(bot, text, said):
    answer = words(await bot.say(f"hours {text}"))
    assert f"I can't read *{said}*" in answer
    assert "can't find" not in answer


@pytest.mark.parametrize(
    ("first", "then", "at"),
    [
        ("weekdays -18:00", "weekdays 18:00", 1800032400),
        ("fri 22:00-6:00", "sat 6:00-12:00", 1800075600),
        ("sat 6:00-12:00", "fri 22:00-6:00", 1800075600),
        ("sat 6:00-12:00", "2027-01-16 12:00-15:00", 1800097200),
    ],
)
async def test_a_stop_and_a_start_of_one_time_are_asked_about(bot, first, then, at):
    await bot.say(f"hours notebook {first}")
    asked = await bot.say(f"hours notebook {then}")
    assert "*notebook* would be stopped and started" in words(asked)
    assert f"at <!date^{at}^" in words(asked)
    assert len(await rules(bot)) == 1
    await bot.push(asked, "Set them and let it run on")
    assert sorted(write_hours(one.wanted) for one in await rules(bot)) == sorted(
        write_hours(read_hours(text)) for text in (first, then)
    )
    assert f"Next stop: <!date^{at}^" not in words(await bot.say("hours notebook"))


@pytest.mark.parametrize(
    ("first", "then"), [("daily -18:00", "weekdays 18:00"), ("weekdays 18:00", "daily -18:00")]
)
async def test_no_stop_is_shown_that_never_comes(bot, first, then):
    await bot.zone("Europe/London")
    await bot.say(f"hours notebook {first}")
    asked = await bot.say(f"hours notebook {then}")
    said = await bot.push(asked, "Set them and let it run on")
    for answer in (said, await bot.say("hours notebook"), await bot.say("status notebook")):
        assert "weekends until" in words(answer)
        assert "every day until" not in words(answer)
    await bot.say("hours notebook off")
    await bot.say("hours notebook weekdays -18:00")
    asked = await bot.say("hours notebook weekdays 18:00")
    await bot.push(asked, "Set them and let it run on")
    answer = words(await bot.say("hours notebook"))
    assert "until" not in answer
    assert "I won't stop it after that." in answer


async def test_hours_show_the_readers_own_clock_unless_they_are_elsewhere(bot):
    await bot.zone("Europe/Berlin")
    await bot.say("hours notebook weekdays 9:00-18:00")
    assert "Hours: weekdays <!date^1705305600^{time}|09:00>" in words(await bot.say("status notebook"))
    await bot.zone("Asia/Tokyo")
    # Nine o'clock in Berlin, in the reader's 12- or 24-hour format.
    clock = "<!date^1705276800^{time}|09:00>–<!date^1705309200^{time}|18:00>"
    assert f"Hours: weekdays {clock} (Berlin)." in words(await bot.say("status notebook"))
    assert f"weekdays {clock} (Berlin)." in words(await bot.say("hours notebook"))


async def test_form_submitted_again_in_the_same_window_sets_hours_again(bot):
    """After a form, its window shows the answer, whose *Hours…* opens the form there once more."""
    key = (await bot.workspace("notebook")).id
    form = (await bot.press("hours_form", key)).view
    async with slack.little_slack() as little:
        app = slack.bolt_for(bot.services, little)
        for count, until in enumerate(("18:00", "17:00", "16:00"), 1):
            submitted = sent(form, until=until) | {"hash": f"1800000000.h{count}"}
            for _ in range(2):  # Slack says that it had no answer, so the form is sent again.
                shown = await slack.send(app, slack.interaction("view_submission", view=submitted))
            assert until in str(shown.body["view"]["blocks"])
            assert [clock(one.stops) for one in await rules(bot)] == [until]
            assert len([one for one in await bot.audit() if one["action"] == "workspace.hours"]) == count
            form = (await bot.press("hours_form", key, kind="button", where=Where.FORM)).view


async def test_question_about_edited_hours_replaces_the_rule_that_was_edited(bot):
    """The edited rule goes, even for Sunday, which the form leaves out.

    Hours that *start* the workspace at 17:00 on Mondays stay.
    """
    await bot.link(names=("notebook",), connection="hub")
    key = (await bot.workspace("notebook")).id
    add = partial(bot.services.create_caller(ALICE).run, use_cases.add, key)
    await add(read_hours("sat,sun -18:00"))
    (former,) = await rules(bot)
    view = (await bot.press("hours_form", key)).view
    await add(read_hours("mon 17:00"))
    shown = await send(bot, view, days=["sat", "mon"], until="17:00", **{"from": None})
    (button,) = kit.iterate_buttons(shown["view"]["blocks"])
    assert former.id in button["value"]
    await bot.press(button["action_id"], button["value"])
    assert {write_hours(one.wanted) for one in await rules(bot)} == {"mon,sat -17:00", "mon 17:00"}


NUMBERED = ("lab", "lab 2", "class", "class tue", "take", "take off")


@pytest.mark.parametrize(
    ("text", "name", "hours"),
    [
        ("hours lab 2 every day -20:00", "lab 2", "daily -20:00"),
        ('hours "lab 2" every day -20:00', "lab 2", "daily -20:00"),
        ("hours lab 2 mon 15", "lab 2", "mon 15:00"),
        ('hours "class tue" thu 9:00-10:00', "class tue", "thu 09:00-10:00"),
        ("hours class tue thu 9:00-10:00", "class tue", "thu 09:00-10:00"),
        ('hours "class" tue thu 9:00-10:00', "class", "tue,thu 09:00-10:00"),
        ("hours take off weekdays 9:00-17:00", "take off", "weekdays 09:00-17:00"),
        ('hours "take off" weekdays 9:00-17:00', "take off", "weekdays 09:00-17:00"),
        ("hours lab every day -20:00", "lab", "daily -20:00"),
    ],
)
async def test_hours_are_set_for_the_longest_name_that_is_typed(bot, text, name, hours):
    await bot.link(names=NUMBERED)
    await bot.say(text)
    every = {one: [write_hours(rule.wanted) for rule in await rules(bot, one)] for one in NUMBERED}
    assert {one: found for one, found in every.items() if found} == {name: [hours]}


@pytest.mark.parametrize("text", ['hours "lab 3" every day -20:00', 'hours "lab" 3 every day 9:00'])
async def test_quoted_name_of_hours_is_never_cut(bot, text):
    await bot.link(names=NUMBERED)
    await bot.say(text)
    assert [await rules(bot, one) for one in NUMBERED] == [[]] * len(NUMBERED)


async def test_question_about_hours_is_about_one_of_two_of_the_same_name(bot):
    await bot.link(names=("notebook",), connection="hub", username="al")
    await bot.say("hours notebook@hub weekdays -18:00")
    asked = await bot.say("hours notebook@hub weekdays 18:00")
    answer = await bot.push(asked, "Set them and let it run on")
    assert "*notebook* now runs" in words(answer)

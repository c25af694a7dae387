"""Acting as a username that an administrator approves: asked, approved, denied, and never by anybody else."""

from typing import Any

import pytest

from bot.domain.notices import NoticeKind
from bot.domain.people import TaskKind
from bot.store.transaction import from_json
from tests.handlers.rig import COLLEAGUE, activate, buttons, rig, submit, words
from tests.rigs.clock import FakeClock
from tests.rigs.golden import check_golden, check_limits
from tests.rigs.maker import Maker
from tests.rigs.providers import fake_settings
from tests.rigs.store import ALICE, unlink

ADMINISTRATORS = frozenset({"UCHEN", "T1:UDANA"})


@pytest.fixture
async def bench():
    maker = Maker(FakeClock(), fake_settings("bench", title="Workbench", linking=("admin",)))
    async with rig(connections={"bench": maker}, administrators=ADMINISTRATORS) as made:
        yield made


async def requests(made) -> dict[str, dict]:
    """Return the buttons of the request that each administrator got."""
    return {
        notice.principal.user_id: await made.drawn(notice)
        for notice in await made.notices(NoticeKind.APPROVAL_ASKED)
    }


def button(body: dict, label: str) -> dict:
    [found] = [
        element
        for block in body["blocks"]
        for element in block.get("elements", ())
        if element.get("type") == "button" and element["text"]["text"] == label
    ]
    return found


async def test_the_question_is_a_form_and_words_for_where_none_opens(bench):
    answer = await bench.say("link", trigger_id="t1")
    check_golden("views/ask_link", answer.view)
    assert answer.view["callback_id"] == "ask_link"
    assert "`/workspace link Workbench USERNAME`" in words(answer)
    assert buttons(answer)["Ask to link Workbench"]["value"] == "bench"


async def test_the_form_asks_the_same_and_tells_what_is_wrong_at_its_field(bench):
    view = (await bench.say("link bench", trigger_id="t1")).view

    async def send(username: str) -> dict[str, Any]:
        state = {"values": {"username": {"username": {"type": "plain_text_input", "value": username}}}}
        return await submit(bench.services, ALICE, {**view, "state": state})

    # What an administrator would not see whole, or not at all, is not asked for.
    for username in ("al ice", "alice-" * 14, "&" * 20, "al\u200bice", "\u202eecila"):
        assert "without spaces" in (await send(username))["errors"]["username"]
    right = await send(" alice ")
    check_limits(right["view"])
    assert "to *alice*" in right["view"]["blocks"][0]["text"]["text"]
    assert set(await requests(bench)) == {"UCHEN", "UDANA"}


async def test_an_approval_becomes_a_task_once(bench):
    await bench.say("link bench alice")
    body = (await requests(bench))["UCHEN"]
    value = button(body, "Approve")["value"]
    first = await bench.press("approve", value, COLLEAGUE)
    assert first.replaces
    assert "Approved. I'll check *alice* on Workbench" in words(first)
    second = await bench.press("approve", value, COLLEAGUE)
    assert "already been decided: approved, being checked" in words(second)
    assert "already been decided" in words(await bench.press("deny", value, COLLEAGUE))
    tasks = [task for task in await bench.store.claim_tasks(10, 60.0) if task.kind is TaskKind.APPROVE]
    assert len(tasks) == 1
    kept = [(row["actor"], row["action"]) for row in await bench.audit() if "approval" in row["action"]]
    assert kept == [(ALICE.key, "approval.asked"), (COLLEAGUE.key, "approval.approved")]


async def test_a_request_that_names_another_user_by_now_is_not_approved_unseen(bench):
    await bench.say("link bench alice")
    seen = button((await requests(bench))["UCHEN"], "Approve")["value"]
    await bench.say("link bench root")
    assert "asked for another username since" in words(await bench.press("approve", seen, COLLEAGUE))
    assert [task for task in await bench.store.claim_tasks(10, 60.0) if task.kind is TaskKind.APPROVE] == []
    (request,) = await bench.store.asked_approvals(9)
    assert request.username == "root"


async def test_whoever_keeps_asking_is_one_message_and_three_usernames_a_day(bench):
    """Of 71 requests within 65 s, each administrator gets one message, which is redrawn."""
    answers = []
    for number in range(71):
        answers.append(words(await bench.say(f"link bench name{number}")))
        bench.clock.advance(65 / 71)
    assert ["I've asked the Usher admins" in said for said in answers] == [True] * 3 + [False] * 68
    assert all("several usernames on Workbench today" in said for said in answers[3:])
    told = await bench.notices(NoticeKind.APPROVAL_ASKED)
    assert sorted(one.principal.user_id for one in told) == ["UCHEN", "UDANA"]
    (request,) = await bench.store.asked_approvals(9)
    assert request.username == "name2"
    # The same one isn't another one; and a day later there are three more.
    assert "I've asked" in words(await bench.say("link bench name2"))
    bench.clock.advance(86_400)
    assert "I've asked" in words(await bench.say("link bench name9"))


async def test_taking_a_request_back_begins_no_new_count(bench):
    for number in range(5):
        await bench.say(f"link bench name{number}")
        await unlink(bench.store, ALICE)
    assert len(await bench.notices(NoticeKind.APPROVAL_ASKED)) == 3 * 2


async def test_nobody_decides_about_themselves_while_somebody_else_can(bench):
    await bench.say("link bench root", principal=COLLEAGUE)
    told = await bench.notices(NoticeKind.APPROVAL_ASKED)
    assert [one.principal.user_id for one in told] == ["UDANA"]
    (request,) = await bench.store.asked_approvals(9)
    said = words(await bench.press("approve", f"{request.id} root", COLLEAGUE))
    assert said == "Nobody decides about themselves. Another Usher admin can do that."
    assert (await bench.store.approval(request.id)).state == "asked"
    assert (COLLEAGUE.key, "approve", "policy.own_request") in [
        (row["actor"], row["action"], from_json(row["detail"]).get("rule"))
        for row in await bench.store.audit_entries()
    ]


async def test_the_only_administrator_decides_about_themselves():
    maker = Maker(FakeClock(), fake_settings("bench", title="Workbench", linking=("admin",)))
    async with rig(connections={"bench": maker}, administrators=frozenset({"UCHEN"})) as made:
        await made.say("link bench chen", principal=COLLEAGUE)
        value = button((await requests(made))["UCHEN"], "Approve")["value"]
        assert "Approved" in words(await made.press("approve", value, COLLEAGUE))


@pytest.mark.parametrize("value", ["", "approval_nowhere alice", "x", "approval_1"])
async def test_a_button_of_no_request_says_so(bench, value):
    assert words(await bench.press("approve", value, COLLEAGUE))
    assert await bench.store.active_accounts() == []


async def test_without_administrators_it_is_said_whom_to_ask():
    maker = Maker(FakeClock(), fake_settings("bench", title="Workbench", linking=("admin",)))
    async with rig(connections={"bench": maker}) as made:
        assert "`USHER_ADMINS`" in words(await made.say("link bench alice"))
        assert await made.notices() == []


async def test_who_is_linked_already_may_ask_for_another(bench):
    await activate(bench.store, ALICE, "bench")
    answer = await bench.say("link bench", trigger_id="t1")
    assert "You're linked to *alice* on Workbench" in words(answer)

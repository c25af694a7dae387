"""Acting as a username that an administrator approves: requested, approved or denied, and never by others."""

import re
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from bot.domain.accounts import Approval
from bot.domain.notices import Notice, NoticeKind, NoticeState
from bot.domain.people import Named, Person, Principal
from bot.domain.tasks import TaskKind
from bot.messages.blocks import approvals as drawn
from bot.messages.blocks import kit
from bot.messages.blocks.notices import render
from bot.services import approvals as use_cases
from bot.services.caller import Caller
from bot.store import accounts, audit, notices
from bot.store import approvals as approval_rows
from bot.store import tasks as task_rows
from bot.store.tables import APPROVALS
from bot.store.transaction import from_json
from bot.support.errors import Refused
from tests.handlers.rig import COLLEAGUE, activate, buttons, rig, submit, words
from tests.rigs.approvals import list_open_approvals
from tests.rigs.clock import FakeClock
from tests.rigs.forms import Workbench
from tests.rigs.golden import check_golden, check_limits
from tests.rigs.maker import Maker
from tests.rigs.providers import fake_settings
from tests.rigs.store import ALICE, link_account, unlink

ADMINISTRATORS = frozenset({"UCHEN", "T1:UDANA"})


@pytest.fixture
async def bench():
    maker = Maker(FakeClock(), fake_settings("bench", title="Workbench", linking=("admin",)))
    async with rig(connections={"bench": maker}, administrators=ADMINISTRATORS) as made:
        yield made


async def requests(made) -> dict[str, dict]:
    """Return the message about the request that each administrator got."""
    return {
        notice.principal.user_id: await made.drawn(notice)
        for notice in await made.notices(NoticeKind.APPROVAL_REQUEST)
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

    # A name is refused if an administrator couldn't see all of it.
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
    tasks = [
        task
        for task in await bench.store.claim(task_rows.claim_tasks, 10, 60.0)
        if task.kind is TaskKind.APPROVE
    ]
    assert len(tasks) == 1
    kept = [(row["actor"], row["action"]) for row in await bench.audit() if "approval" in row["action"]]
    assert kept == [(ALICE.key, "approval.requested"), (COLLEAGUE.key, "approval.approved")]


async def test_a_request_that_names_another_user_by_now_is_not_approved_unseen(bench):
    await bench.say("link bench alice")
    seen = button((await requests(bench))["UCHEN"], "Approve")["value"]
    await bench.say("link bench root")
    assert "asked for another username since" in words(await bench.press("approve", seen, COLLEAGUE))
    assert [
        task
        for task in await bench.store.claim(task_rows.claim_tasks, 10, 60.0)
        if task.kind is TaskKind.APPROVE
    ] == []
    (request,) = await bench.store.engine.read(list_open_approvals)
    assert request.username == "root"


async def test_whoever_keeps_asking_is_one_message_and_three_usernames_a_day(bench):
    """For 71 requests within 65 s, each administrator gets one message, which is redrawn."""
    answers = []
    for number in range(71):
        answers.append(words(await bench.say(f"link bench name{number}")))
        bench.clock.advance(65 / 71)
    assert ["I've asked the Usher admins" in said for said in answers] == [True] * 3 + [False] * 68
    assert all("several usernames on Workbench today" in said for said in answers[3:])
    told = await bench.notices(NoticeKind.APPROVAL_REQUEST)
    assert sorted(one.principal.user_id for one in told) == ["UCHEN", "UDANA"]
    (request,) = await bench.store.engine.read(list_open_approvals)
    assert request.username == "name2"
    # Asking for the same name again isn't counted, and a day later three more are allowed.
    assert "I've asked" in words(await bench.say("link bench name2"))
    bench.clock.advance(86_400)
    assert "I've asked" in words(await bench.say("link bench name9"))


OTHER = Principal(None, "T1", "UOTHER")


async def of_one_name(made):
    """Save two members called Alice Smith. Only ``OTHER`` has the handle and email that fit *asmith*.

    Also save Bob, a deactivated Alice Smith, and an Alice Smith in another Slack workspace.
    """
    now = made.clock.now()
    people = [
        Person(ALICE, "Alice Smith", handle="mallory", seen_at=now),
        Person(OTHER, "Alice Smith", handle="asmith", email="alice.smith@example.org", seen_at=now),
        Person(Principal(None, "T1", "UBOB"), "Bob Miller", handle="bmiller", seen_at=now),
        Person(Principal(None, "T1", "UGONE"), "Alice Smith", is_deleted=True, seen_at=now),
        Person(Principal(None, "T2", "UOTHER"), "Alice Smith", seen_at=now),
    ]
    await made.store.save_people(people)


async def test_request_tells_two_members_of_one_name_apart(bench):
    await of_one_name(bench)
    await bench.say("link bench asmith")
    said = str(await requests(bench))
    assert "<@UALICE> (id `UALICE`, handle `mallory`, e-mail unknown, shown as *Alice Smith*)" in said
    other = (
        "<@UOTHER> (id `UOTHER`, handle `asmith`, e-mail `alice.smith@example.org`, shown as *Alice Smith*)"
    )
    assert f"This username may belong to somebody else: {other}." in said
    assert "I've asked <@UOTHER> whether the account is theirs." in said
    assert "have a day to answer" in said
    assert not {"UBOB", "UGONE"} & set(re.findall(r"U[A-Z]+", said))


async def test_no_name_disguises_what_nobody_can_choose(bench):
    now, hostile = bench.clock.now(), "asmith <!channel>` *boss*, id `UBOSS"
    people = [Person(ALICE, hostile, seen_at=now), Person(OTHER, hostile, handle="asmith", seen_at=now)]
    await bench.store.save_people(people)
    await bench.say("link bench asmith")
    body = (await requests(bench))["UCHEN"]
    assert "<!" not in str(body)
    said = str([block for block in body["blocks"] if block["type"] == "context"])
    assert "id `UBOSS" not in said
    assert "id `UALICE`" in said


async def test_where_nobody_is_called_like_it_the_request_claims_nothing_and_is_open(bench):
    """Handles can be chosen freely, so it proves nothing that nobody has a similar one."""
    await of_one_name(bench)
    await bench.say("link bench dora")
    body = (await requests(bench))["UCHEN"]
    assert "else" not in str(body)
    assert button(body, "Approve")


DAY = 86_400
OWNER = Principal(None, "T1", "UOWNER")


async def asked_whose(made):
    """Send the pending messages, and return the questions among them."""
    found = [
        one
        for one in await made.store.perform(notices.claim_notices, 100, 60.0)
        if one.principal.user_id != "UGONE"
    ]
    for number, one in enumerate(found):
        await made.store.write(
            notices.mark_notice_sent, one, f"D{one.principal.user_id}", f"{made.clock.now()}{number}"
        )
    return [one for one in found if one.kind is NoticeKind.ACCOUNT_QUESTION]


async def pass_time(made, seconds):
    """Let time pass, and carry out the work on waiting requests."""
    end = made.clock.now() + seconds
    while made.clock.now() < end:
        made.clock.advance(min(600, end - made.clock.now()))
        for task in await made.store.claim(task_rows.claim_tasks, 10, 60.0):
            if task.kind is TaskKind.ASK_ACCOUNT_OWNERS:
                work = partial(use_cases.ask_owners, context=made.services.context, approval_id=task.subject)
                await made.store.write(task_rows.finish_task, task, then=await made.store.carry_out(work))


async def shown(made):
    """Return the open request as an administrator sees it, and whether it can be approved."""
    (request,) = await made.store.engine.read(list_open_approvals)
    new = use_cases.build_notice(request, NoticeKind.APPROVAL_REQUEST, "shown", COLLEAGUE)
    kept = {name: getattr(new, name) for name in ("subject", "kind", "occasion", "principal", "body")}
    notice = Notice("shown", **kept, state=NoticeState.PENDING, attempts=0, created_at=0.0, due_at=0.0)
    said = str(drawn.render_request(await made.services.gatherer.describe_notice(notice)).blocks)
    assert ("'text': 'Approve'" in said) is not request.awaits_answers
    return said, not request.awaits_answers


async def approve(made):
    (request,) = await made.store.engine.read(list_open_approvals)
    return words(await made.press("approve", f"{request.id} {request.username}", COLLEAGUE))


@pytest.mark.parametrize("answer", [None, "It isn't"])
async def test_approval_opens_a_day_after_the_question_whatever_is_answered(bench, answer):
    """An accomplice with a similar name would answer at once."""
    await of_one_name(bench)
    await bench.say("link bench asmith")
    (caller,) = await asked_whose(bench)
    assert caller.principal == OTHER
    body = await bench.drawn(caller)
    assert body["text"] == "Someone asked to use asmith on Workbench. Is that your account?"
    if answer is not None:
        pressed = button(body, answer)
        # Nobody answers for them.
        assert "no longer open" in words(await bench.press(pressed["action_id"], pressed["value"], COLLEAGUE))
        given = await bench.press(pressed["action_id"], pressed["value"], OTHER)
        assert "I've told the Usher admins" in words(given)
        said, _ = await shown(bench)
        assert "I've asked <@UOTHER> whether the account is theirs. Their answer: “It isn't.”" in said
        facts = await bench.services.gatherer.describe_notice(caller)
        assert "You said that" in render(caller.kind, facts).text
        entries = [(row["actor"], row["action"]) for row in await bench.store.read(audit.read_audit)]
        assert (OTHER.key, "approval.owner_answered") in entries
    else:
        assert "I've asked <@UOTHER> whether the account is theirs." in (await shown(bench))[0]
    await pass_time(bench, DAY - 600)
    assert not (await shown(bench))[1]
    assert "have a day to answer" in await approve(bench)
    await pass_time(bench, 600)
    assert (await shown(bench))[1]
    # The request is posted again. The earlier message says so and has no buttons.
    again = await bench.store.perform(notices.claim_notices, 9, 60.0)
    assert {(one.kind, one.principal.user_id) for one in again} == {
        (NoticeKind.APPROVAL_REQUEST, "UCHEN"),
        (NoticeKind.APPROVAL_REQUEST, "UDANA"),
    }
    former = replace(await bench.services.gatherer.describe_notice(again[0]), is_superseded=True)
    assert "see my newest message" in render(NoticeKind.APPROVAL_REQUEST, former).text
    assert "Approved" in await approve(bench)


async def test_its_mine_closes_the_request(bench):
    await of_one_name(bench)
    await bench.say("link bench asmith")
    (asked,) = await asked_whose(bench)
    (request,) = await bench.store.engine.read(list_open_approvals)
    pressed = button(await bench.drawn(asked), "It's mine")
    answer = await bench.press(pressed["action_id"], pressed["value"], OTHER)
    assert "I've closed the request" in words(answer)
    assert (await bench.store.read(approval_rows.find_request, request.id)).state == "denied"
    notice = replace(asked, kind=NoticeKind.APPROVAL_REQUEST)
    facts = await bench.services.gatherer.describe_notice(notice)
    said = "<@UOTHER> says that *asmith* on Workbench is theirs, so I've closed the request of <@UALICE>."
    assert said in str(drawn.render_request(facts).blocks)
    # The person who asked learns that the request is closed, but not who closed it.
    (told,) = await bench.notices(NoticeKind.APPROVAL_ENDED)
    assert told.principal == ALICE
    assert "UOTHER" not in str(await bench.drawn(told))
    value = f"{request.id} asmith"
    assert "already been decided: denied" in words(await bench.press("approve", value, COLLEAGUE))
    # After a new request, the owner is asked again and the request waits again.
    await bench.say("link bench asmith")
    assert [one.principal for one in await asked_whose(bench)] == [OTHER]
    assert not (await shown(bench))[1]


async def test_other_usernames_spend_no_question_and_the_fourth_a_day_waits(bench):
    """Questions used up by other usernames don't let the owner's account be approved without asking her."""
    await of_one_name(bench)
    mallory, carol, trent = (Principal(None, "T1", name) for name in ("UMALLORY", "UCAROL", "UTRENT"))
    for one, username in ((mallory, "asmith"), (carol, "alice.smith"), (trent, "alices")):
        await bench.say(f"link bench {username}", principal=one)
        assert {found.principal for found in await asked_whose(bench)} == {ALICE, OTHER}
        await pass_time(bench, 1800)
    await bench.say("link bench smith.alice")
    assert await asked_whose(bench) == []
    (request,) = [one for one in await bench.store.engine.read(list_open_approvals) if one.principal == ALICE]
    assert (request.awaits_answers, request.answers) == (True, {})
    # A day after the first question there is room for one more, and its own day begins.
    await pass_time(bench, DAY - 3 * 1800 - 600)
    assert await asked_whose(bench) == []
    await pass_time(bench, 1200)
    (caller,) = await asked_whose(bench)
    assert (caller.principal, caller.body["username"]) == (OTHER, "smith.alice")
    await pass_time(bench, DAY - 1200)
    assert (await bench.store.read(approval_rows.find_request, request.id)).awaits_answers
    await pass_time(bench, 1200)
    assert not (await bench.store.read(approval_rows.find_request, request.id)).awaits_answers


async def test_the_day_begins_once_the_question_was_sent(bench):
    """While the service was down the question was still in the outbox, so nobody had a day to answer it."""
    await of_one_name(bench)
    await bench.say("link bench asmith")
    await pass_time(bench, 3 * DAY)
    assert "have a day to answer" in await approve(bench)
    assert len(await asked_whose(bench)) == 1
    await pass_time(bench, DAY - 600)
    assert "have a day to answer" in await approve(bench)
    await pass_time(bench, 1800)
    assert "Approved" in await approve(bench)


async def test_similar_users_include_whoever_linked_before_the_workspace_joined_an_organisation(bench):
    """A person who linked before that keeps the former key, and is found only under that key."""
    earlier, newer = Principal("E1", "T1", "USMITH"), Principal(None, "T1", "USMITH")
    foreign = Principal("E1", "T2", "USMITH")
    for one in (earlier, newer, foreign):
        person = Person(one, "Al Smith", email="asmith@example.org", seen_at=bench.clock.now())
        await bench.store.save_people([person])
    await link_account(bench.store, earlier, "other", username="smith")
    context = bench.services.context
    place = replace(context.installation, other_enterprises={"USMITH": "E1"})
    caller = Caller(replace(context, installation=place), ALICE)
    assert await caller.read(use_cases.find_similar_users, "bench", "asmith") == [earlier.key]


async def test_in_the_moment_in_which_the_day_ends_nobody_is_left_unasked(bench):
    """Similar users are looked up outside the transaction, so the count may have changed since."""
    await of_one_name(bench)
    for number in range(3):
        await bench.say(f"link bench name{number}")
    caller = Caller(bench.services.context, ALICE, "once")
    alike = await caller.read(use_cases.find_similar_users, "bench", "asmith")
    bench.clock.advance(DAY)
    with pytest.raises(Refused, match=r"approval\.often"):
        await caller.run(use_cases.ask, "bench", "asmith", alike=alike)


async def test_another_username_has_a_day_of_its_own(bench):
    """After a return to the first username, its owner, who had no buttons meanwhile, is asked again."""
    await of_one_name(bench)
    await bench.say("link bench asmith")
    (first,) = await asked_whose(bench)
    await bench.say("link bench dora")
    assert (await shown(bench))[1]
    answered = await bench.press("mine", f"{first.subject} asmith", OTHER)
    assert "no longer open" in words(answered)
    await pass_time(bench, DAY - 60)
    await bench.say("link bench asmith")
    assert len(await asked_whose(bench)) == 1
    await pass_time(bench, DAY - 600)
    assert not (await shown(bench))[1]
    await pass_time(bench, 1200)
    assert (await shown(bench))[1]


async def test_chosen_names_and_handles_dont_push_aside_whose_address_it_is(bench):
    """Five accomplices have that name. The real owner is still among the three people who are asked."""
    now = bench.clock.now()
    people = [
        Person(Principal(None, "T1", f"UZ{n}"), "asmith", handle="asmith", seen_at=now) for n in range(5)
    ]
    owner = Person(OWNER, "Alexandra S.", handle="ally", email="asmith@example.org", seen_at=now)
    await bench.store.save_people([*people, owner])
    await bench.say("link bench asmith")
    asked = [one.principal for one in await asked_whose(bench)]
    assert len(asked) == 3
    assert OWNER in asked
    # All people with that name are shown, and any of those asked can close the request.
    said, _ = await shown(bench)
    assert all(f"UZ{n}" in said for n in range(5))
    (request,) = await bench.store.engine.read(list_open_approvals)
    await bench.press("mine", f"{request.id} asmith", OWNER)
    assert (await bench.store.read(approval_rows.find_request, request.id)).state == "denied"


async def test_departed_owner_does_not_block_approval(bench):
    now = bench.clock.now()
    await bench.store.save_people([Person(COLLEAGUE, "Chen", handle="chen", seen_at=now)])
    await bench.say("link bench chen")
    claimed = await bench.store.perform(notices.claim_notices, 9, 60.0)
    (caller,) = [one for one in claimed if one.kind is NoticeKind.ACCOUNT_QUESTION]
    assert caller.principal == COLLEAGUE
    assert "have a day to answer" in await approve(bench)
    await bench.store.write(notices.give_up_notice, caller.id, "user_disabled")
    await pass_time(bench, DAY + 1200)
    assert (await shown(bench))[1]


async def test_the_dialog_shows_what_nobody_can_choose(bench):
    now = bench.clock.now()
    hostile = "Alice Smith, e-mail alice.smith@example.org"
    await bench.store.save_people([Person(ALICE, hostile, email="mallory@example.org", seen_at=now)])
    await bench.say("link bench dora")
    confirm = button((await requests(bench))["UCHEN"], "Approve")["confirm"]["text"]["text"]
    assert confirm.startswith("Slack id UALICE, e-mail mallory@example.org, shown as “Alice Smith,")


async def test_who_has_the_account_linked_is_named_first(bench):
    await of_one_name(bench)
    await link_account(bench.store, Principal(None, "T1", "UBOB"), "bench", username="asmith")
    await bench.say("link bench asmith")
    assert "somebody else: <@UBOB> (id `UBOB`, handle `bmiller`" in str(await requests(bench))


async def test_taking_a_request_back_begins_no_new_count(bench):
    for number in range(5):
        await bench.say(f"link bench name{number}")
        await unlink(bench.store, ALICE)
    assert len(await bench.notices(NoticeKind.APPROVAL_REQUEST)) == 3 * 2


async def test_nobody_decides_about_themselves_while_somebody_else_can(bench):
    await bench.say("link bench root", principal=COLLEAGUE)
    told = await bench.notices(NoticeKind.APPROVAL_REQUEST)
    assert [one.principal.user_id for one in told] == ["UDANA"]
    (request,) = await bench.store.engine.read(list_open_approvals)
    said = words(await bench.press("approve", f"{request.id} root", COLLEAGUE))
    assert said == "You can't decide on your own request. Another Usher admin can."
    assert (await bench.store.read(approval_rows.find_request, request.id)).state == "requested"
    assert (COLLEAGUE.key, "approve", "policy.own_request") in [
        (row["actor"], row["action"], from_json(row["detail"]).get("rule"))
        for row in await bench.store.read(audit.read_audit)
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
    assert await bench.store.perform(accounts.list_active_accounts) == []


async def test_without_administrators_it_is_said_whom_to_ask():
    maker = Maker(FakeClock(), fake_settings("bench", title="Workbench", linking=("admin",)))
    async with rig(connections={"bench": maker}) as made:
        assert "Ask the person who installed me to name one." in words(await made.say("link bench alice"))
        assert await made.notices() == []


async def test_who_is_linked_already_may_ask_for_another(bench):
    await activate(bench.store, ALICE, "bench")
    answer = await bench.say("link bench", trigger_id="t1")
    assert "You're linked to *alice* on Workbench" in words(answer)


async def test_open_requests_are_listed_and_decided_one_by_one(bench):
    await bench.say("link bench alice.k")
    await bench.say("link bench dana.k", Principal(None, "T1", "UDANA"))
    listed = await bench.say("approvals", COLLEAGUE)
    assert "2 requests" in words(listed)
    assert "alice.k" in words(listed)
    body = {"blocks": [*listed.blocks]}
    [approve] = [
        one
        for block in body["blocks"]
        for one in block.get("elements", ())
        if one.get("value", "").endswith("alice.k") and one["action_id"].startswith("approve")
    ]
    left = await bench.press(approve["action_id"], approve["value"], COLLEAGUE)
    assert left.replaces
    assert "Approved. I'll check" in words(left)
    assert "dana.k" in words(left)
    assert [one.state for one in await list_all(bench)] == ["approved", "requested"]
    # Another press only reports the current state.
    again = await bench.press(approve["action_id"], approve["value"], COLLEAGUE)
    assert "already" in words(again)


async def list_all(made):
    return await made.store.engine.read(
        lambda tx: APPROVALS.query(tx, "SELECT * FROM approvals ORDER BY username")
    )


async def test_nobody_decides_about_themselves_in_the_list(bench):
    await bench.say("link bench chen.k", COLLEAGUE)
    assert "Nobody is waiting" in words(await bench.say("approvals", COLLEAGUE))
    assert "chen.k" in words(await bench.say("approvals", Principal(None, "T1", "UDANA")))


async def test_list_of_open_requests_is_for_administrators(bench):
    await bench.say("link bench bob.k", Principal(None, "T1", "UBOB"))
    answer = await bench.say("approvals")
    assert "bob.k" not in words(answer)
    assert buttons(answer) == {}


async def test_more_requests_than_fit_are_counted(bench):
    for number in range(drawn.MAX_LISTED + 3):
        await bench.say(f"link bench user{number}", Principal(None, "T1", f"UX{number}"))
    answer = await bench.say("approvals", COLLEAGUE)
    assert "15 requests" in words(answer)
    assert "3 more are waiting" in words(answer)
    assert len(answer.blocks) <= 50


def test_no_request_in_a_list_is_shortened():
    people = {
        f"-:T1:U{number}": Named(f"U{number}", "n" * 60, known=Person(principal, "n" * 60, email="e" * 60))
        for number in range(20)
        if (principal := Principal(None, "T1", f"U{number}"))
    }
    alike = [f"-:T1:U{number}" for number in range(10, 20)]
    many = [
        Approval(
            f"a{number}", Principal(None, "T1", f"U{number}"), "bench", f"{number}" * 60, "requested", 1.0
        )
        for number in range(10)
    ]
    many = [replace(one, similar_users=alike) for one in many]
    answer = drawn.render_open_requests(many, {"bench": "Workbench"}, people)
    check_limits(answer)
    whole = [
        block for one in many for block in drawn.render_decision(one, "Workbench", people, mark=drawn.LISTED)
    ]
    shown = list(answer.blocks[1:-1])
    assert shown == [*kit.answer(whole[: len(shown)]).blocks]
    assert 3 <= len(shown) < 30
    assert "more are waiting" in str(answer.blocks[-1])


async def test_command_too_long_for_a_button_is_left_out_of_it():
    posit = Workbench(FakeClock(), fake_settings("posit", title="Posit Workbench", linking=("admin",)))
    async with rig(connections={"posit": posit}) as made:
        for count, is_carried in ((100, True), (3000, False)):
            answer = await made.say(f"job run posit -- Rscript {'x' * count}")
            value = buttons(answer)["Ask to link Posit Workbench"]["value"]
            assert value.startswith("posit")
            assert ("Rscript" in value) is is_carried


@pytest.mark.parametrize("text", ["unlink", "unlink all", "unlink bench", "unlink Workbench"])
async def test_request_is_withdrawn_by_unlinking(bench, text):
    await bench.say("link bench alice")
    seen = button((await requests(bench))["UCHEN"], "Approve")["value"]
    assert words(await bench.say(text)) == "I've withdrawn your request to link an account on Workbench."
    assert "withdrawn or replaced" in words(await bench.press("approve", seen, COLLEAGUE))
    assert [one["action"] for one in await bench.audit()][-1] == "approval.withdrawn"
    assert "You haven't linked an account" in words(await bench.say(text))

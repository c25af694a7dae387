"""Things that people lose in an upgrade: they are told once, and nothing is done that they hadn't agreed to.

These tests write the rows of 0.4.1 that this release doesn't keep: rules of courses' members, moved lessons,
hours that wait for room, and messages of kinds that no longer exist.
"""

import json

import pytest

from bot.support.release import is_newer
from tests.rigs import earlier
from tests.rigs.scenario.people import GENERAL
from tests.scenarios.test_upgrade import calls
from tests.scenarios.test_upgrade import world as world  # noqa: PLC0414 - a fixture

#: Courses with one member on Friday the 15th and Saturday the 16th, and the data that 0.4.1 stored about the
#: member.
COURSES = {
    # A course as agreed, one whose lesson began before the upgrade, and one whose next lesson is skipped.
    "Kept": ("fri,sat 9:00-9:40", {}),
    "Begun": ("fri,sat 7:50-8:20", {}),
    "Next": ("fri,sat 10:00-10:40", {"off": "2027-01-15"}),
    # Courses for which the member agreed to less (fewer days, a shorter lesson, or an earlier end), and one
    # whose later lesson is skipped.
    "Days": ("fri,sat 11:00-11:40", {"days": "fri"}),
    "Short": ("fri,sat 12:00-12:40", {"stops": 12 * 60 + 20}),
    "Until": ("fri,sat 13:00-13:40", {"last_day": "2027-01-15"}),
    "Later": ("fri,sat 14:00-14:40", {"off": "2027-01-16"}),
    # A day that the teacher cancelled isn't skipped by the member. If a course has fewer days than agreed to,
    # nothing is lost.
    "Off": ("fri,sat 15:00-15:40", {"off": "2027-01-16", "course_off": "2027-01-16"}),
    "Fewer": ("fri 16:00-16:40", {"agreed_days": "fri sat"}),
    # The teacher has just ended the course, and the members' rules haven't been updated yet.
    "Ended": ("fri,sat 17:00-17:40", {}),
}
LEFT = ("Days", "Short", "Until", "Later")
MOVED = {"2027-01-16": [540, 580], "2027-01-17": [600, 640]}
OF_BOB = """\
I don't keep a default workspace any more, so type its name: `start notebook`.
I don't keep defaults for new workspaces any more: choose each time. Yours was course on Saturn Cloud.
The lessons of *Kept* have changed. They're Fridays and Saturdays, \
<!date^1705280400^{time}|09:00>\u2013<!date^1705282800^{time}|09:40> (London), \
until 30 Jan.
You can't change the course *Kept* any more.
Your time zone in Slack has changed, and your workspaces' hours stay in Europe/Berlin time. \
To change that, set them again."""
OF_ALICE = """\
The hours of *lab* on Saturn Cloud still start it, but don't wait for room any more. \
If a start fails because there's none, press *Keep trying* in the message about it.
I don't pass on requests for a higher limit any more, so yours on Saturn Cloud for *report* has no answer. \
Ask whoever manages your account on Saturn Cloud.
You asked for a higher limit on Saturn Cloud, and that was declined: \u201cnot this term\u201d
I can't move individual lessons of *Kept* any more. The one on Sat 16 Jan begins at 09:00 again, as usual. \
There's none on Sun 17 Jan, nor on the usual day that you moved it from: \
to hold every lesson that is left out, type `card Kept resume`.
Nobody who teaches the course *Kept* uses me any more. It continues until 30 Jan, unless you end it: \
`card Kept end`.
Nobody used *lab* on Saturn Cloud when its hours last started it. To end them: `hours lab off`.
I don't set schedules of jobs any more. The page of *nightly* on Saturn Cloud shows whether your last change \
was made, and you can set one there."""


def to_0_4_1(rows):
    """Return current rows as 0.4.1 stored them, with the additional rows that it kept."""
    changed = {name: [dict(row) for row in found] for name, found in rows.items()}
    cards = {row["title"]: row for row in changed["class_cards"] if row["days"]}
    titles = {row["id"]: row["title"] for row in cards.values()}
    bob = next(row for row in changed["participants"] if row["card_id"] in titles)["principal"]
    alice = cards["Kept"]["principal"]
    cards["Kept"]["moved"] = json.dumps(MOVED)
    cards["Off"]["off"] = "2027-01-16"
    cards["Ended"] |= {"last_day": "2027-01-14", "closed_at": 1.8e9, "stops_at": 1.8e9, "stopped_by": alice}
    for member in changed["participants"]:
        if member["card_id"] in titles:
            _add_rule(changed, cards[titles[member["card_id"]]], member)
    for row in changed["rules"]:
        row["uses_waitlist"] = int("card" not in row)
    (report,) = [row for row in changed["operations"] if row["verb"] == "stop" and row["principal"] == alice]
    lab = next(row for row in changed["workspaces"] if row["name"] == "lab")
    notebook = next(
        row for row in changed["workspaces"] if (row["name"], row["principal"]) == ("notebook", bob)
    )
    account = next(row["id"] for row in changed["accounts"] if row["principal"] == alice)
    changed["preferences"] = [
        {"principal": bob, "ready": 1, "stopped": 0, "run_ended": 1, "workspace_id": notebook["id"]}
        | {"connection": "saturn", "template": "course", "assistant": "show"}
    ]
    job = {"principal": alice, "name": "nightly", "connection": "saturn"}
    changed["tasks"].append(
        {"id": "schedule", "kind": "schedule", "subject": f"{account}/j1/1", "payload": json.dumps(job)}
        | {"created_at": 1.0, "due_at": 1e12, "attempts": 0, "is_leased": 0, "claims": 0}
    )
    kept = cards["Kept"]["id"]
    changed["notices"] += [
        _notice("course_changed", kept, bob),
        _notice("course_teacher", kept, bob, is_teacher=False),
        _notice("course_without_teacher", kept, alice),
        _notice("hours_moved", bob, bob, zone="UTC", former="Europe/Berlin"),
        _notice("hours_unused", lab["id"], alice, workspace=lab["id"], connection="saturn"),
        _notice("scheduled", "task_1", alice, name="nightly", connection="saturn"),
        _notice("limit_answer", "another", alice, workspace=lab["id"], word="not this term"),
        _notice("limit_request", report["id"], "-:T1:UADMIN", state="sent"),
    ]
    return changed


def _add_rule(changed, card, member):
    """Add the rule that 0.4.1 stored for a member of a course, and the operation that it had begun."""
    rule = {name: card[name] for name in ("days", "starts", "stops", "first_day", "last_day", "off")}
    rule |= {"id": f"rule of {card['title']}", "principal": member["principal"], "card": card["id"]}
    rule |= {"connection": "saturn", "workspace_id": member["workspace_id"], "course": card["title"]}
    rule |= {
        "zone": "UTC",
        "paused": "",
        "processed_until": 1.0,
        "course_off": "",
        "agreed_days": "",
        "agreed_minutes": 0,
    }
    changed["rules"].append(rule | {"agreed_until": ""} | COURSES[card["title"]][1])
    if member["lesson"]:
        begun = {"rule_id": rule["id"], "local": member["lesson"], "side": "start", "result": "started"}
        changed["occurrences"].append(begun | {"at": 1.0})


def _notice(kind, subject, principal, *, state="pending", **body):
    return {"id": f"notice of {kind}", "subject": subject, "kind": kind, "occasion": "1", "state": state} | {
        "principal": principal,
        "body": json.dumps(body),
        "urgency": 1,
        "attempts": 0,
        "created_at": 1.0,
        "due_at": 1e12,
    }


async def begin(world):
    """Post the courses and a class, let Bob join them, and begin to end the class."""
    alice, bob = world.alice, world.bob
    await alice.types("hours lab every day 20:00-21:00")
    await alice.types("stop report")
    await world.pass_time(30)
    for title, (hours, _) in COURSES.items():
        await alice.types(f"card notebook --title {title} --hours {hours} --until 30 January")
    await alice.types("card gpu --title Quick")
    await world.pass_time(30)
    for card in [one for one in bob.sees(GENERAL) if one.kind == "class_card"]:
        await bob.presses(card, "Get my workspace" if "*Quick*" in card.text else "Join")
    await world.pass_time(60)
    await alice.presses(await alice.types("card Quick end"), "Stop all")


@pytest.mark.parametrize("release", [one for one in earlier.LAST_MIGRATIONS if is_newer("0.5.0", one)])
async def test_each_person_hears_once_what_an_upgrade_takes(world, release):
    alice, bob = world.alice, world.bob
    await begin(world)
    started = calls(world, "notebook", "start", "bob")
    await world.stop_bot()
    await world.become(release, to_0_4_1)
    await world.start_bot()
    await world.pass_time(600, step=20)
    for who, losses in ((alice, OF_ALICE), (bob, OF_BOB)):
        head, *said = who.only("upgrade_losses").text.splitlines()
        assert head == "I've been updated, and this has changed for you:"
        assert sorted(said) == sorted(f"\u2022 {one}" for one in losses.splitlines())
    left = bob.told("course_left")
    assert len(left) == len(LEFT)
    for title in LEFT:
        (told,) = [one for one in left if f"*{title}*" in one.text]
        assert ("You skipped *Later* on Sat 16 Jan" in told.text) is (title == "Later")
        assert "Join" in told.labels
    # Unfinished work is done: the class ends, and so does the lesson that had begun.
    assert calls(world, "gpu", "stop", "bob") == 1
    await world.pass_time(1200, step=20)
    assert calls(world, "notebook", "stop", "bob") == 1
    # Until the evening, only lessons of the courses that were kept begin, without the skipped one.
    await world.pass_time(8.6 * 3600, step=120)
    assert calls(world, "notebook", "start", "bob") == started + len(("Kept", "Off", "Fewer"))
    (ended,) = [one for one in bob.sees(GENERAL) if one.kind == "class_card" and "*Ended*" in one.text]
    assert "The course has ended." in ended.text
    assert {who: len(who.told("upgrade_losses")) for who in (alice, bob)} == {alice: 1, bob: 1}
    # A person who joins again takes part from then on.
    await bob.presses(next(one for one in left if "*Days*" in one.text), "Join")
    await world.pass_time(18.7 * 3600, step=300)
    assert calls(world, "notebook", "start", "bob") == started + 3 + len(("Begun", "Kept", "Next", "Days"))
    assert await world.count("former_members") == await world.count("upgrade_losses") == 0

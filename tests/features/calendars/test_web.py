"""The private calendar of somebody's lessons: what it says by RFC 5545, who may read it, and what ends it."""

import logging
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.people import Person, Principal
from bot.features.calendars import use_cases
from bot.features.courses import changes
from bot.features.courses import use_cases as courses_use_cases
from bot.features.courses.model import ClassCard
from bot.features.courses.tables import CLASS_CARDS
from bot.services import departures
from bot.services.linking import compute_digest
from bot.store import workspaces
from tests.rigs.store import linked, unlink
from tests.rigs.use_cases import members_follow, tables
from tests.web import signed
from tests.web.rig import ALICE, BOB, rig

BERLIN = ZoneInfo("Europe/Berlin")
TEACHER = Principal(None, signed.TEAM, "U0TEACHER")
TITLE = "Statistics; from A, to \\Z\\ — 統計学入門と実践的データ解析のための基礎 (winter term)"
CARD = ClassCard(
    TEACHER,
    "C1",
    "saturn",
    TITLE,
    id="class_1",
    pattern="notebook",
    days=frozenset({"tue", "thu"}),
    starts=480,
    stops=570,
    first_day="2028-03-01",
    last_day="2028-04-14",
    time_zone="Europe/Berlin",
    stops_at=datetime(2028, 4, 13, 9, 30, tzinfo=BERLIN).timestamp(),
)


@pytest.fixture
async def made():
    async with rig() as one:
        one.clock.advance(datetime(2028, 3, 18, 12, tzinfo=BERLIN).timestamp() - one.clock.now())
        people = {TEACHER: "Professor Tara Teacher", BOB: "Bob Byrne"}
        await one.store.save_people(
            [Person(who, name, seen_at=one.clock.now()) for who, name in people.items()]
        )
        await one.store.carry_out(lambda tx: CLASS_CARDS.add(tx, CARD, next_check_at=1e12))
        for who in (ALICE, BOB):
            await linked(one.store, who, names=["notebook"])
            pressed = await one.services.create_caller(who, f"join {who.user_id}").run(
                courses_use_cases.enroll, CARD.id
            )
            assert pressed.result == "enrolled"
        yield one


async def address(made, who=ALICE, **more):
    """Return the path of a new address."""
    caller = made.services.create_caller(who, f"calendar {made.context.ids.new('press')}")
    _, url = await caller.run(use_cases.create_address, CARD.id, **more)
    assert re.fullmatch(re.escape(made.origin) + r"/calendar/[\w-]{43}\.ics", url)
    return url.removeprefix(made.origin)


async def changed(made, **to):
    """Change the course's row, which its members' rules follow by and by."""
    await made.store.carry_out(lambda tx: CLASS_CARDS.change(tx, {"id": CARD.id}, **to))


# -- what is at the address, read by the rules of RFC 5545 ---------------------------------------------------

_LINE = re.compile(
    r'([A-Z0-9-]+)((?:;[A-Z0-9-]+=(?:"[^"\x00-\x1f]*"|[^";:,\x00-\x1f]*))*):([^\x00-\x08\x0a-\x1f\x7f]*)'
)
_TEXTS = {"SUMMARY", "DESCRIPTION", "X-WR-CALNAME", "X-WR-CALDESC"}
#: How often a property may and must be there (sections 3.6 and 3.6.1; RFC 7986, section 5.7).
_ONCE = {
    "VCALENDAR": {"PRODID", "VERSION", "CALSCALE"},
    "VEVENT": {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION"},
}


def unescaped(text):
    """Section 3.3.11: a backslash stands before itself, semicolons, commas and n, and nothing else."""
    assert re.fullmatch(r"(?:[^\\;,]|\\[\\;,nN])*", text), text
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "N": "\n"}.get(found[1], found[1]), text)


def parsed(body):
    """Return the calendar's properties and those of each event."""
    assert body.endswith(b"\r\n")
    lines = body[:-2].split(b"\r\n")
    assert all(0 < len(line) <= 75 and not set(line) & {10, 13} for line in lines)
    # A fold is within no letter: each line can be read alone.
    unfolded = re.sub(r"\r\n[ \t]", "", "\r\n".join(line.decode() for line in lines)).split("\r\n")
    stack, calendar, events = [], {}, []
    for line in unfolded:
        name, _, value = _LINE.fullmatch(line).groups()
        if name == "BEGIN":
            assert stack == ([] if value == "VCALENDAR" else ["VCALENDAR"])
            stack.append(value)
            events += [{}] if value == "VEVENT" else []
        elif name == "END":
            assert stack.pop() == value
        else:
            properties = calendar if stack == ["VCALENDAR"] else events[-1]
            assert name not in properties
            properties[name] = unescaped(value) if name in _TEXTS else value
    assert stack == []
    assert calendar.keys() >= _ONCE["VCALENDAR"]
    assert "METHOD" not in calendar
    assert all(one.keys() == _ONCE["VEVENT"] for one in events)
    assert len({one["UID"] for one in events}) == len(events) > 0
    return calendar, events


def instants(event):
    return tuple(
        datetime.strptime(event[name], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) for name in ("DTSTART", "DTEND")
    )


def by_day(events):
    """Return the times of each lesson in its own zone, by day."""
    local = [[at.astimezone(BERLIN) for at in instants(one)] for one in events]
    return {f"{begin:%m-%d}": f"{begin:%H:%M}-{end:%H:%M}" for begin, end in local}


async def read(made, path):
    browser = await made.browser()
    await browser.get(path)
    return browser, parsed(browser.text.encode())


async def test_it_has_the_lessons_as_they_are_now_and_names_nobody(made):
    path = await address(made)
    browser, (calendar, events) = await read(made, path)
    assert (browser.status, browser.headers["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    assert browser.headers["Cache-Control"] == "no-store"
    assert browser.headers["X-Content-Type-Options"] == "nosniff"
    assert (calendar["VERSION"], calendar["X-WR-CALNAME"]) == ("2.0", TITLE)
    assert (calendar["REFRESH-INTERVAL"], calendar["X-PUBLISHED-TTL"]) == ("PT1H", "PT1H")
    assert {one["SUMMARY"] for one in events} == {TITLE}
    assert "Saturn Cloud" in calendar["X-WR-CALDESC"]
    assert "Calendars refresh every few hours" in calendar["X-WR-CALDESC"]
    assert all(one["DESCRIPTION"] == calendar["X-WR-CALDESC"] for one in events)
    first = by_day(events)
    assert next(iter(first.items())) == ("03-02", "08:00-09:30")
    assert (len(first), set(first.values())) == (13, {"08:00-09:30"})
    # The clocks change in the night to 26 March: the lesson stays at eight, and its instant moves.
    starts = {one["DTSTART"] for one in events}
    assert {"20280321T070000Z", "20280323T070000Z", "20280328T060000Z", "20280330T060000Z"} <= starts

    await changed(made, off=frozenset({"2028-03-28", "2028-03-30"}), moved={"2028-03-31": [600, 690]})
    await made.services.create_caller(ALICE, "skip").run(changes.skip, CARD.id, "2028-04-04")
    _, (_, now) = await read(made, path)
    gone = {"03-28", "03-30", "04-04"}
    assert by_day(now) == {day: at for day, at in first.items() if day not in gone} | {"03-31": "10:00-11:30"}
    uids = {one["DTSTART"]: one["UID"] for one in events}
    assert all(one["UID"] == uids.get(one["DTSTART"], one["UID"]) for one in now)
    # What others left out, who they are, and where anybody's workspace is.
    (workspace,) = await made.store.perform(workspaces.read_workspaces, ALICE)
    secrets = ["Tara", "Byrne", "Liddell", TEACHER.user_id, BOB.user_id, ALICE.user_id, workspace.id]
    text = re.sub(r"\r\n ", "", browser.text)
    assert not [one for one in [*secrets, workspace.remote_id, "notebook", "http", "@U"] if one in text]
    _, (_, bobs) = await read(made, await address(made, BOB))
    assert "04-04" in by_day(bobs)


async def test_it_is_asked_for_with_get_and_head_alone(made):
    path, browser = await address(made), await made.browser()
    await browser.get(path)
    length = browser.headers["Content-Length"]
    assert await browser.get(path, method="HEAD") == ""
    assert (browser.status, browser.headers["Content-Length"]) == (200, length)
    for method in ("POST", "PUT", "DELETE", "PROPFIND"):
        await browser.get(path, method=method)
        assert browser.status == 405


async def test_it_is_kept_as_a_digest_alone_and_in_no_log(made, caplog):
    caplog.set_level(logging.DEBUG)
    path, browser = await address(made), await made.browser()
    nonce = path.removeprefix("/calendar/").removesuffix(".ics")
    for method in ("GET", "HEAD", "POST"):
        await browser.get(path, method=method)
    await browser.get(path + "/more")
    made.store.engine.read = None
    await browser.get(path)
    assert browser.status == 500
    del made.store.engine.read
    metrics = await browser.get("/metrics")
    rows = str(await tables(made.store))
    assert compute_digest(nonce) in rows
    assert not [one for one in (rows, caplog.text, metrics) if nonce in one]
    assert "GET /calendar/… 200" in caplog.text


async def leaves(made):
    await made.services.create_caller(ALICE, "leave").run(changes.leave, CARD.id)


async def unlinks(made):
    await unlink(made.store, ALICE, "saturn")


async def is_deactivated(made):
    left = Person(ALICE, "Alice", is_deleted=True, seen_at=made.clock.now())
    await made.store.save_people([left])


async def has_left(made):
    left = Person(ALICE, "Alice", is_deleted=True, seen_at=made.clock.now())
    await made.store.carry_out(
        lambda tx: departures.end_departed(
            tx, made.services.create_caller(ALICE, "left"), left, actor="usher"
        )
    )


async def ends_it(made):
    await made.services.create_caller(ALICE, "end").run(use_cases.end_address, CARD.id)


async def takes_another(made):
    await address(made, renews=True)


async def sees_the_course_end(made):
    await changed(made, done_at=made.clock.now(), fan_out_at=made.clock.now())
    await members_follow(made.context)


@pytest.mark.parametrize(
    "ends", [leaves, unlinks, is_deactivated, has_left, ends_it, takes_another, sees_the_course_end]
)
async def test_it_ends_and_then_it_is_like_any_that_never_was(made, ends):
    path, browser = await address(made), await made.browser()
    never = await browser.get("/calendar/" + "A" * 43 + ".ics")
    assert browser.status == 404
    await browser.get(path)
    assert browser.status == 200
    await ends(made)
    assert await browser.get(path) == never
    assert browser.status == 404
    if ends is leaves:
        # Joining once more brings nothing back.
        await made.services.create_caller(ALICE, "join again").run(courses_use_cases.enroll, CARD.id)
        assert await browser.get(path) == never


@pytest.mark.parametrize(
    "nonce", ["", "A" * 42, "A" * 44, "%00" * 43, "../link/" + "A" * 43, "%F0%9F" + "A" * 43]
)
async def test_what_is_no_address_is_not_found(made, nonce):
    browser = await made.browser()
    await browser.get(f"/calendar/{nonce}.ics")
    assert browser.status == 404

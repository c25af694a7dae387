"""A course in a real browser, with a teacher and two students, from its card to its second lesson."""

import asyncio
import json

import pytest

from bot.domain.workspaces import State
from bot.store import workspaces
from tests.playground.browser import Browser
from tests.rigs.scenario import world
from tests.rigs.scenario.people import GENERAL
from tests.scenarios.chromium_day import SECONDS, picture, send

TEACHER, ADA, BEN = "U0TARA", "U0ADA", "U0BEN"
COMMAND = "/workspace card notebook --title Statistics --hours daily 10:00-11:00"
#: Seconds in an hour. The world's clock begins at nine o'clock in Berlin.
HOUR = 3600.0


def _slack_seed():
    names = {TEACHER: "tara", ADA: "ada", BEN: "ben"}
    people = [
        {"id": key, "name": name, "real_name": name.title(), "tz": "Europe/Berlin"}
        for key, name in names.items()
    ]
    return {"people": people, "channels": [{"id": GENERAL, "name": "general", "members": [*names, "@bot"]}]}


def _saturn_seed():
    owned = {"name": "notebook", "start_seconds": 20.0, "stop_seconds": 1.0}
    users = ("tara", "ada", "ben")
    return {
        "users": [{"name": one} for one in users],
        "workspaces": [{"owner": one, **owned} for one in users],
    }


class Seat:
    """A person at a browser tab, which shows one conversation at a time."""

    def __init__(self, stage, tab, person, folder):
        self.stage, self.tab, self.person, self._folder = stage, tab, person, folder

    async def goes_to(self, place):
        channel = self.stage.slack.state.place(self.person.id, place).id
        await self.tab.open(f"{self.stage.slack_url}/?as={self.person.id}&channel={channel}")
        await self.tab.tell("Page.bringToFront")
        # Until the page has shown the current conversation, anything sent goes nowhere.
        await self.tab.until("!!document.querySelector('#places .current')")
        if await self.tab.ask("document.getElementById('modal').open"):
            await self.tab.click("#modal footer button")

    async def reads(self, text):
        """Wait until the conversation contains a string."""
        is_there = f"document.querySelector('#messages').textContent.includes({json.dumps(text)})"
        async with asyncio.timeout(SECONDS):
            looks = 0
            while not await self.tab.ask(is_there):
                # A tab behind others is rendered too rarely, and one that was just opened may still come to
                # the front.
                await self.tab.tell("Page.bringToFront")
                looks += 1
                await asyncio.sleep(0.05)
                # Some messages only come when the clock moves. The browser's requests take real time.
                await (self.stage.settle() if looks % 10 else self.stage.pass_time(1))

    async def types(self, text, says):
        await send(self.tab, text)
        await self.reads(says)

    async def presses(self, label, says):
        button = (
            f"[...document.querySelectorAll('#messages button')].findLast((b) => b.textContent === '{label}')"
        )
        await self.tab.until(f"!!{button}")
        await self.tab.ask(f"{button}.click()")
        await self.reads(says)

    async def looks(self, name, width=1200, height=1100):
        await picture(self.tab, width, height, self._folder / f"{name}.png")


async def passes(stage, began, hours, minutes, step=10):
    """Advance the clock to a time of day. Hours from 24 on are on the second day: 34 is 10:00."""
    await stage.know_everybody()
    await stage.pass_time(began + (hours - 9) * HOUR + minutes * 60 - stage.clock.now(), step=step)


async def state_of(stage, user):
    (workspace,) = await stage.bot.store.perform(workspaces.read_workspaces, stage.principal(user))
    return workspace.state


@pytest.mark.browser
@pytest.mark.timeout(240)
async def test_a_teacher_and_two_students_from_the_card_to_the_second_lesson(tmp_path):
    seeds = {"slack_seed": _slack_seed(), "saturn_seed": _saturn_seed()}
    async with world(tmp_path, **seeds) as stage, Browser.started() as first:
        began = stage.clock.now()
        for user, name in ((TEACHER, "tara"), (ADA, "ada"), (BEN, "ben")):
            await stage.person(user).has_linked(name)
        await stage.pass_time(20, step=5)
        await first.ask("void window.open('about:blank#second')")
        await first.ask("void window.open('about:blank#third')")
        tabs = [first, await first.opened("second"), await first.opened("third")]
        teacher, ada, ben = (
            Seat(stage, tab, stage.person(user), tmp_path)
            for tab, user in zip(tabs, (TEACHER, ADA, BEN), strict=True)
        )
        for seat in (teacher, ada, ben):
            await seat.goes_to(GENERAL)
        await teacher.types(COMMAND, "Join once")
        await teacher.reads("I'll start early")
        await ada.presses("Join", "You've joined Statistics")
        # A press on a card is refused while the card is being edited.
        await ben.reads("1 person has joined")
        await ben.presses("Join", "You've joined Statistics")
        await teacher.reads("2 people have joined")
        await teacher.looks("card")

        await passes(stage, began, 10, 0)
        for seat in (ada, ben):
            await seat.goes_to("@bot")
            await seat.reads("Statistics is starting, and your workspace is ready.")
        await ada.looks("ready")
        await teacher.goes_to("@bot")
        await teacher.reads("2 of 2 are ready for Statistics.")
        await teacher.looks("report")
        await ada.types("hours", "Lessons of Statistics")
        await ada.looks("hours")
        await ada.presses("Leave Statistics", "You've left Statistics")

        await passes(stage, began, 11, 2)
        assert [await state_of(stage, one) for one in (ADA, BEN)] == [State.STOPPED, State.STOPPED]
        await passes(stage, began, 33, 10, step=600)
        # Ben's workspace became ready well before the lesson, so Usher reads it once more before announcing
        # that it is ready.
        await passes(stage, began, 34, 1)
        # The message about the first lesson was removed when the lesson ended.
        again = stage.slack.state.wait_for(lambda: len(stage.person(BEN).told("lesson")) == 1, 100.0)
        assert await again
        await teacher.reads("1 of 1 is ready for Statistics.")
        assert [await state_of(stage, one) for one in (ADA, BEN)] == [State.STOPPED, State.RUNNING]
        assert len(stage.person(BEN).told("lesson")) == 1
        assert stage.person(ADA).told("lesson") == []
        for tab in tabs:
            assert (tab.complaints, tab.hosts - {None}) == ([], {"127.0.0.1"})


def card_of(person):
    """Return the course's card as a person sees it in the channel."""
    (card,) = [one for one in person.sees(GENERAL) if one.kind == "class_card"]
    return card


@pytest.mark.browser
@pytest.mark.timeout(240)
async def test_a_teacher_changes_a_course_from_a_phone(tmp_path):
    seeds = {"slack_seed": _slack_seed(), "saturn_seed": _saturn_seed()}
    async with world(tmp_path, **seeds) as stage, Browser.started() as tab:
        for user, name in ((TEACHER, "tara"), (ADA, "ada")):
            await stage.person(user).has_linked(name)
        await stage.pass_time(20, step=5)
        phone = (390, 844)
        await tab.screen(*phone)
        teacher = Seat(stage, tab, stage.person(TEACHER), tmp_path)
        await teacher.goes_to(GENERAL)
        await teacher.types(COMMAND, "Join once")
        ada = stage.person(ADA)
        await ada.presses(card_of(ada), "Join")
        await teacher.reads("1 person has joined")
        await teacher.looks("card", *phone)

        told = ada.sees()
        await teacher.presses("Show details", "1 joined")
        await teacher.looks("details", *phone)
        await teacher.presses("Cancel Fri 15 Jan for everyone", "Restore cancelled lessons")
        await teacher.looks("cancelled", *phone)
        await stage.pass_time(5)
        assert "No lessons on Fri 15 Jan." in card_of(ada).text
        await teacher.types("/workspace card Statistics skip 17 Jan to 18 Jan", "and from 17 to 18 Jan")
        await teacher.looks("skipped", *phone)
        await stage.pass_time(5)
        assert "and from 17 to 18 Jan" in card_of(ada).text
        await teacher.presses("Restore cancelled lessons", "Cancel Fri 15 Jan for everyone")
        await stage.pass_time(5)
        assert "No lessons" not in card_of(ada).text
        await tab.click("#messages button", "End course")
        await tab.until("document.querySelector('#ask').textContent.includes('End the course?')")
        await teacher.looks("asked", *phone)
        await tab.click("#ask button.danger")
        await teacher.reads("The course has ended.")
        await teacher.looks("ended", *phone)
        # People see it on the card, and nobody gets a message about it.
        assert ada.sees() == told
        assert (tab.complaints, tab.hosts - {None}) == ([], {"127.0.0.1"})

"""The main story: a person links an account, then starts, opens and stops a workspace. Others are refused."""

from __future__ import annotations

import html
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from playground.demo.browser import Browser, Page
from playground.demo.person import Message, NotSeenError, Person, address, labels, spoken

#: Time limits in seconds. They allow for ten seconds between status reads, a start of a few seconds, and slow
#: machines.
READY_SECONDS = 90.0
STOP_SECONDS = 60.0
ANSWER_SECONDS = 20.0
JOB_SECONDS = 60.0
CHANNEL = "C0GENERAL"
#: Match the messages saying that a workspace is ready, that it has been stopped, and that a job is done.
READY = re.compile(r"\bready\b")
STOPPED = re.compile(r" stopped| has ended")
DONE = re.compile(r" is done after ")
#: Signs a browser in as an account with its password.
LogIn = Callable[[Browser, tuple[str, str]], Awaitable[None]]
#: Slack's markup for bold text. It is removed, because a terminal would show the asterisks.
_BOLD = re.compile(r"(?<!\w)\*([^*\n]+)\*(?!\w)")
#: Slack's markup for a time or a link, with the text for clients that can't show it.
_MARKED = re.compile(r"<[^<>|]+\|([^<>]+)>")


class StoryError(Exception):
    """Raised if a step of the story fails. The message begins with the name of the step."""


@dataclass(frozen=True, slots=True)
class Provider:
    """What the story needs to know about one provider.

    ``log_in`` signs a browser in; ``owner`` and ``other`` are accounts, each with its password; ``opened`` is
    a pattern that matches only the page of the opened IDE. If there is no ``token``, no account has to be
    linked: the accounts are Slack ids with people's names, and the IDE opens on one of Usher's own pages.
    """

    connection: str
    title: str
    #: The command typed before an account is linked, and the one typed afterwards if Usher doesn't resume the
    #: first.
    first_words: str
    then_words: str
    token: str
    workspace: str
    owner: tuple[str, str]
    other: tuple[str, str]
    log_in: LogIn
    opened: str
    #: Values for the fields of the form that creates the workspace; None if the workspace exists already.
    form: Mapping[str, str] | None = None
    #: A command that runs a job, and the last line of the job's output; None if the story doesn't run a job.
    job: tuple[str, str] | None = None
    #: The sign-out page. If it is set, the account is linked by signing in to the provider, not by pasting
    #: the token.
    sign_out: str = ""


class Story:
    """Plays the story for a person, reporting each step as the person sees it."""

    def __init__(self, person: Person, tell: Callable[[str], None]) -> None:
        self._person = person
        self._tell = tell
        self._read: Sequence[str] = ()
        #: Number of clicks in browsers, not counting those on the local Slack's page.
        self._pressed = 0

    async def play(self, provider: Provider) -> None:
        """Play the story at one provider; raise StoryError with the name of a step that fails."""
        self._tell(f"\n== {provider.title} ==")
        before = self._presses
        if provider.token:
            invitation = await self._step(
                "ask for something before the account is linked", self._ask, provider
            )
            await self._step("link the account on the one-time page", self._link, provider, invitation)
        if provider.form is not None:
            await self._step("create a workspace with the form", self._create, provider)
        ready = await self._step("get the IDE's address by direct message", self._ready, provider)
        pressed = self._presses - before
        self._tell(
            f"   {pressed} {'press' if pressed == 1 else 'presses'} from the first page to the ready card"
        )
        await self._step("open the IDE as its owner", self._open, provider, ready)
        await self._step("be refused as somebody else", self._other, provider, ready)
        await self._step("stop the workspace", self._stop, provider)
        if provider.job is not None:
            await self._step("run a job, and see what it writes and how it ends", self._job, *provider.job)

    async def _step(self, name: str, step: Callable[..., Awaitable[Any]], *given: Any) -> Any:
        self._tell(f"\n-- {name}")
        try:
            return await step(*given)
        except (NotSeenError, LookupError, OSError, TimeoutError) as error:
            raise StoryError(f"{name}: {error}") from error

    async def _ask(self, provider: Provider) -> str:
        return address(await self._command(provider.first_words), "link_url", provider.connection)

    @property
    def _presses(self) -> int:
        return self._person.presses + self._pressed

    async def _link(self, provider: Provider, invitation: str) -> None:
        async with Browser() as browser:
            # The button that leads there.
            browser.presses += 1
            page = await browser.get(invitation)
            self._reads(page)
            if any("/sign-in" in link for link in page.links):
                self._does("signs in with Slack")
                page = await browser.follow(page, "/sign-in")
                if page.url.startswith(self._person.slack_url):
                    page = await browser.follow(page, f"as={self._person.user_id}")
            if provider.sign_out:
                name, password = provider.owner
                self._does(f"signs in to {provider.title} as {name}")
                page = await browser.submit(page, username=name, password=password)
            else:
                self._reads(page)
                self._does(f"pastes the token of {provider.owner[0]} at {provider.title}")
                page = await browser.submit(page, token=provider.token)
            self._reads(page)
            self._does("confirms")
            page = await browser.submit(page)
            self._reads(page)
            self._pressed += browser.presses
            if provider.sign_out:
                self._does(f"signs out of {provider.title}, which ends no link")
                await browser.get(provider.sign_out)
        linked = await self._person.wait_for(
            "@bot",
            lambda message: provider.title in str(message.get("text")),
            "the notice of the link",
            ANSWER_SECONDS,
        )
        self._sees(linked)
        if provider.then_words:
            await self._step("ask to start", self._command, provider.then_words)

    async def _create(self, provider: Provider) -> None:
        words, wanted = f"/workspace new {provider.connection}", provider.form or {}
        self._does(f"types  {words}")
        await self._person.say(CHANNEL, words)
        form = await self._person.form_when(
            lambda form: bool(form["fields"]), "the form with its fields", ANSWER_SECONDS
        )
        fields = {field["action_id"].partition(":")[2]: field for field in form["fields"]}
        asked = ", ".join(field["label"] for field in fields.values())
        self._quote(
            "the form",
            [form["title"], *(_BOLD.sub(r"\1", line) for line in form["words"]), f"asks for {asked}"],
        )
        for name, value in wanted.items():
            self._does(f"fills in {fields[name]['label']}: {value}")
            await self._person.fill(fields[name], value)
        self._does(f"presses [{form['submit']}]")
        await self._person.submit()

    async def _job(self, words: str, last_line: str) -> None:
        await self._command(words)
        ended = await self._person.wait_for(
            "@bot",
            lambda message: bool(DONE.search(str(message.get("text")))),
            "the direct message that it is done",
            JOB_SECONDS,
        )
        self._sees(ended)
        if last_line in str(ended.get("blocks")):
            return
        # If a job writes more than 40 lines, its output is in a file.
        shared = await self._person.wait_for(
            "@bot", lambda message: bool(message.get("files")), "the file with its output", JOB_SECONDS
        )
        file = shared["files"][0]
        text = await self._person.file(file["id"])
        if text.splitlines()[-1:] != [last_line]:
            raise NotSeenError(f"the file ends with {text[-100:]!r}")
        self._quote(
            f"the file {file['name']}", [f"{len(text.splitlines())} lines, the last one: {last_line}"]
        )

    async def _ready(self, provider: Provider) -> Message:
        ready = await self._person.wait_for(
            "@bot",
            lambda message: tells(message, provider.workspace, READY) and bool(labels(message, "open_url")),
            "the direct message that it is ready",
            READY_SECONDS,
        )
        self._sees(ready)
        return ready

    async def _open(self, provider: Provider, ready: Message) -> None:
        page = await self._visit(provider, address(ready, "open_url"), provider.owner)
        if page.status != 200 or not re.search(provider.opened, page.source):
            raise NotSeenError(f"{urlsplit(page.url).path} answered {page.status}: {page.text[:200]}")
        # The text of Usher's own pages is written by a script, so this browser can't read it.
        shown = f": {page.text[:80]}" if page.text and provider.token else ""
        self._tell(f"   {_who(provider, provider.owner)}'s browser shows {urlsplit(page.url).path}{shown}")

    async def _other(self, provider: Provider, ready: Message) -> None:
        page = await self._visit(provider, address(ready, "open_url"), provider.other)
        if page.status not in (403, 404) or re.search(provider.opened, page.source):
            raise NotSeenError(f"{_who(provider, provider.other)} was let in: {page.status}")
        self._tell(f"   {_who(provider, provider.other)}'s browser is refused: {page.status}")

    async def _stop(self, provider: Provider) -> None:
        shown = await self._command(f"/workspace stop {provider.workspace}@{provider.connection}")
        for label, action_id in labels(shown, "stop"):
            # If the stop can't be undone, Usher asks for confirmation first.
            self._does(f"presses [{label}]")
            await self._person.press(CHANNEL, shown, action_id)
        stopped = await self._person.wait_for(
            "@bot",
            lambda message: tells(message, provider.workspace, STOPPED),
            "the direct message that it is stopped",
            STOP_SECONDS,
        )
        self._sees(stopped)

    @staticmethod
    async def _visit(provider: Provider, url: str, account: tuple[str, str]) -> Page:
        async with Browser() as browser:
            if provider.token:
                await provider.log_in(browser, account)
                return await browser.get(url)
            page = await browser.get(url)
            page = await browser.get(page.link("/sign-in"))
            # If Slack doesn't know yet who is signing in, it asks.
            return await browser.get(page.link(f"as={account[0]}"))

    async def _command(self, words: str) -> Message:
        """Type a command; return the message that Slack shows as its answer."""
        self._does(f"types  {words}")
        answer = await self._person.say(CHANNEL, words)
        messages = await self._person.messages(CHANNEL)
        shown = next((one for one in reversed(messages) if one["ts"] == answer.get("ts")), None)
        if shown is None:
            raise NotSeenError(f"nothing was answered to {words}")
        self._sees(shown)
        return shown

    def _does(self, what: str) -> None:
        self._tell(f"   {self._person.name} {what}")

    def _sees(self, message: Message) -> None:
        who = "only you see this" if message.get("ephemeral") else "Usher"
        words = _MARKED.sub(r"\1", _BOLD.sub(r"\1", spoken(message)))
        self._quote(who, html.unescape(words).splitlines())

    def _reads(self, page: Page) -> None:
        """Report a page's lines, except those that were also on the previous page."""
        self._quote("the page", [line for line in page.lines if line not in self._read])
        self._read = page.lines

    def _quote(self, who: str, lines: Sequence[str]) -> None:
        for number, line in enumerate(lines):
            self._tell(f"   {who + ':' if number == 0 else ' ' * (len(who) + 1)} {line}")


def _who(provider: Provider, account: tuple[str, str]) -> str:
    return account[0] if provider.token else account[1]


def tells(message: Message, workspace: str, what: re.Pattern[str]) -> bool:
    """Return whether a message names a workspace, followed by text that matches ``what``."""
    return bool(re.search(rf"{re.escape(workspace)}\b.*(?:{what.pattern})", str(message.get("text"))))

"""A person of the local Slack, who types, writes, mentions, presses and links; and what they see."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from bot.domain.accounts import Account
from bot.domain.tasks import TaskKind
from bot.providers.base import Credential
from bot.store import accounts, tasks
from bot.store.tasks import NewTask
from bot.support.vault import row_key
from playground.demo.browser import Browser, Page
from playground.demo.person import where
from tests.rigs.scenario.shown import Shown
from tests.rigs.slack import ON_CARDS, SAYS_END
from tests.rigs.store import put_account

if TYPE_CHECKING:
    from tests.rigs.scenario.stage import World

GENERAL = "C0GENERAL"
BOT = "@bot"
_CODE = re.compile(r"<code>([A-Z0-9]{4}-[A-Z0-9]{4})</code>")


#: What is there of an act: its card, which goes once there is a message about its end.
_OF_AN_ACT = ("card", "ready", "failed")


def _find_link(shown: Shown) -> str:
    """Return the label of a message's first button that links an account."""
    return next(label for label in shown.labels if label.startswith("Link"))


class Person:
    """Be one person."""

    def __init__(self, world: World, user_id: str) -> None:
        self.world = world
        self.id = user_id

    # -- what they see -------------------------------------------------------------------------------------

    def sees(self, channel: str = BOT) -> list[Shown]:
        """Return all messages of a conversation, the oldest first."""
        return [Shown(channel, message) for message in self.world.slack.seen(self.id, channel)]

    def hears(self, since: int = 0, channel: str = BOT) -> list[Shown]:
        """Return what others said, from the so manieth message of a conversation on."""
        return [shown for shown in self.sees(channel)[since:] if shown.json["user"] != self.id]

    def told(self, kind: str) -> list[Shown]:
        """Return the direct messages of a kind: card, ready, failed, waiting, linked …

        The end of a stop is on its card, if it has one.
        """
        says = ON_CARDS.get(kind, ())
        return [
            shown
            for shown in self.sees()
            if shown.kind == kind or (shown.kind in SAYS_END and any(words in shown.text for words in says))
        ]

    def only(self, kind: str) -> Shown:
        """Return the one direct message of a kind."""
        found = self.told(kind)
        assert len(found) == 1, f"{len(found)} messages of kind {kind}: {[one.text for one in self.sees()]}"
        return found[0]

    @property
    def card(self) -> Shown:
        """Return the newest card as it stands, or the message about the end in its place."""
        return [one for one in self.sees() if one.kind in _OF_AN_ACT][-1]

    def modal(self) -> dict[str, Any] | None:
        """Return the form that is open in front of them."""
        view = self.world.slack.state.top_view(self.id)
        return None if view is None else view.definition

    def home(self) -> Shown:
        """Return their Home as it was last published."""
        state = self.world.slack.state
        view = state.views[state.homes[self.id]]
        return Shown("home", {"ts": "", "text": "", **view.definition})

    async def waits_for(self, kind: str, says: str = "", seconds: float = 100.0) -> Shown:
        """Wait, in real time, for a direct message of a kind that says something; return the newest."""

        def found() -> list[Shown]:
            return [shown for shown in self.told(kind) if says in shown.text]

        came = await self.world.slack.state.wait_for(lambda: bool(found()), seconds)
        seen = [one.text for place in (BOT, GENERAL) for one in self.sees(place)]
        assert came, f"no {kind} that says {says!r}: {seen}"
        return found()[-1]

    # -- what they do --------------------------------------------------------------------------------------

    async def types(
        self, text: str, channel: str = GENERAL, *, then_settle: bool = True, command: str = "/workspace"
    ) -> Shown:
        """Type a slash command; return what Slack shows at once."""
        answer = await self.world.slack.say(self.id, channel, f"{command} {text}".rstrip())
        assert answer["ok"], answer
        shown = next(shown for shown in self.sees(channel) if shown.ts == answer["ts"])
        if then_settle:
            await self.world.settle()
        return shown

    async def writes(self, text: str) -> list[Shown]:
        """Write the bot a direct message; return what it says to that."""
        # Slack takes one message a second per conversation: what was said just before has had its time.
        if not self.world.is_live:
            await self.world.pass_time(2)
        return await self._new(BOT, lambda: self.world.slack.say(self.id, BOT, text))

    async def mentions(self, text: str, channel: str = GENERAL) -> list[Shown]:
        """Mention the bot in a channel; return what it says there."""
        return await self._new(channel, lambda: self.world.slack.say(self.id, channel, f"@usher {text}"))

    async def opens_home(self) -> Shown:
        """Open the app's Home; return what it shows then."""
        await self.world.slack.open_home(self.id)
        await self.world.settle()
        return self.home()

    async def presses_home(self, label: str, among: str = "") -> Shown:
        """Press a button of their Home, the first below a text if one is given; return what it becomes."""
        pressed = self.home().place(label, among)
        answer = await self.world.slack.press(self.id, "home", None, **pressed)
        assert answer["ok"], answer
        await self._agrees(pressed)
        await self.world.settle()
        return self.home()

    async def presses(self, shown: Shown, label: str) -> list[Shown]:
        """Press a button, or choose it in a menu and agree to what is asked then.

        Return what is new or different in that conversation.
        """
        return await self.presses_button(shown, shown.button(label))

    async def presses_button(self, shown: Shown, button: dict[str, Any]) -> list[Shown]:
        """Press this button of a message, of several with the same label, as ``presses`` does."""
        pressed = where(button)

        async def press() -> Any:
            answer = await self.world.slack.press(self.id, shown.channel, shown.ts, **pressed)
            return answer if not answer["ok"] else await self._agrees(pressed) or answer

        return await self._new(shown.channel, press)

    async def chooses(self, shown: Shown, label: str) -> None:
        """Choose something in a menu, and leave open what it asks."""
        answer = await self.world.slack.press(self.id, shown.channel, shown.ts, **where(shown.button(label)))
        assert answer["ok"], answer
        await self.world.settle()

    async def _agrees(self, pressed: dict[str, Any]) -> Any:
        """Answer what is asked only after a press, as a button's own question is answered with it."""
        is_asked = pressed["action_id"] == "ask" or str(pressed.get("value", "")).startswith("ask ")
        # Whoever may not do it isn't asked, and what can't be done has nothing to agree to.
        can_agree = is_asked and "submit" in (self.modal() or {})
        return await self.world.slack.submit(self.id, {}) if can_agree else None

    async def presses_late(self, shown: Shown, label: str) -> list[Shown]:
        """Press a button as it was seen: the press crosses with an update that takes it away."""
        state = self.world.slack.state
        message = state.message(state.place(self.id, shown.channel).id, shown.ts)
        assert message is not None
        message.blocks = shown.json["blocks"]
        return await self.presses(shown, label)

    async def clicks(self, shown: Shown, action_id: str) -> list[Shown]:
        """Press what has this action id."""

        async def press() -> Any:
            return await self.world.slack.press(self.id, shown.channel, shown.ts, action_id)

        return await self._new(shown.channel, press)

    async def submits(self, **values: str) -> dict[str, Any]:
        """Fill in and send the open form; each block holds one field of its own name."""
        told = {block: {block: value} for block, value in values.items()}
        answer: dict[str, Any] = await self.world.slack.submit(self.id, told)
        await self.world.settle()
        return answer

    # -- linking -------------------------------------------------------------------------------------------

    async def invited(self, connection: str = "saturn") -> tuple[Shown, str]:
        """Ask for a link; return the message that holds its page's address, and the address."""
        page = await self.types(f"link {connection}")
        assert page.is_private, "whoever sees the address can go on with it"
        return page, page.address(_find_link(page))

    async def goes_through(self, browser: Browser, address: str, token: str) -> Page:
        """Open the link's page, prove who they are where that is asked, paste the token, confirm."""
        page = await browser.get(address)
        if any("/sign-in" in link for link in page.links):
            page = await browser.get(page.link("/sign-in"))
            if page.url.startswith(self.world.slack_url):
                page = await browser.get(page.link(f"as={self.id}"))
        page = await browser.submit(page, token=token)
        return await browser.submit(page)

    async def types_back(self, shown: Shown, page: Page) -> dict[str, Any]:
        """Press *Enter code* below an invitation and type the code that the page shows."""
        code = _CODE.search(page.source)
        assert code is not None, page.text
        action_id = shown.button("Enter code")["action_id"]
        assert (await self.world.slack.press(self.id, shown.channel, shown.ts, action_id))["ok"]
        return await self.submits(code=code[1])

    async def links(self, account: str, connection: str = "saturn", *, asked: Shown | None = None) -> Page:
        """Link an account of the provider, all the way, and wait for its list."""
        if asked is None:
            shown, address = await self.invited(connection)
        else:
            shown = asked
            if "url" not in asked.button(_find_link(asked)):
                (shown,) = await self.presses(asked, _find_link(asked))
            address = shown.address(_find_link(shown))
        async with Browser() as browser:
            page = await self.goes_through(browser, address, self.world.token_of(account, connection))
        self.world.watch.may_read(self.id, account)
        if not self.world.has_sign_in:
            answer = await self.types_back(shown, page)
            assert answer["ok"], answer
        if self.world.is_live:
            await self.waits_for("linked")
        else:
            await self.world.pass_time(2)
        return page

    async def has_linked(self, account: str, connection: str = "saturn", *, is_named: bool = True) -> None:
        """Have linked an account before, and its list is known; no message was ever sent about it."""
        world, principal = self.world, self.world.principal(self.id)
        store, token = world.bot.store, Credential(SecretStr(world.token_of(account, connection)))
        secret = world.bot.context.vault.seal(row_key(principal.key, connection), token.as_mapping())
        key, now = f"account_{connection}_{self.id}", await store.now()
        name = account if is_named else ""
        await put_account(store, Account(key, principal, connection, name, secret, "active", now))
        await store.write(accounts.note_introduction, principal)
        await store.write(tasks.add_tasks, [NewTask(TaskKind.DISCOVER, key)])
        world.watch.may_read(self.id, account)
        await world.settle()

    async def _new(self, channel: str, act: Any) -> list[Shown]:
        before = {shown.ts: shown.json for shown in self.sees(channel)}

        def new() -> list[Shown]:
            return [one for one in self.hears(channel=channel) if before.get(one.ts) != one.json]

        answer = await act()
        assert answer["ok"], answer
        await self.world.settle()
        if self.world.is_live:
            await self.world.slack.state.wait_for(lambda: bool(new()), 30.0)
        return new()

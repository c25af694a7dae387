"""A person in the local Slack, who can write, mention, press and link; and what the person sees."""

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


#: Kinds of the messages about an operation: its card, which is removed once there is a message about its end.
_OF_AN_ACT = ("card", "ready", "failed")


def _find_link(shown: Shown) -> str:
    """Return the label of a message's first button that links an account."""
    return next(label for label in shown.labels if label.startswith("Link"))


class Person:
    """One person in the local Slack."""

    def __init__(self, world: World, user_id: str) -> None:
        self.world = world
        self.id = user_id

    # -- what they see -------------------------------------------------------------------------------------

    def sees(self, channel: str = BOT) -> list[Shown]:
        """Return all messages that the person sees in a conversation, oldest first."""
        return [Shown(channel, message) for message in self.world.slack.seen(self.id, channel)]

    def hears(self, since: int = 0, channel: str = BOT) -> list[Shown]:
        """Return the messages of others in a conversation, starting at index ``since``."""
        return [shown for shown in self.sees(channel)[since:] if shown.json["user"] != self.id]

    def told(self, kind: str) -> list[Shown]:
        """Return the direct messages of a kind, such as card, ready, failed, waiting or linked.

        For the end of a stop, this includes cards that say so.
        """
        says = ON_CARDS.get(kind, ())
        return [
            shown
            for shown in self.sees()
            if shown.kind == kind or (shown.kind in SAYS_END and any(words in shown.text for words in says))
        ]

    def only(self, kind: str) -> Shown:
        """Return the only direct message of a kind."""
        found = self.told(kind)
        assert len(found) == 1, f"{len(found)} messages of kind {kind}: {[one.text for one in self.sees()]}"
        return found[0]

    @property
    def card(self) -> Shown:
        """Return the newest card in its current form, or the message about the end that replaced it."""
        return [one for one in self.sees() if one.kind in _OF_AN_ACT][-1]

    def modal(self) -> dict[str, Any] | None:
        """Return the form that the person has open, or None."""
        view = self.world.slack.state.top_view(self.id)
        return None if view is None else view.definition

    def home(self) -> Shown:
        """Return the Home tab as it was last published."""
        state = self.world.slack.state
        view = state.views[state.homes[self.id]]
        return Shown("home", {"ts": "", "text": "", **view.definition})

    async def waits_for(self, kind: str, says: str = "", seconds: float = 100.0) -> Shown:
        """Wait in real time for a direct message of a kind that contains a string. Return the newest."""

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
        """Type a slash command, and return the answer that Slack shows at once."""
        answer = await self.world.slack.say(self.id, channel, f"{command} {text}".rstrip())
        assert answer["ok"], answer
        shown = next(shown for shown in self.sees(channel) if shown.ts == answer["ts"])
        if then_settle:
            await self.world.settle()
        return shown

    async def writes(self, text: str) -> list[Shown]:
        """Write the bot a direct message, and return the bot's answers."""
        # Slack accepts one message per second in each conversation, so let the previous message's second
        # pass.
        if not self.world.is_live:
            await self.world.pass_time(2)
        return await self._new(BOT, lambda: self.world.slack.say(self.id, BOT, text))

    async def mentions(self, text: str, channel: str = GENERAL) -> list[Shown]:
        """Mention the bot in a channel, and return its answers there."""
        return await self._new(channel, lambda: self.world.slack.say(self.id, channel, f"@usher {text}"))

    async def opens_home(self) -> Shown:
        """Open the app's Home tab, and return it."""
        await self.world.slack.open_home(self.id)
        await self.world.settle()
        return self.home()

    async def presses_home(self, label: str, among: str = "") -> Shown:
        """Press a button of the Home tab (the first below the given text, if any). Return the updated tab."""
        pressed = self.home().place(label, among)
        answer = await self.world.slack.press(self.id, "home", None, **pressed)
        assert answer["ok"], answer
        await self._agrees(pressed)
        await self.world.settle()
        return self.home()

    async def presses(self, shown: Shown, label: str) -> list[Shown]:
        """Press a button, or choose it in a menu, and agree if it asks for confirmation.

        Return the messages of that conversation that are new or have changed.
        """
        return await self.presses_button(shown, shown.button(label))

    async def presses_button(self, shown: Shown, button: dict[str, Any]) -> list[Shown]:
        """Press exactly this button of a message, even if several have its label. See ``presses``."""
        pressed = where(button)

        async def press() -> Any:
            answer = await self.world.slack.press(self.id, shown.channel, shown.ts, **pressed)
            return answer if not answer["ok"] else await self._agrees(pressed) or answer

        return await self._new(shown.channel, press)

    async def chooses(self, shown: Shown, label: str) -> None:
        """Choose an item of a menu, without answering the question that it may ask."""
        answer = await self.world.slack.press(self.id, shown.channel, shown.ts, **where(shown.button(label)))
        assert answer["ok"], answer
        await self.world.settle()

    async def _agrees(self, pressed: dict[str, Any]) -> Any:
        """Agree to a question that is asked in a form after the press.

        A button's own question is answered with the press.
        """
        is_asked = pressed["action_id"] == "ask" or str(pressed.get("value", "")).startswith("ask ")
        # If the person may not do it, or it can't be done, the form has nothing to agree to.
        can_agree = is_asked and "submit" in (self.modal() or {})
        return await self.world.slack.submit(self.id, {}) if can_agree else None

    async def presses_late(self, shown: Shown, label: str) -> list[Shown]:
        """Press a button as it was seen, although an update has removed it in the meantime."""
        state = self.world.slack.state
        message = state.message(state.place(self.id, shown.channel).id, shown.ts)
        assert message is not None
        message.blocks = shown.json["blocks"]
        return await self.presses(shown, label)

    async def clicks(self, shown: Shown, action_id: str) -> list[Shown]:
        """Press the button with this action id."""

        async def press() -> Any:
            return await self.world.slack.press(self.id, shown.channel, shown.ts, action_id)

        return await self._new(shown.channel, press)

    async def submits(self, **values: str) -> dict[str, Any]:
        """Fill in and send the open form. Each block has one field of the same name."""
        told = {block: {block: value} for block, value in values.items()}
        answer: dict[str, Any] = await self.world.slack.submit(self.id, told)
        await self.world.settle()
        return answer

    # -- linking -------------------------------------------------------------------------------------------

    async def invited(self, connection: str = "saturn") -> tuple[Shown, str]:
        """Ask for a link. Return the message with the address of the link's page, and the address."""
        page = await self.types(f"link {connection}")
        assert page.is_private, "whoever sees the address can go on with it"
        return page, page.address(_find_link(page))

    async def goes_through(self, browser: Browser, address: str, token: str) -> Page:
        """Open the link's page, sign in if necessary, paste the token, and confirm."""
        page = await browser.get(address)
        if any("/sign-in" in link for link in page.links):
            page = await browser.get(page.link("/sign-in"))
            if page.url.startswith(self.world.slack_url):
                page = await browser.get(page.link(f"as={self.id}"))
        page = await browser.submit(page, token=token)
        return await browser.submit(page)

    async def types_back(self, shown: Shown, page: Page) -> dict[str, Any]:
        """Press *Enter code* on an invitation, and type the code that the page shows."""
        code = _CODE.search(page.source)
        assert code is not None, page.text
        action_id = shown.button("Enter code")["action_id"]
        assert (await self.world.slack.press(self.id, shown.channel, shown.ts, action_id))["ok"]
        return await self.submits(code=code[1])

    async def links(self, account: str, connection: str = "saturn", *, asked: Shown | None = None) -> Page:
        """Link an account of a provider, through all steps, and wait for its list of workspaces."""
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
        """Store an account that was linked earlier and whose list is known, without any messages about it."""
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

"""Linking as people do it: they ask for a link, complete its page, and type the code in Slack."""

from typing import Any

from bot.domain.accounts import Account
from bot.domain.people import Principal
from bot.services import linking
from bot.services.caller import Caller
from bot.services.context import Context
from bot.services.linking import Confirmed, LinkPage, Visit


class Linking:
    """Performs the steps of linking on behalf of people."""

    def __init__(self, context: Context) -> None:
        self.context = context

    async def invite(
        self, principal: Principal, connection: str, waiting: dict[str, Any] | None = None
    ) -> str:
        """Create a link, and return its address."""
        caller = Caller(self.context, principal)
        return (await caller.run(linking.create_links, {connection: waiting}))[connection]

    async def open(self, nonce: str, browser: str) -> LinkPage:
        """Open a link's page."""
        visit = Visit(nonce, browser)
        return await (await linking.find_caller(self.context, visit)).read(linking.show_page, visit)

    async def check(self, nonce: str, browser: str, pasted: str) -> LinkPage:
        """Paste a token."""
        visit = Visit(nonce, browser)
        return await linking.check_token(await linking.find_caller(self.context, visit), visit, pasted)

    async def again(self, nonce: str, browser: str) -> LinkPage:
        """Discard the checked token, in order to paste another one."""
        visit = Visit(nonce, browser)
        return await (await linking.find_caller(self.context, visit)).run(linking.discard_token, visit)

    async def confirm(self, nonce: str, browser: str, mark: str) -> Confirmed:
        """Confirm the account that was checked."""
        visit = Visit(nonce, browser)
        return await (await linking.find_caller(self.context, visit)).run(linking.confirm_link, visit, mark)

    async def confirm_code(self, principal: Principal, code: str) -> Account:
        """Type a code in Slack."""
        return await Caller(self.context, principal).run(linking.confirm_code, code)

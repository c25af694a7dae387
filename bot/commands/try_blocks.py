"""The trial of Slack's newer blocks, which Usher doesn't send yet: one message to a member, deleted again."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from bot.commands import complain, read, stop_at_end_of_input
from bot.messages.blocks.newer_blocks import NEWER_BLOCKS
from bot.services.checks import explain_failure, format_plain
from bot.slack.methods import CHAT_DELETE, CHAT_POST_MESSAGE
from bot.support.errors import ProviderError
from bot.support.http import Http
from bot.support.settings import Settings

TEXT: Final = "Usher tries blocks that it doesn't use yet. Nothing else happens, and the message is deleted."
_POINTER_PATTERN: Final = re.compile(r"json-pointer:/blocks/(\d{1,2})")
#: A channel takes one message a second.
PAUSE_SECONDS: Final = 1.0


def try_blocks(member: str) -> int:
    """Send the newer blocks to a member of the Slack workspace, and print the result of each."""
    reading, _, _ = read()
    settings = reading.settings
    if settings.slack_bot_token is None:
        complain("SLACK_BOT_TOKEN is missing: set it to the bot token of one Slack workspace.")
        return 2

    async def run() -> int:
        async with Http.new_session(settings.proxy()) as session:
            trial = BlocksTrial(settings, Http(session), stop_at_end_of_input(input))
            return await trial.run(member)

    return asyncio.run(run())


class BlocksTrial:
    """One message of newer blocks; ``ask`` waits for the operator, ``sleep`` for Slack."""

    def __init__(
        self,
        settings: Settings,
        http: Http,
        ask: Callable[[str], str],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        assert settings.slack_bot_token is not None, "the token was looked for"
        self._settings = settings
        self._token = settings.slack_bot_token.get_secret_value()
        self._http = http
        self._ask = ask
        self._sleep = sleep

    async def run(self, member: str) -> int:
        """Send all blocks, then those that aren't refused; return 0 if all are stored as sent."""
        blocks, is_whole = list(NEWER_BLOCKS), True
        try:
            while blocks:
                arguments = {"channel": member, "text": TEXT, "blocks": blocks}
                body = await self._call(CHAT_POST_MESSAGE, arguments)
                if body.get("ok") is True:
                    return 0 if await self._compare(blocks, body) and is_whole else 1
                is_whole, blocks = False, self._print_refusal(blocks, body)
                await self._sleep(PAUSE_SECONDS)
        except ProviderError as failed:
            complain(f"Slack can't be asked: {explain_failure(failed)}")
        return 1

    def _print_refusal(self, blocks: list[dict[str, Any]], body: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Print Slack's reasons; return the other blocks, none if Slack names no block."""
        metadata = body.get("response_metadata")
        messages = metadata.get("messages") if isinstance(metadata, dict) else None
        texts = [format_plain(text) for text in messages or () if isinstance(text, str)]
        reasons: dict[int, list[str]] = {}
        for text in texts:
            if match := _POINTER_PATTERN.search(text):
                reasons.setdefault(int(match[1]), []).append(text)
        if not reasons:
            reasons = dict.fromkeys(range(len(blocks)), texts)
        for number, block in enumerate(blocks):
            if number in reasons:
                why = "; ".join([format_plain(body.get("error")), *reasons[number]])
                print(f"BAD  {block['type']}: refused: {why}")
        return [block for number, block in enumerate(blocks) if number not in reasons]

    async def _compare(self, blocks: list[dict[str, Any]], body: Mapping[str, Any]) -> bool:
        """Print the differences of the stored blocks and delete these; return whether all is well."""
        message = body.get("message")
        stored = message.get("blocks") if isinstance(message, dict) else None
        by_id = {block.get("block_id"): block for block in stored or () if isinstance(block, dict)}
        is_same = True
        for block in blocks:
            differences = list(list_differences(block, by_id.get(block["block_id"])))
            is_same = is_same and not differences
            verdict = f"BAD  {block['type']}: {'; '.join(differences)}" if differences else ""
            print(verdict or f"ok   {block['type']}: stored as it was sent")
        with suppress(EOFError, KeyboardInterrupt):
            self._ask("Look at the message in Slack. Enter deletes it: ")
        deleted = await self._call(CHAT_DELETE, {"channel": body.get("channel"), "ts": body.get("ts")})
        if deleted.get("ok") is not True:
            print(f"Slack doesn't delete it: {format_plain(deleted.get('error'))}. Delete it yourself.")
        return is_same and deleted.get("ok") is True

    async def _call(self, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body of Slack's answer. Raises ProviderError."""
        headers = {"Authorization": f"Bearer {self._token}"}
        url = f"{self._settings.slack_api_url}{method}"
        return (await self._http.request("POST", url, headers=headers, json_body=arguments)).json_object()


def list_differences(sent: Any, stored: Any, path: str = "") -> Iterator[str]:
    """Yield the parts of a block that are stored otherwise; what Slack has added to it is none."""
    if isinstance(sent, dict) and isinstance(stored, dict):
        for name, part in sent.items():
            yield from list_differences(part, stored.get(name), f"{path}/{name}")
    elif isinstance(sent, list) and isinstance(stored, list) and len(sent) == len(stored):
        for number, (part, other) in enumerate(zip(sent, stored, strict=True)):
            yield from list_differences(part, other, f"{path}/{number}")
    elif sent != stored:
        yield f"{path or 'the block'} is stored as {format_plain(stored)}"

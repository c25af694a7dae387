"""The app's answers: the body of an acknowledgement, and later posts to a response_url."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from playground.faults import act
from playground.harness import Harness
from playground.slack.content import Content, read_content
from playground.slack.errors import SlackError
from playground.slack.records import Json, Message, ResponseUrl
from playground.slack.state import State
from playground.values import loads

#: According to "Handling user interaction", a response_url can be used up to five times within 30 minutes.
USES = 5
SECONDS = 30 * 60
TEXT_LIMIT = 40_000
#: Statuses for channels that don't accept messages, which isn't the app's fault ("Sending messages using
#: incoming webhooks").
_CLOSED = (403, 410)


@dataclass(frozen=True, slots=True)
class Reply:
    """The app's answer. If it isn't usable, ``error`` is the error that Slack reports."""

    status: int | None = None
    body: bytes = b""
    content_type: str = ""
    error: str | None = None
    reason: str | None = None
    no_retry: bool = False

    @property
    def ok(self) -> bool:
        """Tell whether the app acknowledged."""
        return self.error is None

    def content(self) -> Json:
        """Return the body as an object: plain text as ``{"text": …}``, an empty body as ``{}``.

        Raises ValueError for JSON that isn't an object.
        """
        text = self.body.decode("utf-8", "replace").strip()
        if not text:
            return {}
        if "json" in self.content_type or text.startswith("{"):
            values = loads(text)
            if not isinstance(values, dict):
                raise ValueError("the acknowledgement is no object")
            return values
        return {"text": text}


def read_answer(values: Json) -> Content | None:
    """Return an answer's content after checking it, or None if it is empty."""
    content = read_content(values, TEXT_LIMIT)
    if not content.text.strip() and not content.blocks and not content.attachments:
        return None
    return content


def post(state: State, values: Json, content: Content, channel: str, user: str) -> Message:
    """Show an answer, only to the person unless ``response_type`` is in_channel."""
    message = state.from_bot(
        channel,
        content.text,
        blocks=content.blocks,
        attachments=content.attachments,
        only_for=None if values.get("response_type") == "in_channel" else user,
        thread_ts=values.get("thread_ts"),
    )
    return state.add(message)


def _may_answer(state: State, url: ResponseUrl, values: Json) -> None:
    channel = state.channels.get(url.channel)
    if channel is not None and channel.is_archived:
        raise SlackError("channel_is_archived", status=410)
    if channel is not None and channel.restricts and values.get("response_type") == "in_channel":
        raise SlackError("action_prohibited", status=403)


class ResponseUrls:
    """Handles the app's posts to response_urls."""

    def __init__(self, state: State, harness: Harness) -> None:
        self._state = state
        self._harness = harness

    async def handle(self, request: web.Request) -> web.Response:
        """Handle a post: answer ``ok``, or refuse in Slack's words."""
        try:
            self._take(request, self._state.response_urls.get(request.path), await self._read(request))
        except SlackError as error:
            if error.status not in _CLOSED:
                self._harness.violation(f"response_url_{error.code}", request.path.split("/")[1])
            return web.json_response(error.body(), status=error.status)
        return web.Response(text="ok")

    async def _read(self, request: web.Request) -> Json:
        if request.content_type == "application/x-www-form-urlencoded":
            text = str((await request.post()).get("payload", ""))
        else:
            text = (await request.read()).decode("utf-8", "replace")
        try:
            values = loads(text)
        except ValueError:
            raise SlackError("invalid_payload", status=400) from None
        if not isinstance(values, dict):
            raise SlackError("invalid_payload", status=400)
        return values

    def _take(self, request: web.Request, url: ResponseUrl | None, values: Json) -> None:
        state = self._state
        if url is None:
            raise SlackError("invalid_url", status=404)
        if state.clock.now() - url.made > SECONDS:
            raise SlackError("expired_url", status=404)
        if url.uses >= USES:
            raise SlackError("used_url", status=404)
        _may_answer(state, url, values)
        original = state.message(url.channel, url.original) if url.original else None
        if values.get("delete_original"):
            url.uses += 1
            if original is not None and original.bot_id == state.app.bot_id:
                act(request, lambda _at: state.remove(original))
            return
        try:
            content = read_answer(values)
        except SlackError as error:
            error.status = 400
            raise
        if content is None:
            raise SlackError("no_text", status=400)
        url.uses += 1
        if values.get("replace_original") and original is not None and original.bot_id == state.app.bot_id:
            changes = {"text": content.text, "blocks": content.blocks, "attachments": content.attachments}
            act(request, lambda _at: state.edit(original, **changes))
            return

        # The response_url of a command has no original message, so each post to it is a new message.
        act(request, lambda _at: post(state, values, content, url.channel, url.user))

"""Slack's Web API through slack_sdk: one request per call, our own errors, and no token in them."""

from __future__ import annotations

import asyncio
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.calls import APP_SHUT_OUT, SlackAnswer, leads_to_slack
from bot.slack.methods import FILES_COMPLETE_UPLOAD, UPLOAD_URL
from bot.support.errors import SlackFailed, SlackLimited, SlackPermanent, SlackUnknownOutcome
from bot.support.responses import parse_retry_after

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bot.support.clock import Clock

#: Slack may have acted all the same (its reference: "some aspect of the operation may have succeeded").
_UNKNOWN: Final = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})
#: An upload slower than this, in bytes a second, is given up for now.
_SLOWEST: Final = 200_000
#: Errors that repeating the same call can't change. Calls that fail with others are retried for a day.
_PERMANENT: Final = APP_SHUT_OUT | frozenset(
    {
        "cannot_dm_bot",
        "cant_update_message",
        "cannot_reply_to_message",
        "channel_not_found",
        "edit_window_closed",
        "file_not_found",
        "file_type_blocked",
        "file_update_failed",
        "file_upload_size_restricted",
        "file_uploads_disabled",
        "file_uploads_except_images_disabled",
        "invalid_arguments",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "is_archived",
        "message_not_found",
        "messages_tab_disabled",
        "metadata_too_large",
        "method_not_supported_for_channel_type",
        "missing_scope",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_permission",
        "no_text",
        "not_enabled",
        "not_allowed_token_type",
        "not_in_channel",
        "posting_to_channel_denied",
        "restricted_action",
        "slack_connect_file_upload_sharing_blocked",
        "storage_limit_reached",
        "thread_not_found",
        "too_many_attachments",
        "unknown_method",
        "user_disabled",
        "user_not_found",
        "user_not_in_channel",
        "user_not_visible",
        "users_not_found",
        "view_too_large",
    }
)


class WebApi:
    """Implement SlackCaller for production. ``session`` belongs to the caller and has no other use."""

    def __init__(
        self, token: str, base_url: str, session: aiohttp.ClientSession, clock: Clock, timeout: float = 10.0
    ) -> None:
        self._clock = clock
        self._timeout = timeout
        self._session = session
        self._own = base_url
        self._client = AsyncWebClient(
            token=token, base_url=base_url, session=session, timeout=int(timeout), retry_handlers=[]
        )

    async def call(self, method: str, arguments: Mapping[str, Any]) -> SlackAnswer:
        """Send one request; raise the SlackFailed kinds, never an error that contains its headers."""
        # Methods that write accept JSON; methods that read accept forms only.
        writes = method.startswith(("chat.", "views.")) or method == FILES_COMPLETE_UPLOAD
        sent: dict[str, Any] = {"json": dict(arguments)} if writes else {"data": _form(arguments)}
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._client.api_call(method, **sent)
        except SlackApiError as error:
            raise self._translated(method, error.response) from None
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError):
            raise SlackFailed(method, "unreachable") from None
        except (aiohttp.ClientError, SlackClientError, OSError, ValueError):  # TimeoutError is an OSError.
            raise SlackUnknownOutcome(method, "no_answer") from None
        data = response.data
        if not isinstance(data, dict):
            raise SlackUnknownOutcome(method, "malformed_answer")
        return SlackAnswer(data, _date(response.headers))

    async def upload(self, url: str, pieces: AsyncIterator[bytes], size: int) -> None:
        """Post the bytes as a stream, without a token; raise the SlackFailed kinds."""
        if not leads_to_slack(url, self._own):
            raise SlackFailed(UPLOAD_URL, "strange_address")
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        seconds = self._timeout + size / _SLOWEST
        try:
            async with (
                asyncio.timeout(seconds),
                self._session.post(
                    url,
                    data=pieces,
                    headers=headers,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=self._timeout),
                ) as response,
            ):
                status = response.status
        except (aiohttp.ClientError, OSError, ValueError):  # TimeoutError is an OSError.
            raise SlackFailed(UPLOAD_URL, "no_answer") from None
        if status != 200:
            raise SlackFailed(UPLOAD_URL, f"status_{status}")

    def _translated(self, method: str, response: Any) -> SlackFailed:
        status = int(getattr(response, "status_code", None) or getattr(response, "status", None) or 0)
        data = getattr(response, "data", None)
        code = str(data.get("error") or "") if isinstance(data, dict) else ""
        if status == 429 or code in ("ratelimited", "rate_limited"):
            wait = parse_retry_after(
                _header(getattr(response, "headers", None), "retry-after"), self._clock.now()
            )
            return SlackLimited(method, max(wait if wait is not None else 30.0, 1.0))
        if status >= 500 or not code or code in _UNKNOWN:
            return SlackUnknownOutcome(method, code or f"status_{status}")
        return SlackPermanent(method, code) if code in _PERMANENT else SlackFailed(method, code)


def _form(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Encode arguments as a form: booleans in lower case, empty values left out."""
    texts = {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in arguments.items()
        if value is not None
    }
    return {key: text for key, text in texts.items() if text}


def _header(headers: Any, name: str) -> str | None:
    found = next((text for key, text in (headers or {}).items() if key.lower() == name), None)
    return None if found is None else str(found)


def _date(headers: Any) -> float | None:
    value = _header(headers, "date")
    try:
        return parsedate_to_datetime(value).timestamp() if value else None
    except (ValueError, TypeError):
        return None

"""What the notifier and the table of people ask Slack through: one call, within the budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

import structlog

from bot.slack.methods import UPLOAD_URL
from bot.support.errors import SlackLimited, SlackPermanent
from bot.support.settings import is_loopback

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bot.slack.budget import Budget
    from bot.support.clock import Clock

log = structlog.get_logger(__name__)

#: Slack no longer lets the app in at all: nothing is wrong with the message.
APP_SHUT_OUT: Final = frozenset(
    {
        "account_inactive",
        "app_missing_action_url",
        "ekm_access_denied",
        "invalid_auth",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
    }
)
#: Where Slack takes files and answers, beside the host of the Web API itself.
_HOSTS: Final = ("slack.com", "slack-gov.com")
#: How long nothing is sent after Slack shut the app out; then one call finds out whether that is over.
SHUT_OUT_SECONDS: Final = 60.0


def leads_to_slack(url: str, api_url: str) -> bool:
    """Say whether something may be sent to an address: at Slack over https, or at the local Slack itself.

    ``api_url`` is where Slack's Web API is; on loopback only that very server counts.
    """
    try:
        target, own = urlsplit(url), urlsplit(api_url)
        host, own_host = target.hostname or "", own.hostname or ""
        is_same_port = target.port == own.port
    except ValueError:
        return False
    if target.username or target.password:
        return False
    if is_loopback(own_host):
        return target.scheme in {"http", "https"} and is_loopback(host) and is_same_port
    hosts = (*_HOSTS, own_host)
    return target.scheme == "https" and any(host == known or host.endswith(f".{known}") for known in hosts)


@dataclass(frozen=True, slots=True)
class SlackAnswer:
    """Hold a good answer, and Slack's own time of it (``Date`` header, epoch seconds) where it told one."""

    data: Mapping[str, Any]
    at: float | None = None


class SlackCaller(Protocol):
    """Call one method of the Web API once, or hand over a file's bytes."""

    async def call(self, method: str, arguments: Mapping[str, Any]) -> SlackAnswer:
        """Return the answer; raise the SlackFailed kinds of ``bot.support.errors``."""
        ...

    async def upload(self, url: str, pieces: AsyncIterator[bytes], size: int) -> None:
        """Send ``size`` bytes to the address that Slack told for them; raise the SlackFailed kinds.

        Nobody sees them before the upload is completed, so doing it again does no harm.
        """
        ...


class PacedSlack:
    """Call Slack within the budget; know how its clock stands to ours, and when the app is shut out."""

    def __init__(self, slack: SlackCaller, budget: Budget, clock: Clock) -> None:
        self._slack = slack
        self._clock = clock
        self._shut_until = 0.0
        self.budget = budget
        #: Slack's time minus ours, in seconds, by the newest answer's header and by the newest message.
        self._by_header = 0.0
        self._by_message = 0.0
        #: Slack's word for why nothing can be sent at all; None when it can.
        self.shut_out: str | None = None

    @property
    def is_shut(self) -> bool:
        """Return whether nothing is to be sent now, because Slack does not let the app in."""
        return self.shut_out is not None and self._clock.monotonic() < self._shut_until

    async def call(
        self, method: str, arguments: Mapping[str, Any], *, channel: str | None = None, share: float = 1.0
    ) -> SlackAnswer:
        """Call a method once. Raises SlackLimited, nothing done, when the budget or Slack wants a pause."""
        if self.is_shut:
            raise SlackPermanent(method, self.shut_out or "shut_out")
        wait = self.budget.take(method, channel, share)
        if wait > 0:
            raise SlackLimited(method, wait)
        try:
            answer = await self._slack.call(method, arguments)
        except SlackLimited as error:
            self.budget.pause(method, error.retry_after)
            raise
        except SlackPermanent as error:
            if error.code in APP_SHUT_OUT:
                self._shut(error)
            raise
        if self.shut_out is not None:
            log.info("slack lets the app in again")
            self.shut_out = None
        self._compare_clocks(answer)
        return answer

    async def upload(self, url: str, pieces: AsyncIterator[bytes], size: int) -> None:
        """Hand over a file's bytes; raises as ``SlackCaller.upload`` does."""
        if self.is_shut:
            raise SlackPermanent(UPLOAD_URL, self.shut_out or "shut_out")
        await self._slack.upload(url, pieces, size)

    @property
    def behind(self) -> float:
        """Return by how many seconds Slack's clock may be behind ours; 0 when it is not."""
        return max(-self._by_header, -self._by_message, 0.0)

    def _compare_clocks(self, answer: SlackAnswer) -> None:
        now = self._clock.now()
        if answer.at is not None:
            self._by_header = answer.at - now
        ts = answer.data.get("ts")
        if isinstance(ts, str) and ts.replace(".", "", 1).isdecimal():
            self._by_message = float(ts) - now

    def _shut(self, error: SlackPermanent) -> None:
        if self.shut_out is None:
            log.error("slack shut the app out", problem=error.code)
        self.shut_out = error.code
        self._shut_until = self._clock.monotonic() + SHUT_OUT_SECONDS

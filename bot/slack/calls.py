"""Calls of Slack's methods: one at a time, within their limits.

Every call of a limited method is counted in the database before it is made, so the budget holds across
restarts and for all processes together (ADR 30).
"""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import structlog

from bot.domain.installations import Installation
from bot.domain.outages import SLACK
from bot.domain.people import Principal
from bot.services.reachability import Answering
from bot.slack.errors import SHUT_OUT_SECONDS, Meaning, meaning
from bot.slack.methods import (
    AUTH_TEST,
    CHAT_GET_PERMALINK,
    CHAT_POST_MESSAGE,
    CONVERSATIONS_HISTORY,
    CONVERSATIONS_OPEN,
    CONVERSATIONS_REPLIES,
    METHODS,
    UNLISTED,
    UPLOAD_URL,
)
from bot.store import slack_rate_limits as budget_rows
from bot.store.slack_rate_limits import LEAVES_WITHIN, MINUTE, WINDOW, CallQuota
from bot.store.store import Store
from bot.store.transaction import answered_soon
from bot.support.addresses import is_loopback
from bot.support.clock import Clock
from bot.support.errors import SlackFailed, SlackLimited, SlackPermanent, SlackUnknownOutcome, StoreError
from bot.support.guards import guards
from bot.support.windows import Attempt, TooLateError, trying, window

log = structlog.get_logger(__name__)


#: Our own code: Usher isn't installed there, or not any more.
NOT_INSTALLED: Final = "not_installed"
#: Slack's hosts for files and responses, besides the Web API's own.
_HOSTS: Final = ("slack.com", "slack-gov.com")
#: No connection could be made; nothing was sent.
UNREACHABLE: Final = "unreachable"
#: How long a method isn't called, at most, after a 429: perhaps only one channel's limit was reached.
MAX_METHOD_PAUSE_SECONDS: Final = 60.0
#: How often something pending is tried while Slack doesn't answer, in seconds.
TRIES_EVERY: Final = 5.0
#: How often, at most, what waits for Slack is released: a single message may fail by itself, again and again.
RELEASES_EVERY: Final = 15.0
#: The same where the last try made no call after all.
TRIES_AGAIN: Final = 1.0
#: How long the database may take to count a call that is made without it otherwise.
COUNT_SECONDS: Final = 0.3
#: The part of a method's budget that each process has where the database can't count its calls.
UNCOUNTED_SHARE: Final = 0.5
#: The methods that look for a message, and what else it is tried with.
_SEARCHES: Final = frozenset({CONVERSATIONS_HISTORY, CONVERSATIONS_REPLIES})
_TRIED: Final = _SEARCHES | {CHAT_POST_MESSAGE, CONVERSATIONS_OPEN}


def leads_to_slack(url: str, api_url: str) -> bool:
    """Return whether an address may be sent to: Slack's over https, or the local test server itself.

    ``api_url`` is the address of Slack's Web API; on loopback only that very server is accepted.
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
    """Hold a successful response, and Slack's own time of it (``Date`` header, epoch seconds) if present."""

    data: Mapping[str, Any]
    at: float | None = None


class SlackCaller(Protocol):
    """Call one method of the Web API once, or upload a file's bytes."""

    async def call(self, method: str, arguments: Mapping[str, Any]) -> SlackAnswer:
        """Return the answer; raise the SlackFailed kinds of ``bot.support.errors``."""
        ...

    async def upload(self, url: str, pieces: AsyncIterator[bytes], size: int) -> None:
        """Send ``size`` bytes to an upload address from Slack; raise the SlackFailed kinds.

        Nobody sees them before the upload is completed, so repeating it does no harm.
        """
        ...


async def check_token(caller: SlackCaller) -> str | None:
    """Return the code by which Slack refuses a caller's token, None if it takes it.

    Raises SlackFailed if that isn't known now.
    """
    try:
        await caller.call(AUTH_TEST, {})
    except SlackPermanent as error:
        if meaning(error) is not Meaning.TOKEN:
            raise
        return error.code
    return None


async def is_channel(caller: SlackCaller, channel: str, ts: str) -> bool:
    """Return whether Slack knows a channel by an id; raises SlackFailed if that isn't known now.

    It needs no scope: a message that isn't there is another error than a channel that isn't.
    """
    try:
        await caller.call(CHAT_GET_PERMALINK, {"channel": channel, "message_ts": ts})
    except SlackPermanent as error:
        if meaning(error) not in (Meaning.PLACE, Meaning.LOST):
            raise
        return meaning(error) is Meaning.LOST
    return True


class AnySlack(Protocol):
    """Call Slack where a person is: with the only token, or with that of their installation.

    ``answering`` is about Slack as a whole: it answers if it does anywhere.
    """

    answering: Answering

    def to(self, principal: Principal) -> PacedSlack:
        """Return what calls Slack where a person is."""
        ...

    def all(self) -> list[PacedSlack]:
        """Return what calls Slack, for each installation."""
        ...

    def room(self, method: str) -> CallQuota:
        """Return what says how much may be claimed for a method."""
        ...

    @property
    def is_shut(self) -> bool:
        """Return whether nothing can be sent for now."""
        ...

    @property
    def shut_out(self) -> str | None:
        """Return Slack's error code for why nothing can be sent at all; None if it can."""
        ...


class CallBudget(Protocol):
    """Grant calls of Slack's methods."""

    async def take(self, method: str, channel: str | None = None, share: float = 1.0) -> float:
        """Count a call and return 0; or count nothing and return how many seconds to wait."""
        ...

    async def pause(self, method: str, seconds: float) -> None:
        """Stop calling a method for a while, because Slack asked for it."""
        ...


class PacedSlack:
    """Call Slack within the budget; track the offset of its clock, and whether the app is shut out.

    ``prepare`` is done before a call is counted, as it may take a while; it raises the SlackFailed kinds.

    In memory: that Slack doesn't answer, shut the app out, or has another time. Restart: the next call shows.
    Several processes: each finds out by a call, within a minute.
    """

    def __init__(
        self,
        slack: SlackCaller,
        budget: Budget,
        clock: Clock,
        prepare: Callable[[], Awaitable[object]] | None = None,
        answering: Answering | None = None,
    ) -> None:
        self._slack = slack
        self._prepare = prepare
        self._clock = clock
        self._shut_until = 0.0
        self.budget = budget
        self._uncounted = UncountedBudget(budget, clock)
        #: Slack's time minus ours, in seconds, by the last response's header and by the last message.
        self._by_header = 0.0
        self._by_message = 0.0
        self._shut_out: str | None = None
        #: Whether calls have failed since the last release. True at first: so they may have for the process
        #: before.
        self._was_away, self._released_at = True, -math.inf
        self.answering = answering or Answering(SLACK)
        #: Whether messages wait until one is answered, at first too; how often one was tried since then or
        #: since a search was, and when the next is; when a call last had no answer.
        self._waits, self.tried, self._tries_at, self._silent_at = True, 0, -math.inf, -math.inf

    def to(self, principal: Principal) -> PacedSlack:  # noqa: ARG002 - as ``InstalledSlack`` has it
        """Return what calls Slack where a person is: there is only one place."""
        return self

    def all(self) -> list[PacedSlack]:
        """Return it as the only one."""
        return [self]

    def room(self, method: str) -> CallQuota:
        """Return what says how much room there is for a method."""
        return self.budget.room(method)

    @property
    def shut_out(self) -> str | None:
        """Return Slack's error code for why nothing can be sent at all; None if it can."""
        return self._shut_out

    @property
    def is_shut(self) -> bool:
        """Return whether to send nothing for now, because Slack doesn't let the app in."""
        return self._shut_out is not None and self._clock.monotonic() < self._shut_until

    def shut(self, code: str) -> None:
        """Send nothing any more, for a reason of our own."""
        self._shut_out, self._shut_until = code, math.inf

    async def call(
        self, method: str, arguments: Mapping[str, Any], *, channel: str | None = None, share: float = 1.0
    ) -> SlackAnswer:
        """Call a method once.

        Raises SlackLimited if the budget or Slack wants a pause, and StoreError if the call can't be counted;
        nothing was sent then.
        """
        return await self._call(self.budget, method, arguments, channel, share)

    async def call_uncounted(
        self, method: str, arguments: Mapping[str, Any], *, channel: str | None = None
    ) -> SlackAnswer:
        """Call a method once, also while the database can't count calls; raises as ``call`` does."""
        return await self._call(self._uncounted, method, arguments, channel)

    async def _call(
        self,
        budget: CallBudget,
        method: str,
        arguments: Mapping[str, Any],
        channel: str | None = None,
        share: float = 1.0,
    ) -> SlackAnswer:
        self._check(method)
        if self._prepare is not None:
            await self._prepare()
        monotonic = self._clock.monotonic
        leaves = window(monotonic() + LEAVES_WITHIN)
        wait = await budget.take(method, channel, share)
        if wait > 0 or monotonic() > leaves.until:
            raise SlackLimited(method, wait or LEAVES_WITHIN)
        # Another call may have been shut out in the meantime.
        self._check(method)
        if method in _TRIED:
            self._tries_at = monotonic() + TRIES_EVERY
        try:
            with trying(Attempt(monotonic, leaves)):
                answer = await self._slack.call(method, arguments)
        except TooLateError:
            raise SlackLimited(method, LEAVES_WITHIN) from None
        except SlackLimited as error:
            self._answers(method, wants_pause=True)
            await budget.pause(method, min(error.retry_after, MAX_METHOD_PAUSE_SECONDS))
            raise
        except SlackFailed as error:
            is_unanswered = isinstance(error, SlackUnknownOutcome) or error.code == UNREACHABLE
            if is_unanswered:
                self._is_silent()
            else:
                self._answers(method)
            if is_unanswered or meaning(error).is_shut_out:
                self._was_away = True
            if meaning(error).is_shut_out:
                self._shut(error)
            raise
        self._answers(method)
        if self.shut_out is not None:
            log.info("slack lets the app in again")
            self._shut_out = None
        self._compare_clocks(answer)
        return answer

    def _answers(self, method: str, *, wants_pause: bool = False) -> None:
        self.answering.worked(self._clock.now())
        if method == CHAT_POST_MESSAGE:
            self._waits = False
        elif method in _SEARCHES and not wants_pause:
            # Slack may show messages and take none: the next try is a send, and comes at once.
            self.tried, self._tries_at = 0, -math.inf

    def _is_silent(self) -> None:
        self.answering.failed(self._clock.now())
        self._silent_at = self._clock.monotonic()
        if not self._waits:
            self._waits, self.tried, self._tries_at = True, 0, -math.inf

    @property
    def is_away(self) -> bool:
        """Return whether what is sent now may get no answer: no message has since a call that got none."""
        return self._waits and self._shut_out is None

    def tries(self) -> bool:
        """Return whether a try is due while Slack is away, and count it."""
        now = self._clock.monotonic()
        if not self.is_away or now < self._tries_at:
            return False
        self.tried, self._tries_at = self.tried + 1, now + TRIES_AGAIN
        return True

    def owes_nothing(self, seconds: float) -> None:
        """Note that nothing can be tried: so many seconds after a failure, what comes is sent as ever."""
        self._waits = self._clock.monotonic() < self._silent_at + seconds

    @property
    def is_restless(self) -> bool:
        """Return whether Slack was away, and what waited for it isn't released yet."""
        return self._waits or self._was_away

    def is_back(self) -> bool:
        """Return, once each time, that Slack answers again: nothing has to wait for it any longer."""
        now = self._clock.monotonic()
        is_out = self._waits or self._shut_out is not None or now < self._released_at + RELEASES_EVERY
        if is_out or not self._was_away:
            return False
        self._was_away, self._released_at = False, now
        return True

    async def upload(self, url: str, pieces: AsyncIterator[bytes], size: int) -> None:
        """Upload a file's bytes; raises as ``SlackCaller.upload`` does."""
        self._check(UPLOAD_URL)
        await self._slack.upload(url, pieces, size)

    def _check(self, method: str) -> None:
        if self.is_shut:
            raise SlackPermanent(method, self.shut_out or "shut_out")

    @property
    @guards("No notice is lost or sent twice")
    def behind(self) -> float:
        """Return by how many seconds Slack's clock may be behind ours; 0 if it isn't."""
        return max(-self._by_header, -self._by_message, 0.0)

    def _compare_clocks(self, answer: SlackAnswer) -> None:
        now = self._clock.now()
        if answer.at is not None:
            self._by_header = answer.at - now
        ts = answer.data.get("ts")
        if isinstance(ts, str) and ts.replace(".", "", 1).isdecimal():
            self._by_message = float(ts) - now

    def _shut(self, error: SlackFailed) -> None:
        if self.shut_out is None:
            log.error("slack shut the app out", problem=error.code)
        self._shut_out = error.code
        self._shut_until = self._clock.monotonic() + SHUT_OUT_SECONDS


class Budget:
    """Grant calls. ``share`` reserves the rest of a method's budget for more urgent calls.

    A method that Slack doesn't limit costs nothing: it isn't counted. Raises StoreError.
    """

    def __init__(self, store: Store, installation: Installation) -> None:
        self._store = store
        self.installation = installation
        self._team = installation.id

    async def take(self, method: str, channel: str | None = None, share: float = 1.0) -> float:
        """Count a call and return 0; or count nothing and return how many seconds to wait."""
        limit = METHODS.get(method, UNLISTED)
        if limit.per_minute is None:
            return 0.0
        paced = limit.per_channel_per_minute if channel is not None else None
        return await self._store.write(
            budget_rows.take_slack_call,
            self._team,
            method,
            most=self.room(method).most(share),
            channel=channel or "",
            gap=0.0 if paced is None else MINUTE / paced + LEAVES_WITHIN,
        )

    def room(self, method: str) -> CallQuota:
        """Return what says how much room there is for a method."""
        return CallQuota(self._team, method, METHODS.get(method, UNLISTED).per_minute)

    async def pause(self, method: str, seconds: float) -> None:
        """Stop calling a method for a while, because Slack asked for it."""
        await self._store.write(budget_rows.pause_slack_method, self._team, method, seconds)


class UncountedBudget:
    """Grant calls also while the database can't count them: nothing else is sent then, and few of these are.

    In memory: the calls of the last minute, and pauses. Restart: none are known. Several processes: each has
    its share of a method's limit, and doesn't know of the others' calls.
    """

    def __init__(self, budget: Budget, clock: Clock) -> None:
        self._budget = budget
        self._monotonic = clock.monotonic
        self._calls: defaultdict[str, deque[float]] = defaultdict(deque)
        self._paused_until: dict[str, float] = {}

    async def take(self, method: str, channel: str | None = None, share: float = 1.0) -> float:
        """Count a call and return 0; or count nothing and return how many seconds to wait."""
        with suppress(StoreError, TimeoutError), answered_soon():
            # It may only have been busy; then others are sending, too.
            async with asyncio.timeout(COUNT_SECONDS):
                return await self._budget.take(method, channel, share)
        now, calls = self._monotonic(), self._calls[method]
        while calls and calls[0] <= now - WINDOW:
            calls.popleft()
        pause = self._paused_until.get(method, now) - now
        if len(calls) >= self._budget.room(method).most(UNCOUNTED_SHARE * share):
            pause = max(pause, calls[0] + WINDOW - now)
        if pause <= 0:
            calls.append(now)
        return max(pause, 0.0)

    async def pause(self, method: str, seconds: float) -> None:
        """Stop calling a method for a while, because Slack asked for it."""
        self._paused_until[method] = self._monotonic() + seconds

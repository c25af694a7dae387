"""Calls to Slack's methods, within Slack's rate limits.

Usher counts every call to a rate-limited method in the database before making it, so the limit holds across
restarts and for all processes together (ADR 30).
"""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import urlsplit

import structlog

from bot.domain.installations import Installation
from bot.domain.outages import SLACK
from bot.domain.people import Principal
from bot.services.reachability import Reachability
from bot.slack.errors import SHUT_OUT_SECONDS, Meaning, classify
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
from bot.store.slack_rate_limits import DEPARTURE_SECONDS, MINUTE_SECONDS, WINDOW_SECONDS, CallQuota
from bot.store.store import Store
from bot.store.transaction import share_request_patience
from bot.support.addresses import is_loopback
from bot.support.clock import Clock
from bot.support.errors import (
    SlackFailed,
    SlackLimited,
    SlackPermanent,
    SlackRefusedHere,
    SlackUnknownOutcome,
    StoreError,
)
from bot.support.windows import Attempt, TooLateError, narrow_window, track_attempt

log = structlog.get_logger(__name__)


#: Usher's own error code for a Slack workspace in which Usher isn't installed.
NOT_INSTALLED_CODE: Final = "not_installed"
#: Slack's domains. Usher may send requests to them and their subdomains, and to the Web API's host.
_SLACK_HOSTS: Final = ("slack.com", "slack-gov.com")
#: Usher's own error code for a failed connection to Slack. It means that nothing was sent.
UNREACHABLE_CODE: Final = "unreachable"
#: Longest pause, in seconds, for a method or a conversation after a 429.
MAX_METHOD_PAUSE_SECONDS: Final = 60.0
#: Number of people or channels that Slack must refuse in a row before Usher treats the whole app as locked
#: out, even if ``auth.test`` succeeds.
MIN_PEOPLE_REFUSED: Final = 3
#: Interval, in seconds, between retries of a pending message while Slack isn't responding.
TRY_INTERVAL_SECONDS: Final = 5.0
#: After an outage of Slack, Usher makes all waiting messages due. This is the minimum time, in seconds,
#: before it does so again. Without it, a single call that keeps timing out, although Slack accepts messages,
#: would make them due again and again.
MIN_RELEASE_INTERVAL_SECONDS: Final = 15.0
#: Delay before the next retry, in seconds, if a retry didn't call Slack, for example because there was no
#: message to send or search for.
EMPTY_TRY_SECONDS: Final = 1.0
#: How long, in seconds, the database may take to count a call to Slack. After that, this process counts the
#: call in memory.
COUNT_TIMEOUT_SECONDS: Final = 0.3
#: The share of a method's limit that each process may use while the database can't count calls.
UNCOUNTED_SHARE: Final = 0.5
#: Methods for searching for a pending message. ``_TRY_METHODS`` also contains those for resending it.
_SEARCH_METHODS: Final = frozenset({CONVERSATIONS_HISTORY, CONVERSATIONS_REPLIES})
_TRY_METHODS: Final = _SEARCH_METHODS | {CHAT_POST_MESSAGE, CONVERSATIONS_OPEN}
#: Arguments of Slack methods that identify a conversation, a person or a group of people.
_PLACE_ARGUMENTS: Final = ("channel", "channel_id", "user", "user_id", "users", "usergroup", "team_id")
#: Arguments of Slack methods that identify a person's interaction, or a form opened for that person.
_VIEW_ARGUMENTS: Final = ("trigger_id", "view_id", "external_id")


def is_slack_address(url: str, api_url: str) -> bool:
    """Return whether Usher may send requests to a URL, which has to be one of Slack's and use https.

    ``api_url`` is the URL of Slack's Web API. If it is on this machine, it belongs to a test server, and only
    that server is accepted.
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
    hosts = (*_SLACK_HOSTS, own_host)
    return target.scheme == "https" and any(
        host == slack_host or host.endswith(f".{slack_host}") for slack_host in hosts
    )


class SlackAnswer(NamedTuple):
    """A successful response and, if given, its time by Slack's clock (``Date`` header, epoch seconds)."""

    data: Mapping[str, Any]
    at: float | None = None


class SlackCaller(Protocol):
    """A client that calls a Web API method once, or uploads a file's bytes."""

    async def call(self, method: str, arguments: Mapping[str, Any]) -> SlackAnswer:
        """Return Slack's response, or raise one of the SlackFailed errors in ``bot.support.errors``."""
        ...

    async def upload(self, url: str, pieces: AsyncIterator[bytes], size: int) -> None:
        """Send ``size`` bytes to an upload URL from Slack, or raise one of the SlackFailed errors.

        An upload may safely be repeated, because nobody sees the file until it is shared.
        """
        ...


async def check_token(caller: SlackCaller) -> str | None:
    """Return Slack's error code if Slack refuses a caller's token, or None if it accepts the token.

    Raises SlackFailed if Slack can't be reached.
    """
    try:
        await caller.call(AUTH_TEST, {})
    except SlackPermanent as error:
        if classify(error) is not Meaning.TOKEN:
            raise
        return error.code
    return None


async def is_channel(caller: SlackCaller, channel: str, ts: str) -> bool:
    """Return whether Slack knows a channel id. Raises SlackFailed if Slack can't be reached or won't say.

    Requesting a message's permalink needs no scope. The error code shows whether Slack doesn't know the
    channel or only the message.
    """
    try:
        await caller.call(CHAT_GET_PERMALINK, {"channel": channel, "message_ts": ts})
    except SlackPermanent as error:
        if classify(error) not in (Meaning.PLACE, Meaning.LOST):
            raise
        return classify(error) is Meaning.LOST
    return True


class PacedSlack:
    """A client that keeps to the budget, and tracks Slack's clock and whether Slack has locked the app out.

    ``prepare`` runs before a call is counted, since it may take a while. It may raise one of the SlackFailed
    errors.

    If an error means that Slack refuses the app, the client calls ``auth.test``. If Slack refuses this call
    as well, the whole app is locked out. If not, the client pauses only the refused conversation or person.

    All that the client knows about Slack is kept in memory. After a restart, and in each other process, the
    client learns it from its own calls, within a minute.
    """

    def __init__(
        self,
        slack: SlackCaller,
        budget: Budget,
        clock: Clock,
        prepare: Callable[[], Awaitable[object]] | None = None,
        answering: Reachability | None = None,
    ) -> None:
        self._slack = slack
        self._prepare = prepare
        self._clock = clock
        self._locked_out_until = 0.0
        self.budget = budget
        self._uncounted = UncountedBudget(budget, clock)
        #: How far, in seconds, Slack's clock is ahead of Usher's. ``_by_header`` is calculated from the
        #: ``Date`` header of the last response, and ``_by_message`` from the timestamp of the last message.
        self._by_header = 0.0
        self._by_message = 0.0
        #: Slack's error code if it has locked out the whole app, otherwise None.
        self.lockout_code: str | None = None
        #: Maps each refused person or conversation to the end of its pause and to Slack's error code.
        self._resting: dict[str, tuple[float, str]] = {}
        #: The people and channels that Slack has refused in a row. The set is cleared as soon as Slack
        #: accepts a call about any person or conversation.
        self._refused_people: set[str] = set()
        #: Whether Slack has failed to respond to a call since waiting messages were last released. Initially
        #: True, because the previous process may have left messages waiting.
        self._was_away, self._released_at = True, -math.inf
        self.answering = answering or Reachability(SLACK)
        #: Whether messages other than retries are held back until Slack accepts one (initially True).
        #: ``tries`` counts the retries since Slack last accepted a message or answered a search.
        #: ``_tries_at`` is the time of the next retry, and ``_silent_at`` the time of the last call that got
        #: no response.
        self._waits, self.tries, self._tries_at, self._silent_at = True, 0, -math.inf, -math.inf

    def find_client(self, principal: Principal) -> PacedSlack:  # noqa: ARG002 - as ``InstalledSlack`` has it
        """Return this client, because there is only one."""
        return self

    def list_clients(self) -> list[PacedSlack]:
        """Return a list with this client, because there is only one."""
        return [self]

    def get_quota(self, method: str) -> CallQuota:
        """Return the quota of a method."""
        return self.budget.get_quota(method)

    @property
    def is_locked_out(self) -> bool:
        """Return whether Slack has currently locked the app out, so that nothing can be sent."""
        return self.lockout_code is not None and self._clock.monotonic() < self._locked_out_until

    def lock_out(self, code: str) -> None:
        """Stop sending because Usher itself has detected a problem. ``code`` is the error code to report."""
        self.lockout_code, self._locked_out_until = code, math.inf

    async def call(
        self,
        method: str,
        arguments: Mapping[str, Any],
        *,
        channel: str | None = None,
        share: float = 1.0,
        must_count: bool = True,
    ) -> SlackAnswer:
        """Call a method once, and return the response or raise one of the SlackFailed errors.

        Raises SlackLimited if the budget or Slack requires a pause, and StoreError if the call can't be
        counted. After either error, the call has had no effect. ``must_count`` is False if the call is to be
        made even if the database can't count it.
        """
        budget: Budget | UncountedBudget = self.budget if must_count else self._uncounted
        self._require_access(method)
        if self._prepare is not None:
            await self._prepare()
        monotonic = self._clock.monotonic
        place = _find_place(method, arguments)
        until, code = self._resting.get(place or "", (0.0, ""))
        if (left := until - monotonic()) > 0:
            raise SlackRefusedHere(method, code, left)
        leaves = narrow_window(monotonic() + DEPARTURE_SECONDS)
        wait = await budget.take(method, channel, share)
        if wait > 0 or monotonic() > leaves.until:
            raise SlackLimited(method, wait or DEPARTURE_SECONDS)
        # Another call may have detected a lockout while this call was being counted.
        self._require_access(method)
        if method in _TRY_METHODS:
            self._tries_at = monotonic() + TRY_INTERVAL_SECONDS
        try:
            with track_attempt(Attempt(monotonic, leaves)):
                answer = await self._slack.call(method, arguments)
        except TooLateError:
            raise SlackLimited(method, DEPARTURE_SECONDS) from None
        except SlackLimited as error:
            self._note_answer(method, wants_pause=True)
            await budget.pause(method, min(error.retry_after, MAX_METHOD_PAUSE_SECONDS), channel)
            raise
        except SlackFailed as error:
            if isinstance(error, SlackUnknownOutcome) or error.code == UNREACHABLE_CODE:
                self._note_silence()
            else:
                self._note_answer(method)
            if not classify(error).is_shut_out:
                raise
            if method == AUTH_TEST or await self._is_shut_out():
                self._set_lockout_code(error.code)
                self._refused_people.clear()
                self._locked_out_until = monotonic() + SHUT_OUT_SECONDS
                raise
            self._note_refusal(error.code, place, channel or place)
            raise SlackRefusedHere(method, error.code, SHUT_OUT_SECONDS) from None
        self._note_answer(method)
        self._note_admission(method, place)
        self._compare_clocks(answer)
        return answer

    def _note_answer(self, method: str, *, wants_pause: bool = False) -> None:
        self.answering.record_answer(self._clock.now())
        if method == CHAT_POST_MESSAGE:
            self._waits = False
        elif method in _SEARCH_METHODS and not wants_pause:
            # Slack may answer searches without accepting messages. So make the next retry due now, and let it
            # send a message.
            self.tries, self._tries_at = 0, -math.inf

    def _note_silence(self) -> None:
        self.answering.record_failure(self._clock.now())
        self._was_away, self._silent_at = True, self._clock.monotonic()
        if not self._waits:
            self._waits, self.tries, self._tries_at = True, 0, -math.inf

    @property
    def is_away(self) -> bool:
        """Return whether Slack may be down: a call got no response, and no message was accepted since."""
        return self._waits and self.lockout_code is None

    def claim_try(self) -> bool:
        """Return whether Slack isn't responding and a retry is due. If so, record the retry."""
        now = self._clock.monotonic()
        if not self.is_away or now < self._tries_at:
            return False
        self.tries, self._tries_at = self.tries + 1, now + EMPTY_TRY_SECONDS
        return True

    def note_nothing_pending(self, seconds: float) -> None:
        """Record that no messages are pending, so that the next one doesn't have to wait for a retry.

        It still has to wait if a call has gone unanswered in the last ``seconds``.
        """
        self._waits = self._clock.monotonic() < self._silent_at + seconds

    @property
    def is_restless(self) -> bool:
        """Return whether messages are waiting for Slack to respond, or still have to be released."""
        return self._waits or self._was_away

    def claim_release(self) -> bool:
        """Return whether to release the waiting messages. This returns True once after each outage."""
        now = self._clock.monotonic()
        is_out = (
            self._waits
            or self.lockout_code is not None
            or now < self._released_at + MIN_RELEASE_INTERVAL_SECONDS
        )
        if is_out or not self._was_away:
            return False
        self._was_away, self._released_at = False, now
        return True

    async def upload(self, url: str, pieces: AsyncIterator[bytes], size: int) -> None:
        """Upload a file's bytes. Raise the same errors as ``SlackCaller.upload``."""
        self._require_access(UPLOAD_URL)
        await self._slack.upload(url, pieces, size)

    def _require_access(self, method: str) -> None:
        if self.is_locked_out:
            raise SlackPermanent(method, self.lockout_code or "shut_out")

    # guards: No notice is lost or sent twice
    @property
    def clock_lag(self) -> float:
        """Return how many seconds Slack's clock may be behind Usher's. If it isn't behind, return 0."""
        return max(-self._by_header, -self._by_message, 0.0)

    def _compare_clocks(self, answer: SlackAnswer) -> None:
        now = self._clock.now()
        if answer.at is not None:
            self._by_header = answer.at - now
        ts = answer.data.get("ts")
        if isinstance(ts, str) and ts.replace(".", "", 1).isdecimal():
            self._by_message = float(ts) - now

    async def _is_shut_out(self) -> bool:
        """Return whether Slack rejects even ``auth.test``, which doesn't concern a person or conversation."""
        try:
            await self._slack.call(AUTH_TEST, {})
        except SlackFailed as error:
            return classify(error).is_shut_out
        return False

    def _set_lockout_code(self, code: str) -> None:
        if self.lockout_code is None:
            log.error("slack shut the app out", problem=code)
        self.lockout_code, self._was_away = code, True

    def _note_refusal(self, code: str, place: str | None, person: str | None) -> None:
        """After a refusal, stop sending to the person or conversation for a while.

        If Slack has refused several people in a row, record a lockout. Usher still tries everyone, because
        Slack may accept messages for some of them.
        """
        now = self._clock.monotonic()
        if place is not None:
            self._resting = {key: rest for key, rest in self._resting.items() if rest[0] > now}
            self._resting[place] = now + SHUT_OUT_SECONDS, code
        log.warning("slack refuses the app one conversation or person", place=place, problem=code)
        # The id of a direct message may belong to a person who has already been counted.
        if person is not None and not person.startswith("D"):
            self._refused_people.add(person)
        if len(self._refused_people) >= MIN_PEOPLE_REFUSED:
            self._set_lockout_code(code)

    def _note_admission(self, method: str, place: str | None) -> None:
        """Record that Slack has accepted a call, which may end a lockout."""
        if place is not None and place != method:
            self._refused_people.clear()
        if self.lockout_code is not None and not self._refused_people:
            log.info("slack lets the app in again")
            self.lockout_code = None


def _find_place(method: str, arguments: Mapping[str, Any]) -> str | None:
    """Return the conversations and people that a call is about or, if there are none, the method's name.

    Returns None if the call only addresses an interaction or a form.
    """
    named = [str(arguments[name]) for name in _PLACE_ARGUMENTS if arguments.get(name)]
    if not named and any(arguments.get(name) for name in _VIEW_ARGUMENTS):
        return None
    return " ".join(named) or method


class Budget:
    """The budget for an installation's calls. All its methods may raise StoreError.

    ``share`` is the part of a method's limit that a call may use up. The rest is reserved for more urgent
    calls.
    """

    def __init__(self, store: Store, installation: Installation) -> None:
        self._store = store
        self.installation = installation

    async def take(self, method: str, channel: str | None = None, share: float = 1.0) -> float:
        """Count a call and return 0. If the call has to wait, just return the delay in seconds."""
        limit = METHODS.get(method, UNLISTED)
        if limit.per_minute is None:
            return 0.0
        paced = limit.per_channel_per_minute if channel is not None else None
        return await self._store.write(
            budget_rows.take_slack_call,
            self.installation.id,
            method,
            most=self.get_quota(method).most(share),
            channel=channel or "",
            gap=0.0 if paced is None else MINUTE_SECONDS / paced + DEPARTURE_SECONDS,
        )

    def get_quota(self, method: str) -> CallQuota:
        """Return the quota of a method."""
        return CallQuota(self.installation.id, method, METHODS.get(method, UNLISTED).per_minute)

    async def pause(self, method: str, seconds: float, channel: str | None = None) -> None:
        """Stop calling a method for as long as Slack requested.

        If Slack limits the method per channel, this pauses only the channel. If another channel is already
        paused, it pauses the whole method.
        """
        paced = METHODS.get(method, UNLISTED).per_channel_per_minute is not None
        await self._store.write(
            budget_rows.pause_slack_method, self.installation.id, method, seconds, channel if paced else None
        )


class UncountedBudget:
    """A budget for the few kinds of calls that are made even if the database can't count them.

    This process counts its own calls in memory, and may use only ``UNCOUNTED_SHARE`` of a method's limit.
    """

    def __init__(self, budget: Budget, clock: Clock) -> None:
        self._budget = budget
        self._monotonic = clock.monotonic
        self._calls: defaultdict[str, deque[float]] = defaultdict(deque)
        self._paused_until: dict[tuple[str, str], float] = {}

    async def take(self, method: str, channel: str | None = None, share: float = 1.0) -> float:
        """Count a call and return 0. If the call has to wait, just return the delay in seconds."""
        with suppress(StoreError, TimeoutError), share_request_patience():
            # The shared count matters most if the database is slow because other processes are sending, too.
            async with asyncio.timeout(COUNT_TIMEOUT_SECONDS):
                return await self._budget.take(method, channel, share)
        now, calls = self._monotonic(), self._calls[method]
        while calls and calls[0] <= now - WINDOW_SECONDS:
            calls.popleft()
        pause = max(self._paused_until.get((method, paused), now) for paused in ("", channel or "")) - now
        if len(calls) >= self._budget.get_quota(method).most(UNCOUNTED_SHARE * share):
            pause = max(pause, calls[0] + WINDOW_SECONDS - now)
        if pause <= 0:
            calls.append(now)
        return max(pause, 0.0)

    async def pause(self, method: str, seconds: float, channel: str | None = None) -> None:
        """Stop calling a method for as long as Slack requested, like ``Budget.pause``."""
        now = self._monotonic()
        self._paused_until = {key: until for key, until in self._paused_until.items() if until > now}
        paced = METHODS.get(method, UNLISTED).per_channel_per_minute is not None
        is_other_paused = any(key[0] == method and key[1] != channel for key in self._paused_until)
        paused = channel if paced and channel and not is_other_paused else ""
        self._paused_until[method, paused] = now + seconds

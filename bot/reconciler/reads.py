"""Reads workspaces' states: claims due reads, sends them, and records the results.

Each workspace's poll gate limits how often the workspace is read (``docs/internals/rules.md``, "The poll
gate"). A read that can't be sent soon after its claim is dropped. Results that arrive while a batch is being
written form the next batch. An *entry* is the secret that opens a workspace from Usher's page.
"""

import asyncio
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256

import structlog

from bot.domain.audit import AuditEntry
from bot.domain.holds import Hold, HoldCode, hold_by_cause, make_hold
from bot.domain.observations import Observed, drop_impossible_times
from bot.domain.plan import next_read
from bot.domain.reads import ReadClaim, ReadResult, Unconfirmed
from bot.domain.timeouts import EXPLAINED, GONE, UNEXPLAINED, UNLISTED, count_unconfirmed, is_confirmed
from bot.domain.usability import UNTRUSTED_PAGE, find_lack_start
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.providers import facets
from bot.providers.base import Access, Pace, SendWindow
from bot.providers.requests import map_concurrently
from bot.reconciler import outcomes
from bot.reconciler.call_results import OutcomeUnknown, Rejected, RetryLater, Succeeded
from bot.reconciler.context import EngineContext, EnginePart
from bot.reconciler.provider_calls import ProviderCall
from bot.reconciler.runtimes import Runtime
from bot.store import audit, gates, operations, workspaces
from bot.store.store import Store
from bot.support import errors
from bot.support.clock import Ids
from bot.support.pool import Pool, count_free_slots, run_all
from bot.support.vault import entry_key

log = structlog.get_logger(__name__)


#: Seconds to wait after a read was refused because of its credential or permissions.
REFUSED_READ_SECONDS = 300.0
#: Maximum number of entries in each map kept in memory: failure counts, unknown states, audited reads and
#: stored secrets.
MAX_REMEMBERED = 10_000
#: How long a start may take, in seconds, before Usher asks the provider why it takes so long. While the start
#: continues, Usher asks again after each further interval of this length.
REASON_INTERVAL_SECONDS = 60.0
#: Maximum number of workspace pages checked at the same time after a read.
MAX_PAGE_CHECKS_AT_ONCE = 5
#: An account's reads are batched at regular intervals. Each read closes its poll gate for a while, and the
#: interval is this many seconds longer. So if a batch is sent late by less than this, its gates are open
#: again in time for the next batch.
SLOT_MARGIN_SECONDS = 0.5
#: How long, in seconds, to collect results before writing them together.
BATCH_SECONDS = 0.05


class Reads(EnginePart):
    """Reads the states of workspaces when they are due.

    Each connection is handled separately, so that none delays the others. This process remembers how many
    reads have failed in a row, which unknown states it has logged, and which reads with an administrator's
    token it has audited today. This knowledge isn't shared with other processes, and is lost in a restart.
    """

    def __init__(self, engine: EngineContext) -> None:
        super().__init__(engine)
        self._recorder = Recorder(engine.store, engine.ids)
        self._entries = Entries(engine)
        #: Number of reads sent on each connection since the last report to the observer.
        self._sent: Counter[str] = Counter()
        self._failures: dict[str, int] = {}
        self._unknown_states: set[tuple[str, str]] = set()
        #: Today's reads with an administrator's token that are already in the audit log. Each is stored as an
        #: account's id and a workspace's poll gate key.
        self._audited: set[tuple[str, str]] = set()
        self._audited_on = 0

    async def step(self, pool: Pool | None = None) -> int:
        """Claim each connection's due reads while slots are free. Return how many were claimed."""
        count = sum(
            await asyncio.gather(
                *(self._read_connection(runtime, pool) for runtime in self._runtimes.values())
            )
        )
        if pool is None:
            await self._recorder.write()
        for runtime in self._runtimes.values():
            # Report reads in batches, as updating the metric is expensive.
            if (sent := self._sent[runtime.name]) > 0:
                self._sent[runtime.name] = 0
                runtime.observer.count_reads(runtime.name, sent)
        return count

    async def _read_connection(self, runtime: Runtime, pool: Pool | None) -> int:
        free = count_free_slots(pool, self._count_free_slots(runtime))
        if free <= 0:
            return 0
        # Take the slots and note the time before claiming, because requests that are sent too late after that
        # are dropped.
        runtime.slots.take(free)
        batches: list[Sequence[ReadClaim]] = []
        claimed_at = self._clock.monotonic()
        try:
            claims = await self._store.claim(
                gates.claim_reads,
                runtime.name,
                free,
                runtime.pace.min_poll_interval,
                self._numbers.margin,
                runtime.pace.batch_size,
            )
            # Skip gates with an unanswered read, because that request may not have reached the provider yet.
            new = [claim for claim in claims if claim.gate_key not in self._recorder.open]
            self._recorder.open.update(claim.gate_key for claim in new)
            batches = list(_group_by_account(new, runtime.pace.batch_size))
        finally:
            runtime.slots.give(free - len(batches))
        if claims:
            runtime.observer.note_claim(runtime.name, self._clock.monotonic() - claimed_at)
        window = SendWindow(claimed_at + self._numbers.margin)
        works = [self._read_account_batch(runtime, batch, window, pool) for batch in batches]
        await run_all(works, pool, is_full=len(claims) >= free)
        return len(claims)

    def _count_free_slots(self, runtime: Runtime) -> int:
        """Return how many reads may begin. If a connection is considered down, a single read probes it."""
        if runtime.health.pause > 0:
            return 0
        if runtime.health.is_doubtful:
            return min(runtime.slots.free_for_reads, 1) if runtime.slots.is_idle else 0
        return runtime.slots.free_for_reads

    async def _read_account_batch(
        self, runtime: Runtime, claims: Sequence[ReadClaim], window: SendWindow, pool: Pool | None
    ) -> None:
        """Send one request for the workspaces claimed for an account, and queue all results."""
        try:
            results = await self._request_results(runtime, claims, window)
        except errors.StoreError as error:
            # The gates keep their due times, so these workspaces are read again after the interval.
            log.warning("read not written", connection=runtime.name, problem=error)
            self._recorder.open.difference_update(claim.gate_key for claim in claims)
            return
        except Exception:  # docs/internals/rules.md, "Where errors end"
            log.exception("read failed", connection=runtime.name, reference=self._ids.reference())
            results = [
                self._keep_state(claim, REFUSED_READ_SECONDS, hold_by_cause("internal")) for claim in claims
            ]
        finally:
            runtime.slots.give()
        self._recorder.put(results, pool)

    async def _request_results(
        self, runtime: Runtime, claims: Sequence[ReadClaim], window: SendWindow
    ) -> list[ReadResult]:
        account = claims[0].account
        answer = await self._provider_caller.call(
            ProviderCall(
                runtime,
                account,
                "read",
                attempts=max(self._failures.get(claim.gate_key, 0) for claim in claims),
                is_checked=True,
                reports_absence=lambda answer: any(one.state is State.GONE for one in answer[0].values()),
            ),
            partial(self._request_own, runtime, claims, window),
        )
        match answer:
            case Succeeded((observed_by_id, is_own)):
                results = await self._build_results(runtime, claims, observed_by_id)
                return results if is_own else [result._replace(is_own=False) for result in results]
            case RetryLater() | OutcomeUnknown():
                return [self._postpone(runtime, claim, answer) for claim in claims]
            case Rejected(error=errors.SecretError()):
                return [self._keep_own_state(claim, REFUSED_READ_SECONDS, answer.hold) for claim in claims]
            case Rejected(error=errors.CredentialRefused()):
                is_operators = answer.cause == "connection_refused"
                # People who must link again have already been told. The card only shows problems that the
                # operator must solve.
                hold = answer.hold if is_operators else None
                return [
                    self._keep_state(claim, REFUSED_READ_SECONDS / 10 if is_operators else 0.0, hold)
                    for claim in claims
                ]
            case Rejected():
                return [
                    await self._record_refusal(runtime, claim, answer, alone=len(claims) == 1)
                    for claim in claims
                ]

    async def _build_results(
        self, runtime: Runtime, claims: Sequence[ReadClaim], observed_by_id: Mapping[str, Observed]
    ) -> list[ReadResult]:
        for claim in claims:
            observed = observed_by_id.get(claim.remote_id)
            if observed is not None and observed.entry is not None:
                await self._entries.save_entry_if_changed(claim, observed.entry)
        now = await self._store.now()
        return [
            await self._build_result(runtime, claim, observed_by_id.get(claim.remote_id), now)
            for claim in claims
        ]

    async def _request_own(
        self, runtime: Runtime, claims: Sequence[ReadClaim], window: SendWindow, access: Access
    ) -> tuple[Mapping[str, Observed], bool]:
        """Read an account's workspaces. Also return whether the account has access only to its own.

        If its access reaches everyone's workspaces, only those proven to belong to the account's owner are
        read. The rest are reported as gone, which is how other providers report workspaces that belong to
        someone else. The first read of each workspace on a day with an administrator's token is audited.
        """
        if not runtime.provider.can_reach_all_workspaces(access):
            return await self._send(runtime, access, claims, window), True
        own = [claim for claim in claims if claim.is_proven]
        others = {claim.remote_id: Observed(State.GONE) for claim in claims if not claim.is_proven}
        if not own:
            return others, False
        if runtime.provider.credential_owner(access, "read") == "admin":
            await self._note_reading(own)
        return {**others, **await self._send(runtime, access, own, window)}, False

    async def _note_reading(self, claims: Sequence[ReadClaim]) -> None:
        day = int(await self._store.now() // 86_400)
        if day != self._audited_on or len(self._audited) > MAX_REMEMBERED:
            self._audited_on = day
            self._audited.clear()
        entries = [
            AuditEntry(
                claim.account.principal.key,
                "call.read",
                claim.workspace_ids[0],
                "sent",
                {"connection": claim.connection, "acts": "admin"},
            )
            for claim in claims
            if (claim.account.id, claim.gate_key) not in self._audited
        ]
        if entries:
            await self._store.write(audit.append_audit, entries)
            self._audited |= {(claim.account.id, claim.gate_key) for claim in claims}

    async def _send(
        self, runtime: Runtime, access: Access, claims: Sequence[ReadClaim], window: SendWindow
    ) -> Mapping[str, Observed]:
        """Send one request, and count it in the metrics unless it was never sent."""
        sent, provider, first = 1, runtime.provider, claims[0]
        doubt = first.unconfirmed
        # The state that this read should explain, or None for an ordinary read.
        state = UNEXPLAINED.get(doubt.kind) if doubt is not None and len(claims) == 1 else None
        try:
            if state is not None and isinstance(provider, facets.Reasons):
                return {first.remote_id: await _read_reason(provider, access, first.remote_id, state, window)}
            observed_by_id = await provider.status(access, [claim.remote_id for claim in claims], window)
            if isinstance(provider, facets.PageChecks):
                observed_by_id = await self._check_pages(provider, access, claims, observed_by_id)
            return observed_by_id  # noqa: TRY300 - a read counts even if a page check fails
        except (errors.SentTooLate, errors.Unreachable):
            sent = 0
            raise
        finally:
            self._sent[runtime.name] += sent

    async def _check_pages(
        self,
        provider: facets.PageChecks,
        access: Access,
        claims: Sequence[ReadClaim],
        observed_by_id: Mapping[str, Observed],
    ) -> Mapping[str, Observed]:
        async def check(remote_id: str) -> tuple[str, Observed]:
            try:
                return remote_id, await provider.check_page(access, remote_id, observed_by_id[remote_id])
            except errors.UntrustedCertificate:
                untrusted = UNTRUSTED_PAGE
                return remote_id, replace(observed_by_id[remote_id], lacks="page", detail=untrusted)
            except errors.ProviderError:
                return remote_id, replace(observed_by_id[remote_id], lacks="page")

        running = [
            claim
            for claim in claims
            if (seen := observed_by_id.get(claim.remote_id)) is not None
            and seen.state is State.RUNNING
            and not seen.lacks
        ]
        new = [claim.remote_id for claim in running if claim.needs_page_check]
        # A page that was missing before still counts as missing if it isn't checked now.
        unasked = {
            claim.remote_id: replace(observed_by_id[claim.remote_id], lacks="page")
            for claim in running
            if claim.lacks == "page" and not claim.needs_page_check
        }
        checked = await map_concurrently(MAX_PAGE_CHECKS_AT_ONCE, check, new)
        return {**observed_by_id, **unasked, **dict(checked)}

    async def _build_result(
        self, runtime: Runtime, claim: ReadClaim, observed: Observed | None, now: float
    ) -> ReadResult:
        if observed is None:
            error = errors.BadAnswer("the answer leaves it out")
            call = ProviderCall(runtime, claim.account, "read", self._failures.get(claim.gate_key, 0))
            answer = await self._provider_caller.judge(call, error)
            assert not isinstance(answer, Rejected), "a bad answer is no refusal"
            return self._postpone(runtime, claim, answer)
        self._failures.pop(claim.gate_key, None)
        observed = drop_impossible_times(observed, now)
        if observed.state is State.UNKNOWN:
            return self._report_unknown_state(runtime, claim, observed, now)
        if observed.state is State.GONE and (unconfirmed := _confirm_gone(claim, now)) is not None:
            return self._keep_state(claim, runtime.pace.min_poll_interval, None)._replace(
                unconfirmed=unconfirmed
            )
        if observed.has_reason and (unconfirmed := _request_reason(claim, observed, now)) is not None:
            return self._keep_state(claim, runtime.pace.pending_interval, None)._replace(
                unconfirmed=unconfirmed
            )
        wait = self._compute_wait(runtime, claim, observed, now)
        is_explained = claim.unconfirmed is not None and claim.unconfirmed.kind in UNEXPLAINED
        return ReadResult(
            claim.gate_key,
            claim.workspace_ids,
            observed,
            wait,
            granted_at=claim.granted_at,
            slot=_compute_slot(claim.account.id, wait, runtime.pace, self._numbers.margin)
            if runtime.pace.batch_size > 1
            else None,
            closed_for=claim.interval,
            # This read asked for the reason, so the next one reads the state again.
            unconfirmed=Unconfirmed(EXPLAINED, 1, now) if is_explained else None,
        )

    def _report_unknown_state(
        self, runtime: Runtime, claim: ReadClaim, observed: Observed, now: float
    ) -> ReadResult:
        """Keep the last known state if the provider reports an unknown one, which is logged only once."""
        word = observed.detail or "unknown state"
        if (runtime.name, word) not in self._unknown_states and len(self._unknown_states) < MAX_REMEMBERED:
            self._unknown_states.add((runtime.name, word))
            log.warning("state not known", connection=runtime.name, word=word)
        # A workspace that was down may have come up, so it is read as often as a running one. Workspaces that
        # were starting or stopping keep their own interval.
        pending = claim.state in (State.STARTING, State.STOPPING)
        wait = self._compute_wait(runtime, claim, Observed(claim.state if pending else State.RUNNING), now)
        kept_state = self._keep_state(claim, wait, make_hold(HoldCode.STRANGE_STATE, word))
        return kept_state._replace(observed=observed)

    def _postpone(
        self, runtime: Runtime, claim: ReadClaim, answer: RetryLater | OutcomeUnknown
    ) -> ReadResult:
        wait = answer.wait
        if answer.attempts > self._failures.get(claim.gate_key, 0):
            if len(self._failures) < MAX_REMEMBERED or claim.gate_key in self._failures:
                self._failures[claim.gate_key] = answer.attempts
            wait = max(wait, runtime.pace.min_poll_interval)
            if not claim.has_open_operation:
                # Nobody is waiting for this workspace, so it is read again after the usual interval.
                is_starting = claim.state is State.STARTING
                wait = max(
                    wait, runtime.pace.pending_interval if is_starting else runtime.pace.running_interval
                )
        return self._keep_state(claim, wait, answer.hold)

    async def _record_refusal(
        self, runtime: Runtime, claim: ReadClaim, answer: Rejected, *, alone: bool
    ) -> ReadResult:
        """Return the result of a refused read of this account. Other people's rows aren't changed."""
        now = await self._store.now()
        if isinstance(answer.error, errors.NotFound) and alone:
            return await self._build_result(runtime, claim, Observed(State.GONE), now)
        unconfirmed = count_unconfirmed(claim.unconfirmed, answer.word, now)
        is_news = is_confirmed(unconfirmed, now)
        if claim.has_open_operation and not is_news:
            # A single refusal may be a gateway error, so read again at the usual pace before reporting it.
            wait = max(runtime.pace.pending_interval, runtime.pace.min_poll_interval)
            return self._keep_own_state(claim, wait, make_hold(HoldCode.UNSEEN))._replace(
                unconfirmed=unconfirmed
            )
        result = self._keep_own_state(claim, REFUSED_READ_SECONDS, answer.hold)
        if claim.has_open_operation or claim.unconfirmed is None or claim.unconfirmed.kind != UNLISTED:
            # A refused read doesn't show whether the list was right to omit the workspace. The next list
            # will.
            result = result._replace(unconfirmed=unconfirmed)
        if len(claim.workspace_ids) > 1:
            # Other people share this workspace, so use another person's credential for the next read.
            result = result._replace(next_in=runtime.pace.min_poll_interval)
        # An operation may have been requested while this read was in progress, so look for one now.
        for workspace_id in result.workspace_ids if is_news else ():
            operation = await self._store.read(operations.find_latest_operation, workspace_id)
            if operation is not None and operation.is_open:
                # If a call was sent for the operation, it may have taken effect.
                outcome = Outcome.UNKNOWN if operation.has_called else Outcome.FAILED
                await self._store.write(
                    operations.save_step, outcomes.make_end_update(operation, outcome, answer.cause)
                )
        return result

    def _compute_wait(self, runtime: Runtime, claim: ReadClaim, seen: Observed, now: float) -> float | None:
        return next_read(
            seen.state,
            lacks_since=find_lack_start(seen.lacks, claim.lacks, claim.lacks_since, claim.granted_at),
            has_open_operation=claim.has_open_operation,
            used_at=claim.used_at,
            now=now,
            pace=runtime.pace,
        )

    def _keep_own_state(self, claim: ReadClaim, next_in: float, hold: Hold) -> ReadResult:
        """Return a result only for the claim's first row, because its credential was used for the read."""
        return self._keep_state(claim, next_in, hold)._replace(workspace_ids=claim.workspace_ids[:1])

    @staticmethod
    def _keep_state(claim: ReadClaim, next_in: float | None, hold: Hold | None) -> ReadResult:
        return ReadResult(
            claim.gate_key,
            claim.workspace_ids,
            None,
            next_in,
            hold,
            granted_at=claim.granted_at,
            closed_for=claim.interval,
        )


def _confirm_gone(claim: ReadClaim, now: float) -> Unconfirmed | None:
    """Return the finding that a workspace seems to be gone, which later reads have to confirm.

    Return None if it is certain that the workspace is gone.
    """
    if not claim.is_proven or claim.state is State.GONE or claim.is_ending:
        return None
    if claim.unconfirmed is not None and claim.unconfirmed.kind == UNLISTED:
        return None
    unconfirmed = count_unconfirmed(claim.unconfirmed, GONE, now)
    return None if is_confirmed(unconfirmed, now) else unconfirmed


async def _read_reason(
    provider: facets.Reasons, access: Access, remote_id: str, state: State, window: SendWindow
) -> Observed:
    """Read the reason for a workspace's state. If there is no response, return just the state."""
    try:
        reason = await provider.read_reason(access, remote_id, window)
    except (errors.SentTooLate, errors.Unreachable):
        raise
    except errors.ProviderError:
        reason = ""
    return Observed(state, reason=reason or None)


def _request_reason(claim: ReadClaim, observed: Observed, now: float) -> Unconfirmed | None:
    """If the next read should ask why a start failed or is slow, return a finding that says so, else None."""
    if not claim.is_proven:
        return None
    has_failed = observed.state is State.FAILED and claim.state is not State.FAILED
    # Reading the reason doesn't show whether the workspace is up, so it is done only if a start takes long.
    is_long = claim.granted_at - (claim.used_at or 0.0) >= REASON_INTERVAL_SECONDS
    is_due = is_long and claim.granted_at % REASON_INTERVAL_SECONDS < claim.interval
    waits = is_due and observed.state is claim.state is State.STARTING
    return Unconfirmed(f"{observed.state}, unexplained", 1, now) if has_failed or waits else None


def _compute_slot(
    account_id: str, wait: float | None, pace: Pace, margin: float
) -> tuple[float, float] | None:
    """Return the period and offset, in seconds, of the times at which an account's reads are batched.

    Each account has a different offset. Reads that are less frequent use a multiple of the period, so that
    they can be batched with the others.
    """
    if wait is None:
        return None
    shortest = pace.min_poll_interval + margin + SLOT_MARGIN_SECONDS
    rounds = max(int(wait / 4 / shortest), 1)
    return rounds * shortest, shortest * zlib.crc32(account_id.encode()) / 2**32


def _group_by_account(claims: Sequence[ReadClaim], size: int) -> Iterator[Sequence[ReadClaim]]:
    by_account: defaultdict[str, list[ReadClaim]] = defaultdict(list)
    for claim in claims:
        by_account[claim.account.id].append(claim)
    for group in by_account.values():
        for start in range(0, len(group), max(size, 1)):
            yield group[start : start + max(size, 1)]


class Recorder:
    """Writes read results in batches. A transaction for each would cost as much as the read itself."""

    def __init__(self, store: Store, ids: Ids) -> None:
        #: The poll gate keys of workspaces that are being read or whose result hasn't been written yet.
        self.open: set[str] = set()
        self._store = store
        self._ids = ids
        self._waiting: list[ReadResult] = []
        self._is_writing = False

    def put(self, results: Sequence[ReadResult], pool: Pool | None) -> None:
        """Queue results to be written in the pool or, if there is no pool, by the next ``write``."""
        self._waiting += results
        if pool is not None and not self._is_writing:
            self._is_writing = True
            pool.add(self.write(BATCH_SECONDS))

    async def write(self, pause: float = 0.0) -> None:
        """Write the queued results and any that arrive meanwhile. Wait ``pause`` before each batch."""
        self._is_writing = True
        try:
            while self._waiting:
                await asyncio.sleep(pause)
                results, self._waiting = self._waiting, []
                await self._write(results)
                self.open.difference_update(result.gate_key for result in results)
        finally:
            self._is_writing = False

    async def _write(self, results: Sequence[ReadResult]) -> None:
        try:
            await self._store.perform(gates.record_reads, results)
        except (errors.StoreBusy, errors.StoreUnavailable) as error:
            # The gates keep their due times, so all these workspaces are read again after the interval.
            log.warning("reads not written", count=len(results), problem=error)
        except Exception:  # docs/internals/rules.md, "Where errors end"
            if len(results) > 1:
                # A result that can't be written must not hold up the others, so write each by itself.
                for result in results:
                    await self._write([result])
                return
            log.exception("read not written", reference=self._ids.reference())


class Entries:
    """Stores the entries that reads return: the secrets that open workspaces in Usher's page.

    Most reads return an unchanged entry. To notice that without decrypting the stored entry every time, this
    process remembers a digest of it. The digest is computed again after a restart, or if the row claimed for
    a read shows that another process has replaced the stored entry.
    """

    def __init__(self, engine: EngineContext) -> None:
        self._store = engine.store
        self._vault = engine.vault
        #: Maps each workspace to its stored entry (the encrypted secret that opens it from Usher's page) and
        #: a digest of the plaintext.
        self._stored: dict[str, tuple[str, bytes]] = {}

    async def save_entry_if_changed(self, claim: ReadClaim, entry: str) -> None:
        """Store a new entry in the row whose account was used for the read. On failure, keep the old one."""
        workspace_id = claim.workspace_ids[0]
        row, sealed = entry_key(claim.account.principal.key, claim.connection, claim.remote_id), claim.entry
        digest = _hash_entry(row, entry)
        if sealed is not None and self._stored.get(workspace_id) == (sealed, digest):
            return
        if sealed is None or self._hash_stored_entry(row, sealed) != digest:
            sealed = self._vault.seal(row, {"entry": entry})
            try:
                await self._store.write(workspaces.save_entry, workspace_id, claim.gate_key, sealed)
            except errors.StoreError as error:
                log.warning("entry not written", workspace=workspace_id, problem=error)
                return
        if len(self._stored) >= MAX_REMEMBERED:
            self._stored.clear()
        self._stored[workspace_id] = (sealed, digest)

    def _hash_stored_entry(self, row: str, sealed: str) -> bytes | None:
        try:
            return _hash_entry(row, self._vault.open(row, sealed).get("entry", ""))
        except errors.SecretError:
            return None


def _hash_entry(row: str, entry: str) -> bytes:
    return sha256(f"{row}\n{entry}".encode()).digest()

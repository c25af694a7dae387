"""Links and connections in doubt: refused credentials, links that end, outages, and pauses asked for.

While an account is suspected its calls wait (``bot.reconciler.ask``). Checks use the cheapest request there
is. When several people's credentials are refused, the connection is at fault and nobody's time runs.

A connection whose own secret is refused is also out of order, until the secret is accepted again.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import structlog

from bot.domain.accounts import Account
from bot.domain.notices import NewNotice, NoticeKind
from bot.reconciler.ask import SUSPECTED, Done, EngineContext, EnginePart, Later, Refused
from bot.reconciler.lists import LISTS
from bot.reconciler.runtimes import LISTS_SHARE, Runtime
from bot.services import accounts, revocations
from bot.store.revocations import owe
from bot.store.transaction import Transaction
from bot.support.errors import Renamed, StoreError
from bot.support.pool import Pool, contained, run_all

log = structlog.get_logger(__name__)


#: How often a suspected credential is tried at most.
PROBE_SECONDS: Final = 30.0
#: A link is given up once refusals have lasted this long. Between two checks at most the next value counts:
#: while Usher was down, or the provider didn't answer, nothing was refused.
GIVEN_UP_AFTER: Final = 900.0
LONGEST_COUNTED: Final = 2 * PROBE_SECONDS
#: This many people refused recently, or half of those read recently and at least two, mean an outage of the
#: connection. Recently is twice the longest pause between two reads, so that everybody who is read counts: by
#: then the others were either accepted, so that the refused links are dead, or mostly refused too.
SEVERAL: Final = 3
A_FEW: Final = 2
LATELY_PAUSES: Final = 2
#: People are counted no more often than this.
NOTED_EVERY: Final = 10.0
#: An outage is over when fewer are refused and one of the refused is accepted again, or after this long.
ENDS_AFTER: Final = 300.0
#: The least weight of a refusal confirmed by a second check, to tell it from a first one.
CONFIRMED: Final = 1.0


def is_outage(refused: int, lately: int, fresh: int) -> bool:
    """Return whether ``refused`` people, ``fresh`` of them recently, of ``lately`` read mean an outage."""
    return fresh >= SEVERAL or (refused >= A_FEW and 2 * refused >= lately)


class Suspicions(EnginePart):
    """Check suspected credentials, tell people who wait, and give a link up as a last resort.

    ``outages`` says since when a connection has been refusing several people; None if it isn't.
    """

    def __init__(self, engine: EngineContext) -> None:
        super().__init__(engine)
        self.outages: dict[str, float | None] = {}
        self._lately = LATELY_PAUSES * max(
            (runtime.provider.pace.unused for runtime in engine.runtimes.values()), default=0.0
        )
        self._noted_at: float | None = None
        #: The earliest time at which each outage may end.
        self._may_end_at: dict[str, float] = {}

    async def step(self, pool: Pool | None) -> int:
        """Make the checks that are due; return how many. Costs one small read while nobody is suspected."""
        try:
            suspects = await self._store.suspects()
            now = await self._store.now()
            await self._note_outages(suspects, now)
        except StoreError as error:
            log.warning("suspicions not read", problem=error)
            return 0
        probes = []
        for account in suspects:
            runtime = self._runtimes.get(account.connection)
            is_due = account.looked_at is None or not 0.0 <= now - account.looked_at < PROBE_SECONDS
            if runtime is None or not is_due or runtime.health.pause > 0 or runtime.is_probed:
                continue
            if runtime.slots.take_for(LISTS, LISTS_SHARE):
                probes.append(self._probe(account, runtime))
        await run_all(probes, pool)
        return len(probes)

    async def _note_outages(self, suspects: Sequence[Account], now: float) -> None:
        if self._noted_at is None:
            away = await self._store.outages()
            # An outage found by an earlier process lasts until this one sees it end.
            self.outages.update({name: away.get(f"{name}{PEOPLE}") for name in self._runtimes})
        elif 0.0 <= now - self._noted_at < NOTED_EVERY:
            return
        counts = Counter(account.connection for account in suspects if not account.has_ended(now))
        most = max(counts.values(), default=0)
        # Having read more people than this makes no difference.
        enough = 2 * most + 1
        totals = await self._store.suspicion_totals(now - self._lately, enough) if most >= A_FEW else {}
        self._noted_at = now
        for name in self._runtimes:
            refused, lately, fresh = totals.get(name, (0, 0, 0))
            if is_outage(refused, lately, fresh):
                if self.outages[name] is None:
                    log.warning("connection refuses several people", connection=name, people=refused)
                    self.outages[name] = now
                self._may_end_at[name] = now + ENDS_AFTER
            elif self.outages[name] is None:
                self._may_end_at.pop(name, None)
            elif self._may_end_at.setdefault(name, now + ENDS_AFTER) <= now:
                self.outages[name] = None

    async def _probe(self, account: Account, runtime: Runtime) -> None:
        try:
            async with contained("probe", self._ids, account=account.id):
                since = await self._store.claim_probe(account.id, PROBE_SECONDS)
                if since is None:
                    return  # Another process is checking, or the suspicion has ended.
                answer = await self._asker.ask(
                    runtime, account, "who am i", runtime.provider.who_am_i, tries_suspected=True
                )
                match answer:
                    case Later(cause=cause, refusal=Renamed(message=username)) if cause == SUSPECTED:
                        # The provider itself says so; only the first check may be a disturbance all the same.
                        if since > 0:
                            await self._give_up(account, runtime, username)
                    case Later(cause=cause) if cause == SUSPECTED:
                        await self._refused(account, runtime, since, await self._store.now())
                    case Done() | Refused(needs_credential=False):
                        # Whatever the refusal was for, the sign-in was accepted.
                        if await self._store.trust_account(account.id, account.secret):
                            log.info("credential accepted again", connection=runtime.name, account=account.id)
                            self._may_end_at[runtime.name] = 0.0
                    case _:
                        pass  # No answer, or renewed: inconclusive.
        finally:
            runtime.slots.give_from(LISTS)

    async def _refused(self, account: Account, runtime: Runtime, since: float, now: float) -> None:
        if since <= 0:
            return  # The first check: a brief disturbance isn't worth a message.
        # The end of a credential explains its refusal, whatever is wrong with the connection.
        is_out = self.outages.get(runtime.name) is not None and not account.has_ended(now)
        lasted = await self._store.count_refusal(
            account.id,
            account.secret,
            0.0 if is_out else min(since, LONGEST_COUNTED),
            CONFIRMED,
            _notice(account, NoticeKind.SIGN_IN_REFUSED, f"{account.refused_since:.3f}"),
        )
        if lasted >= GIVEN_UP_AFTER and not is_out:
            await self._give_up(account, runtime)

    async def _give_up(self, account: Account, runtime: Runtime, renamed: str = "") -> None:
        """End a link; ``renamed`` is the name that the account has by now, if that is why."""
        cause = "renamed" if renamed else "credential_refused"
        log.info("credential refused", connection=account.connection, account=account.id, cause=cause)
        # What is refused is worth nothing; under another name the secret is still as good as before.
        is_owed = bool(renamed) and revocations.left_by(self._context, account) == "owed"

        def give_up(tx: Transaction) -> None:
            refused = accounts.refuse(tx, account, cause, title=runtime.title, renamed=renamed)
            if refused and is_owed:
                owe(tx, replace(account, id=tx.ids.new("account")), tell=False)

        await self._store.carry_out(give_up)


def _notice(account: Account, kind: NoticeKind, occasion: str) -> NewNotice:
    body = {"connection": account.connection, "username": account.username, "since": account.refused_since}
    return NewNotice(account.id, kind, occasion, account.principal, body)


#: The suffixes, in the store, of outages of a connection's own secret and of its people's credentials.
OURS = "#secret"
PEOPLE = "#people"
#: What a message about the beginning and the end of each says.
_WORDS: Final = {"": ("away", "back"), OURS: ("locked_out", "let_in"), PEOPLE: ("people_out", "people_in")}


class Outages(EnginePart):
    """Begin and end outages from what this process learns about its connections; the rows are everybody's.

    An outage that another process began is taken over: whoever sees the connection answer next ends it.
    """

    def __init__(self, engine: EngineContext, people: dict[str, float | None]) -> None:
        """``people``: since when people's credentials are refused, None once they are accepted again."""
        super().__init__(engine)
        self._refusals = {OURS: engine.keys.lockouts, PEOPLE: people}
        #: The current outages when the rows were last read.
        self._current: Mapping[str, float] = {}
        #: What this process still takes for an outage, since when, after another process has ended it: two
        #: that find different things don't end and begin it in turn.
        self._over: dict[str, float] = {}

    async def step(self) -> int:
        """Begin and end outages from the connections' health; return how many changed. Costs a small read."""
        try:
            for runtime in self._runtimes.values():
                await runtime.health.answering.write(self._store)
            current = dict(await self._store.outages())
            self._take_over(current)
            self._current = current
            return await self._changed(current)
        except StoreError as error:
            log.warning("outage not written", problem=error)
            return 0

    def _take_over(self, current: Mapping[str, float]) -> None:
        """Learn what other processes have begun and ended since the rows were last read."""
        for name in current.keys() - self._current.keys():
            connection, suffix = _parts(name)
            if connection in self._runtimes and suffix:
                self._refusals[suffix][connection] = current[name]
            elif connection in self._runtimes:
                self._runtimes[connection].health.resume(current[name])
        found = self._found()
        for name in self._current.keys() - current.keys():
            since = found.get(name)
            if since is not None:
                self._over[name] = since
                if name in self._runtimes:
                    self._runtimes[name].health.retry()

    def _found(self) -> dict[str, float | None]:
        """Return what this process finds: since when there is an outage, None where there is none."""
        found: dict[str, float | None] = {}
        for name, runtime in self._runtimes.items():
            if runtime.health.answers:
                found[name] = None
            elif runtime.health.is_doubtful and runtime.health.since is not None:
                found[name] = runtime.health.since
        for suffix, refusals in self._refusals.items():
            found |= {f"{name}{suffix}": since for name, since in refusals.items() if name in self._runtimes}
        return found

    async def _changed(self, current: dict[str, float]) -> int:
        for name in list(current):
            if _parts(name)[0] not in self._runtimes:
                await self._store.end_outage(name, [])
                del current[name]
        changed = 0
        for name, since in self._found().items():
            if since is None:
                self._over.pop(name, None)
                if name in current:
                    await self._end(current, name)
                    changed += 1
            elif name not in current and self._over.get(name) != since:
                await self._begin(current, name, since)
                changed += 1
        return changed

    async def _begin(self, current: dict[str, float], name: str, since: float) -> None:
        connection, suffix = _parts(name)
        notices = self._messages(connection, _WORDS[suffix][0], since, suffix)
        current[name] = await self._store.begin_outage(name, since, notices)
        if not suffix:
            self._runtimes[connection].health.resume(current[name])

    async def _end(self, current: dict[str, float], name: str) -> None:
        connection, suffix = _parts(name)
        until = None if suffix else await self._store.now()
        notices = self._messages(connection, _WORDS[suffix][1], current[name], suffix, until=until)
        await self._store.end_outage(name, notices)
        del current[name]

    def _messages(
        self, connection: str, what: str, since: float, kind: str, *, until: float | None = None
    ) -> list[NewNotice]:
        """Return a message for each administrator whom the connection serves, once per outage.

        Its beginning is the occasion.
        """
        serves = self._runtimes[connection].provider.serves
        body = {"connection": connection, "what": what, "since": since, "until": until}
        return [
            NewNotice(
                f"outage:{connection}{kind}:{principal.key}",
                NoticeKind.OUTAGE,
                f"{what}:{since:.3f}",
                principal,
                body,
            )
            for principal in self._installation.administrators_of(serves)
        ]


def _parts(name: str) -> tuple[str, str]:
    """Return an outage's connection and its suffix, "" if the connection itself is away."""
    connection, mark, suffix = name.partition("#")
    return connection, mark + suffix


#: How often the rows are read, in seconds: for so long others may go on asking.
EVERY: Final = 1.0


class Pauses(EnginePart):
    """Let the connections' limits learn from the rows. ``Asker`` writes them."""

    def __init__(self, engine: EngineContext) -> None:
        super().__init__(engine)
        self._read_at: float | None = None

    async def step(self) -> None:
        """Read the rows, at most once a second: there are few, and none while nobody asks for a pause."""
        now = self._clock.monotonic()
        if self._read_at is not None and now < self._read_at + EVERY:
            return
        self._read_at = now
        try:
            pauses = await self._store.pauses()
        except StoreError as error:
            log.warning("pauses not read", problem=error)
            return
        for pause in pauses:
            if (runtime := self._runtimes.get(pause.connection)) is not None:
                runtime.limits_of(pause.calls).learn(pause)

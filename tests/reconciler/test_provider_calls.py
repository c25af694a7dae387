"""Every provider error in every kind of call: the result, and the effect on health and credential."""

import asyncio
from dataclasses import replace

import pytest
from pydantic import SecretStr

from bot.domain.accounts import Account
from bot.domain.holds import HoldCode, make_hold
from bot.providers.base import Access, Credential
from bot.reconciler.call_results import OutcomeUnknown, Rejected, RetryLater, Succeeded
from bot.reconciler.provider_calls import ProviderCall, ProviderCaller
from bot.reconciler.runtimes import Numbers, Runtime
from bot.support import errors
from tests.reconciler.ask_table import TABLE
from tests.rigs.clock import FakeClock
from tests.rigs.listeners import Unobserved
from tests.rigs.providers import FakeProvider
from tests.rigs.store import ALICE

NOW, HOUR = 1e9, 3600.0

ACCOUNT = Account("account_1", ALICE, "cloud", "alice", "sealed", "active", linked_at=0.0)
#: Accounts that are refused: one tried just now, and one that may be tried again.
HELD = replace(ACCOUNT, refused_since=1.0, checked_at=NOW)
DUE = replace(ACCOUNT, refused_since=1.0, checked_at=None)

WAYS = (
    "a person's",
    "a start",
    "one refused before",
    "the connection's own",
    "a stream",
    "a stream that spoke",
)


class Book:
    """A stand-in for the handling of credentials; ``became`` is the result of each refusal."""

    def __init__(self) -> None:
        self.became = "changed"
        self.seen: list[str] = []
        self.people_lockouts: dict[str, float | None] = {}
        self.lockouts: dict[str, float | None] = {}
        self.closed: Exception | None = None

    def is_behind(self, _account):
        return False

    def open(self, _account):
        if self.closed is not None:
            raise self.closed
        return Access("alice", Credential(SecretStr("token-1")))

    def note_accepted(self, _account, _access):
        self.seen.append("worked")

    async def resolve_refusal(self, _account, _runtime, _error):
        self.seen.append("refused")
        return self.became

    def note_lockout(self, _connection):
        self.seen.append("locked")

    async def compare(self, _provider, _account, _what, _access, *, now):
        return "usable"


class Rows:
    """A stand-in for the account's row, which others may change, and for everything recorded."""

    def __init__(self) -> None:
        self.account: Account | None = ACCOUNT
        self.reads = 0
        self.now_at = NOW
        self.accepted = 0
        #: Whether no other process is trying the refused credential.
        self.is_ours = True
        self.pauses: list[tuple[str, dict[str, float]]] = []
        #: How many seconds earlier another process noted that the connection doesn't answer.
        self.earlier = 0.0

    async def run(self, work, *arguments):
        return await getattr(self, work.__name__)(*arguments)

    read = write = run

    async def save_pauses(self, _connection, calls, seconds):
        self.pauses.append((calls, seconds))

    async def note_silence(self, _connection, since, _answered_at):
        return since - self.earlier

    async def now(self):
        return self.now_at

    async def try_refused(self, _account):
        return self.is_ours

    async def note_accepted(self, _account):
        self.accepted += 1
        return True

    async def find_account_by_id(self, _account_id):
        self.reads += 1
        return self.account


class Bench:
    def __init__(self) -> None:
        self.clock = clock = FakeClock()
        self.provider = FakeProvider(clock)
        self.runtime = Runtime("cloud", self.provider, clock, lambda: 0.0, Unobserved())
        self.book = Book()
        self.rows = Rows()
        self.provider_caller = ProviderCaller(
            self.rows, self.book, Numbers(watch=0.0), lambda: 0.0, clock.monotonic
        )

    async def ask(self, way: str, error: BaseException, attempts: int = 0):
        async def send(_access):
            raise error

        async def stream(_access):
            if way == "a stream that spoke":
                yield "a line"
            raise error

        async def take(_chunk):
            pass

        if way.startswith("a stream"):
            return await self.provider_caller.follow(
                ProviderCall(self.runtime, ACCOUNT, "output", attempts), stream, take
            )
        account = None if way == "the connection's own" else DUE if way == "one refused before" else ACCOUNT
        self.rows.account = account
        return await self.provider_caller.call(
            ProviderCall(
                self.runtime,
                account,
                "list" if way == "one refused before" else "call",
                attempts=attempts,
                starts=way == "a start",
            ),
            send,
        )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", TABLE, ids=lambda kind: kind.__name__)
async def test_every_error_means_one_answer_whichever_way_was_asked(kind, way):
    bench = Bench()
    answer, fails, is_credentials = TABLE[kind]
    got = await bench.ask(way, kind())
    if is_credentials and way == "the connection's own":
        assert (type(got), got.cause, bench.book.seen) == (Rejected, "connection_refused", ["locked"])
    else:
        assert type(got) is answer
        assert ("refused" in bench.book.seen) is is_credentials
    # A refusal for any other reason means that the sign-in was accepted, unless a proxy in front refused the
    # call.
    is_let_in = answer is Rejected and way == "one refused before" and kind is not errors.RefusedInFront
    assert bench.rows.accepted == is_let_in
    # A stream that breaks off after its first output says nothing about the connection.
    assert (bench.runtime.health.since is not None) is (fails and way != "a stream that spoke")
    # A refusal proves that the connection answers; a call that was never sent proves nothing.
    spoke = way == "a stream that spoke"
    assert bench.runtime.health.answers is (spoke or (not fails and kind is not errors.SentTooLate))
    # A limit on starts doesn't hold up other calls, and vice versa.
    runtime, who = bench.runtime, "" if way == "the connection's own" else ACCOUNT.id
    limits = (runtime.limits.find_wait(who) > 0, runtime.start_limits.find_wait(who) > 0)
    is_limit = kind is errors.RateLimited
    assert limits == (is_limit and way != "a start", is_limit and way == "a start")
    # If the secret is the connection's own, everybody has to pause.
    everybody = {"": 1.0} if way == "the connection's own" else {}
    noted = ("start" if way == "a start" else "any", {who: 1.0, **everybody})
    assert bench.rows.pauses == ([noted] if is_limit else [])


@pytest.mark.parametrize("error", [TimeoutError(), errors.UnknownOutcome("no answer")])
@pytest.mark.parametrize(("way", "answers"), [("a stream", False), ("a stream that spoke", True)])
async def test_stream_that_stalls_counts_as_a_failure_only_if_nothing_came(error, way, answers):
    bench = Bench()
    assert type(await bench.ask(way, error)) is OutcomeUnknown
    assert (bench.runtime.health.answers, bench.runtime.health.since is None) == (answers, answers)


def test_the_table_has_every_error_of_a_provider():
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type)}
    assert {kind for kind in kinds if issubclass(kind, errors.ProviderError)} == set(TABLE) - {TimeoutError}


@pytest.mark.parametrize(
    ("became", "answer", "cause"),
    [
        ("changed", RetryLater, ""),
        ("later", RetryLater, ""),
        ("held", RetryLater, "sign_in_refused"),
        ("locked", Rejected, "connection_refused"),
        ("refused", Rejected, "credential_refused"),
    ],
)
async def test_what_a_refused_credential_became_decides(became, answer, cause):
    bench = Bench()
    bench.book.became = became
    got = await bench.ask("a person's", errors.CredentialRefused(), attempts=3)
    assert (type(got), got.cause) == (answer, cause)
    # The refusal counts as a failed attempt, since the credential may be valid for every other call.
    assert got.attempts == 3 + (became == "held") if answer is RetryLater else got.needs_credential


UNAUTHORIZED = errors.CredentialRefused("Accept the new terms first", status=401)


@pytest.mark.parametrize(
    ("account", "lists", "was_unauthorized", "answer", "calls"),
    [
        pytest.param(ACCOUNT, None, False, RetryLater, ["start", "held"], id="once"),
        pytest.param(ACCOUNT, None, True, Rejected, ["start"], id="twice-accepted-between"),
        pytest.param(DUE, None, False, RetryLater, ["start"], id="once-list-accepted"),
        pytest.param(DUE, None, True, Rejected, ["start"], id="twice-list-accepted"),
        pytest.param(DUE, None, None, Rejected, ["start"], id="not-repeated-list-accepted"),
        pytest.param(
            DUE, errors.CredentialRefused(status=401), True, RetryLater, ["held"], id="list-refused-too"
        ),
        pytest.param(
            DUE, errors.ServerFailed(), True, RetryLater, ["start", "held"], id="list-proves-nothing"
        ),
    ],
)
async def test_401_is_about_the_call_if_the_list_is_accepted(account, lists, was_unauthorized, answer, calls):
    """The credential is refused if nothing accepts it; otherwise the call's own message is reported."""
    bench, sent = Bench(), []
    bench.book.became, bench.rows.account = "held", account
    if lists is not None:
        bench.provider.fail("discover", lists)

    async def send(_access):
        sent.append("start")
        raise UNAUTHORIZED

    got = await bench.provider_caller.call(
        ProviderCall(bench.runtime, account, "start", was_unauthorized=was_unauthorized), send
    )
    is_held = "refused" in bench.book.seen
    assert (type(got), [*sent, *(["held"] if is_held else [])]) == (answer, calls)
    if not sent:
        assert (got.is_unauthorized, got.attempts) == (False, 0), "the call itself wasn't refused"
    if answer is Rejected:
        assert (got.cause, got.needs_credential) == ("refused: Accept the new terms first", False)


@pytest.mark.parametrize(
    ("was_unauthorized", "answer"),
    [(False, RetryLater), (True, Rejected), (None, Rejected)],
    ids=["first", "second", "not-repeated"],
)
async def test_401_of_a_proven_credential_is_tried_once_more(was_unauthorized, answer):
    """Another request was made at once, and it was accepted (``Workbench._explain_refusals``)."""
    bench = Bench()

    async def send(_access):
        raise errors.Forbidden("Accept the new terms first", status=401)

    got = await bench.provider_caller.call(
        ProviderCall(bench.runtime, ACCOUNT, "start", was_unauthorized=was_unauthorized), send
    )
    assert type(got) is answer
    assert "refused" not in bench.book.seen


async def test_waits_grow_and_heed_what_the_provider_asked_for():
    bench = Bench()
    waits = [
        (await bench.ask("a person's", errors.ServerFailed(), attempts=tries)).wait for tries in range(4)
    ]
    assert waits == [1.0, 2.0, 4.0, 8.0]
    limited = await bench.ask("a person's", errors.RateLimited(retry_after=33.0), attempts=1)
    assert (limited.wait, limited.cause, limited.attempts) == (33.0, "rate_limited", 2)


async def test_what_did_not_leave_counts_for_nothing():
    got = await Bench().ask("a person's", errors.SentTooLate(), attempts=2)
    assert got == RetryLater(0.0, None, 2)


async def test_what_leaves_too_late_after_a_first_request_may_have_been_done():
    bench = Bench()

    async def second_of_two(_access):
        bench.clock.advance(11.0)
        raise errors.SentTooLate

    got = await bench.provider_caller.call(
        ProviderCall(bench.runtime, ACCOUNT, "call", seconds=10.0), second_of_two
    )
    assert (type(got), got.attempts) == (OutcomeUnknown, 1)


@pytest.mark.parametrize("way", ["a person's", "a start"])
async def test_a_start_that_may_have_been_done_keeps_the_pause_that_its_answer_asked_for(way):
    bench = Bench()
    got = await bench.ask(way, errors.ServerFailed(retry_after=33.0))
    assert (type(got), got.wait) == (OutcomeUnknown, 33.0)
    assert bench.rows.pauses == ([("start", {ACCOUNT.id: 33.0})] if way == "a start" else [])
    assert bench.runtime.limits.find_wait(ACCOUNT.id) == 0.0


NOTHING_MAY_BE_SENT = AssertionError("nothing may be sent")


@pytest.mark.parametrize("way", [way for way in WAYS if way != "the connection's own"])
async def test_what_holds_somebody_up_is_answered_before_anything_is_sent(way):
    bench = Bench()
    bench.book.closed = errors.SecretError("a stored secret does not open")
    got = await bench.ask(way, NOTHING_MAY_BE_SENT)
    assert (type(got), got.cause, got.needs_credential) == (Rejected, "secret", True)
    bench.runtime.limits.note(ACCOUNT.id, 30.0, is_shared=False)
    held = await bench.ask(way, NOTHING_MAY_BE_SENT, attempts=2)
    assert (type(held), held.cause, held.wait, held.attempts) == (RetryLater, "rate_limited", 30.0, 2)
    assert not bench.runtime.health.answers


async def test_a_limit_of_starts_holds_up_starts_alone():
    bench = Bench()
    bench.runtime.start_limits.note(ACCOUNT.id, 30.0, is_shared=False)
    held = await bench.ask("a start", NOTHING_MAY_BE_SENT, attempts=2)
    assert (type(held), held.cause, held.wait, held.attempts) == (RetryLater, "rate_limited", 30.0, 2)
    assert isinstance(await bench.ask("a person's", errors.NotFound()), Rejected)


async def test_who_stood_still_since_committing_to_a_call_sends_nothing():
    bench = Bench()

    async def send(_access):
        raise NOTHING_MAY_BE_SENT

    began = bench.clock.monotonic()
    bench.clock.advance(11.0)
    got = await bench.provider_caller.call(
        ProviderCall(bench.runtime, ACCOUNT, "call", attempts=2, seconds=10.0, began=began), send
    )
    assert got == RetryLater(0.0, None, 2)
    assert bench.book.seen == []


async def test_an_unlinked_accounts_last_call_is_sent_with_a_refused_credential_too():
    bench = Bench()

    async def revoke(_access):
        return "revoked"

    revoking = replace(HELD, state="revoking")
    assert await bench.provider_caller.call(
        ProviderCall(bench.runtime, revoking, "revoke"), revoke
    ) == Succeeded("revoked")
    assert bench.rows.reads == 0
    # The credential is used for nothing else.
    assert (
        await bench.provider_caller.call(ProviderCall(bench.runtime, revoking, "who am i"), revoke)
    ).cause == "unlinked"


@pytest.mark.parametrize(("row", "is_ours", "wait"), [(HELD, True, HOUR), (DUE, False, 30.0)])
async def test_what_was_refused_is_sent_by_one_alone_and_when_it_is_due(row, is_ours, wait):
    bench = Bench()

    async def send(_access):
        raise NOTHING_MAY_BE_SENT

    bench.rows.account, bench.rows.is_ours = row, is_ours
    got = await bench.provider_caller.call(ProviderCall(bench.runtime, ACCOUNT, "call", attempts=2), send)
    assert (type(got), got.cause, got.attempts, got.wait) == (RetryLater, "sign_in_refused", 2, wait)
    bench.rows.account = replace(row, renamed_to="alicia")
    assert (
        await bench.provider_caller.call(ProviderCall(bench.runtime, ACCOUNT, "call"), send)
    ).cause == "renamed"


async def test_what_was_done_counts_though_it_is_not_written_that_the_sign_in_was_accepted():
    bench = Bench()
    bench.rows.account = DUE

    async def busy(_account):
        raise errors.StoreBusy("not committed in time")

    async def send(_access):
        return "done"

    bench.rows.note_accepted = busy
    assert await bench.provider_caller.call(ProviderCall(bench.runtime, ACCOUNT, "call"), send) == Succeeded(
        "done"
    )


@pytest.mark.parametrize(
    ("lasted", "ago", "left"),
    [
        # Half a minute, then as long as it has been refused so far, but never more than an hour.
        (0.0, 0.0, 30.0),
        (0.0, 30.0, 0.0),
        (30.0, 0.0, 30.0),
        (60.0, 10.0, 50.0),
        (600.0, 0.0, 600.0),
        (5 * HOUR, 0.0, HOUR),
        (5 * HOUR, HOUR, 0.0),
        # Values left by an earlier release, or by a clock that has been corrected since.
        (-600.0, 0.0, 30.0),
        (60.0, -600.0, 0.0),
    ],
)
def test_the_longer_it_is_refused_the_rarer_it_is_tried(lasted, ago, left):
    tried = NOW - ago
    account = replace(ACCOUNT, refused_since=tried - lasted, checked_at=tried)
    assert account.compute_retry_delay(NOW) == left
    assert replace(account, state="refused").compute_retry_delay(NOW) == 0.0
    assert replace(account, refused_since=None).compute_retry_delay(NOW) == 0.0


@pytest.mark.parametrize(
    ("row", "cause"),
    [
        (None, "unlinked"),
        (replace(ACCOUNT, state="revoking"), "unlinked"),
        (replace(ACCOUNT, state="refused"), "credential_refused"),
    ],
)
async def test_nothing_is_sent_for_an_account_that_has_ended_since_it_was_read(row, cause):
    bench = Bench()
    bench.rows.account = row

    async def send(_access):
        raise NOTHING_MAY_BE_SENT

    got = await bench.provider_caller.call(ProviderCall(bench.runtime, ACCOUNT, "call"), send)
    assert (type(got), got.cause, got.needs_credential) == (Rejected, cause, True)
    assert (bench.book.seen, bench.runtime.health.since) == ([], None)


async def test_a_call_that_takes_long_ends_when_its_account_is_unlinked():
    bench = Bench()

    async def many_requests(_access):
        await asyncio.sleep(0)
        bench.rows.account = None
        await asyncio.Event().wait()

    got = await bench.provider_caller.call(ProviderCall(bench.runtime, ACCOUNT, "call"), many_requests)
    assert (type(got), got.cause) == (Rejected, "unlinked")
    assert (bench.book.seen, bench.runtime.health.since) == ([], None)


async def test_the_poll_gates_reads_cost_no_other_look():
    bench = Bench()

    async def soon(_access):
        return "read"

    assert await bench.provider_caller.call(
        ProviderCall(bench.runtime, ACCOUNT, "read", is_checked=True), soon
    ) == Succeeded("read")
    assert bench.rows.reads == 0


async def test_a_call_that_takes_too_long_is_unknown_and_an_answer_is_handed_on():
    bench = Bench()

    async def never(_access):
        await asyncio.Event().wait()

    assert isinstance(
        await bench.provider_caller.call(ProviderCall(bench.runtime, ACCOUNT, "call", seconds=0.001), never),
        OutcomeUnknown,
    )
    assert bench.runtime.health.since is not None

    async def soon(_access):
        return "made"

    assert await bench.provider_caller.call(ProviderCall(bench.runtime, ACCOUNT, "call"), soon) == Succeeded(
        "made"
    )
    assert (bench.runtime.health.since, bench.book.seen) == (None, ["worked"])


async def test_what_is_ours_is_raised():
    with pytest.raises(errors.StoreBusy):
        await Bench().ask("a person's", errors.StoreBusy())


async def test_since_when_it_does_not_answer_is_what_everybodys_row_says():
    bench = Bench()
    bench.rows.earlier = 60.0
    since = bench.clock.now() - 60.0
    for _ in range(2):
        answer = await bench.ask("a person's", errors.Unreachable())
        assert answer.hold == make_hold(HoldCode.SILENT, since)
        bench.clock.advance(1.0)

"""Strategies for random histories: who requests what, how requests arrive, and what fails."""

from hypothesis import strategies as st

from bot.domain.operations import OperationVerb
from bot.domain.workspaces import State
from bot.support.errors import (
    RateLimited,
    ServerFailed,
    SlackFailed,
    SlackLimited,
    SlackUnknownOutcome,
    UnknownOutcome,
    Unreachable,
)
from tests.invariants.life import PEOPLE

names = st.sampled_from(sorted(PEOPLE))
#: A position in a list of any length.
places = st.integers(0, 839)
#: Pairs of a person and the workspace for which they request something, mostly their own.
owned = st.sampled_from(
    [("alice", "alpha"), ("alice", "common"), ("alice", "common"), ("bob", "common"), ("bob", "beta")]
)
verbs = st.sampled_from(
    ["start {}", "start {}", "start {}", "stop {}", "restart {}", "suspend {}", "stop {} --force"]
)
#: Commands that set an end, with a warning and without, change it, or cancel it.
plans = st.sampled_from(
    [
        "start {} for 14 min",
        "start {} for 25 min",
        "start {} for 3 min",
        "stop {} in 13 min",
        "stop {} in 13 min",
        "stop {} in 2 min",
        "suspend {} in 20 min",
        "keep {}",
        "keep {} for 30 min",
    ]
)
#: What people do with workspaces that they created.
wants = st.sampled_from(
    [OperationVerb.REMOVE, OperationVerb.STOP, OperationVerb.STOP, OperationVerb.START, OperationVerb.SUSPEND]
)
#: How a request arrives from Slack: once, twice, twice at the same time, again much later, late, or never.
ways = st.sampled_from(["now", "now", "now", "now", "twice", "at once", "again", "again", "late", "lost"])
texts = st.sampled_from(["list", "status common", "open alpha", "open common", "forget common"])
#: Direct messages, whose answers stay in the conversation and can be edited.
written = st.sampled_from(
    [
        "list",
        "status common",
        "status common",
        "start common",
        "stop common",
        "strt common",
        "open common",
        "stop common in 2 hours",
        "keep common",
        "which are running",
        "stop all",
    ]
)
states = st.sampled_from([State.STOPPED, State.RUNNING, State.FAILED])
ends = st.sampled_from([State.RUNNING, State.RUNNING, State.FAILED])
failures = st.sampled_from(
    [
        UnknownOutcome("no answer in time"),
        UnknownOutcome("no answer in time"),
        Unreachable("no connection"),
        ServerFailed("500", status=500),
        RateLimited("slow down", status=429, retry_after=3.0),
    ]
)
slack_failures = st.sampled_from(
    [
        SlackUnknownOutcome("some.method", "no_answer"),
        SlackUnknownOutcome("some.method", "no_answer"),
        SlackFailed("some.method", "fatal"),
        SlackLimited("some.method", 2.0),
    ]
)
#: What fails next: nothing, a call to the provider or to Slack, or any call of the process.
troubles = st.one_of(
    st.none(),
    st.none(),
    st.tuples(
        st.sampled_from(
            [
                "start",
                "start",
                "start",
                "create",
                "create",
                "find_created",
                "stop",
                "remove",
                "status",
                "discover",
                "revoke",
            ]
        ),
        failures,
        st.booleans(),
    ),
    st.tuples(
        st.sampled_from(["chat.postMessage", "chat.postMessage", "chat.update", "conversations.history"]),
        slack_failures,
        st.booleans(),
    ),
    st.tuples(st.just("kill"), st.integers(1, 40), st.booleans()),
    st.tuples(st.just("kill"), st.integers(5, 120), st.booleans()),
    st.tuples(st.just("fail"), st.integers(1, 60), st.just(False)),
)

"""What an unknown outcome comes to, and when what reads say is news, for operations and runs alike."""

from dataclasses import replace

import pytest

from bot.domain.people import Principal
from bot.domain.settling import (
    CALL_ENDS,
    GONE,
    LEFT_OUT,
    MAKE_SETTLES,
    Verdict,
    doubted,
    has_settled,
    is_certain,
    judge,
)
from bot.domain.workspaces import Call, Created, Doubt, Errand

OURS, ONE, OTHER = (Created(name, name) for name in ("ours", "one", "other"))

# What a search found: ours by its mark, and what else may have come of the call. Whether nothing found proves
# that nothing was made; whether it has had its time; whether it is still wanted.
TABLE = """
ours others  proof | settling | settled | called-off
yes  none    yes   | ours     | ours    | ours
yes  two     no    | ours     | ours    | ours
no   one     no    | one      | one     | one
no   none    yes   | search   | repeat  | nothing
no   none    no    | search   | ask     | untold
no   two     no    | search   | ask     | untold
no   two     yes   | search   | ask     | untold
"""
OTHERS = {"none": [], "one": [ONE], "two": [ONE, OTHER]}


@pytest.mark.parametrize("line", TABLE.strip().splitlines()[1:])
def test_what_a_search_comes_to(line):
    known, settling, settled, called_off = line.split("|")
    ours, others, proof = known.split()
    for word, settles, wanted in ((settling, False, True), (settled, True, True), (called_off, True, False)):
        verdict = judge(
            OURS if ours == "yes" else None,
            OTHERS[others],
            is_proof=proof == "yes",
            has_settled=settles,
            is_wanted=wanted,
        )
        expected = {"ours": OURS, "one": ONE}.get(word.strip())
        assert verdict == (expected or Verdict(word.strip()))


def test_it_settles_from_when_the_outcome_became_unknown():
    unknown = Errand(
        id="job_1",
        principal=Principal(None, "T1", "U1"),
        connection="saturn",
        created_at=0.0,
        start_call=Call.UNKNOWN,
        called_at=0.0,
        unknown_since=25.0,
    )
    assert not has_settled(unknown, 25.0 + MAKE_SETTLES - 0.1)
    assert has_settled(unknown, 25.0 + MAKE_SETTLES)
    # Under way in another process, or from before that was written down.
    calling = replace(unknown, start_call=Call.CALLING, unknown_since=None)
    assert not has_settled(calling, CALL_ENDS + MAKE_SETTLES - 0.1)
    assert has_settled(replace(unknown, unknown_since=None), CALL_ENDS + MAKE_SETTLES)


@pytest.mark.parametrize(
    ("kinds", "seconds", "certain"),
    [
        (["forbidden"], 90, False),
        (["forbidden"] * 2, 90, False),
        (["forbidden"] * 3, 20, False),
        (["forbidden"] * 3, 30, True),
        (["forbidden", "invalid", "forbidden", "invalid"], 90, False),
        (["forbidden", "invalid", "invalid", "invalid"], 30, True),
        ([GONE], 10, False),
        ([GONE] * 2, 10, True),
        (["forbidden", GONE], 10, False),
        ([LEFT_OUT] * 2, 10, False),
        ([LEFT_OUT] * 3, 10, True),
    ],
)
def test_what_reads_say_is_news_when_they_say_it_again(kinds, seconds, certain):
    doubt: Doubt | None = None
    now = 0.0
    for number, kind in enumerate(kinds):
        now = number * float(seconds)
        doubt = doubted(doubt, kind, now)
    assert doubt is not None
    assert is_certain(doubt, now) is certain

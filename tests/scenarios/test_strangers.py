"""Sentences written by strangers: none has an effect that nobody asked for, and most are helped."""

import json

import pytest

from tests.scenarios.strangers import STRANGERS, WRONG_ACTS, judge, play

SETS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (STRANGERS, WRONG_ACTS)}
#: Minimum number of items that must be helped (tests/scenarios/strangers.md).
MIN_HELPED = {"strangers": 9, "wrong_acts": 51}
ITEMS = [(name, item) for name, items in SETS.items() for item in items]
#: The verdict on each item. A process plays each item only once for all tests.
_verdicts: dict[str, str] = {}

pytestmark = pytest.mark.xdist_group("strangers")


async def verdict_of(item):
    if item["id"] not in _verdicts:
        _verdicts[item["id"]] = judge(await play(item))
    return _verdicts[item["id"]]


@pytest.mark.parametrize(("name", "item"), ITEMS, ids=[item["id"] for _, item in ITEMS])
async def test_nothing_is_done_or_offered_alone_that_is_not_right(name, item):
    verdict = await verdict_of(item)
    assert not verdict.startswith("WRONG"), f"{name}: {verdict}: {[one.get('say') for one in item['turns']]}"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", SETS, ids=str)
async def test_most_items_are_helped(name):
    helped = sum([await verdict_of(item) == "ok" for item in SETS[name]])
    assert helped >= MIN_HELPED[name]


def test_each_class_of_strangers_has_an_item():
    kinds = {one["kind"] for one in SETS["strangers"]}
    assert kinds == {"plain", "time", "not", "condition", "past", "clauses", "question", "odd"}


def test_no_two_items_have_the_same_id():
    ids = [item["id"] for items in SETS.values() for item in items]
    assert len({*ids}) == len(ids)

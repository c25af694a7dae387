"""A person's remaining allowance, as a hub and Saturn Cloud report it. Odd values are ignored."""

import json
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from bot.domain.snapshots import Allowance
from bot.providers import facets
from bot.support.http import Http
from bot.support.responses import Response
from tests.contract.providers.accesses import ACCESS, BASES
from tests.contract.providers.rigs import provider_of

DATE = "Wed, 25 Nov 2026 14:30:00 GMT"
LIMITS = {"hours_per_day": None, "hours_per_month": 40, "hours_forever": None}
CREDITS = {"name": "alice", "balance": 12.5, "cap": 25, "grant_value": 5, "grant_interval": 3600}


class PathHttp(Http):
    """Answer requests by the end of their path, and record the queries."""

    def __init__(self, answers: dict[str, Any], status: int = 200) -> None:
        self.answers, self.status, self.queries = answers, status, list[Any]()

    async def request(self, _method: str, url: str, **options: Any) -> Response:
        headers = CIMultiDictProxy(CIMultiDict({"Date": DATE}))
        self.queries.append(options.get("query") or options.get("params") or url)
        for end, answer in self.answers.items():
            if str(url).partition("?")[0].endswith(end):
                return Response(self.status, headers, json.dumps(answer).encode())
        return Response(404, headers, b"{}")


async def read(kind: str, answers: dict[str, Any], status: int = 200) -> list[Allowance]:
    provider = provider_of(kind, PathHttp(answers, status), BASES[kind])
    return [*await provider.require_facet(facets.Allowances).read_allowances(ACCESS)]


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        pytest.param([CREDITS], [Allowance("credits", 12.5, 25.0, "alice")], id="credits"),
        pytest.param([CREDITS | {"cap": None}], [Allowance("credits", 12.5, None, "alice")], id="no_cap"),
        pytest.param([CREDITS | {"balance": "x"}, 1], [], id="no_amount"),
        pytest.param({"message": "x"}, [], id="no_list"),
        pytest.param([], [], id="none"),
    ],
)
async def test_balances_of_a_hub(answer, found):
    assert await read("jupyterhub", {"/credits": answer}) == found


@pytest.mark.parametrize("status", [403, 404])
async def test_hub_without_credits_has_no_limits(status):
    assert await read("jupyterhub", {"/credits": {"message": "x"}}, status) == []


@pytest.mark.parametrize(
    ("limits", "used", "found"),
    [
        pytest.param(LIMITS, 28.0, [Allowance("hours this month", 12.0, 40.0)], id="month"),
        pytest.param(LIMITS, 50.0, [Allowance("hours this month", 0.0, 40.0)], id="used_up"),
        pytest.param(
            LIMITS | {"hours_per_day": 8, "hours_per_month": None},
            2.5,
            [Allowance("hours today", 5.5, 8.0)],
            id="day",
        ),
        pytest.param(
            LIMITS | {"hours_forever": 100},
            1,
            [Allowance("hours this month", 39.0, 40.0), Allowance("hours", 99.0, 100.0)],
            id="two",
        ),
        pytest.param(None, 1.0, [], id="no_limits"),
        pytest.param(LIMITS, None, [], id="no_use"),
    ],
)
async def test_limits_of_saturn_cloud(limits, used, found):
    answers = {
        "/api/user/owners": {"owners": [{"id": "1" * 32, "limits": limits}]},
        "/api/user/usage/aggregated": {"hours": used, "dollars": 1.0},
    }
    assert await read("saturn", answers) == found


async def test_limits_of_a_group_are_not_the_persons_own():
    owners = [
        {"identity_type": "group", "limits": LIMITS | {"hours_per_month": 500}},
        {"identity_type": "user", "limits": LIMITS},
    ]
    answers = {"/api/user/owners": {"owners": owners}, "/api/user/usage/aggregated": {"hours": 28.0}}
    assert await read("saturn", answers) == [Allowance("hours this month", 12.0, 40.0)]


async def test_saturn_cloud_without_these_pages_has_no_limits():
    assert await read("saturn", {}) == []

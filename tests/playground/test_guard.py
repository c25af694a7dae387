"""Tests that control addresses answer only the server's own pages and programs, and its own host name."""

import pytest

from playground.guard import objection
from playground.harness import Clock
from playground.slack import SlackWorkspaces
from tests.playground.posit_help import posit_server
from tests.playground.saturn_help import saturn_server
from tests.playground.served import refuses_strangers
from tests.playground.slack_help import slack
from tests.playground.sphere.stand import sphere_server


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Host": "localhost:8400"}, None),
        ({"Host": "LOCALHOST:8400"}, None),
        ({"Host": "[::1]:8400"}, None),
        ({"Origin": "http://127.0.0.1:8400", "Sec-Fetch-Site": "same-origin"}, None),
        ({"Host": "localhost:8400", "Origin": "http://localhost:8400"}, None),
        ({"Sec-Fetch-Site": "none"}, None),
        ({"Host": ""}, "foreign_host"),
        ({"Host": "127.0.0.1"}, "foreign_host"),
        ({"Host": "127.0.0.1:8401"}, "foreign_host"),
        ({"Host": "127.0.0.1:08400x"}, "foreign_host"),
        ({"Host": "rebound.example:8400"}, "foreign_host"),
        ({"Host": "localhost.rebound.example:8400"}, "foreign_host"),
        ({"Host": "127.0.0.1:8400@rebound.example"}, "foreign_host"),
        ({"Host": "0.0.0.0:8400"}, "foreign_host"),
        ({"Host": "rebound.example:8400", "Origin": "http://rebound.example:8400"}, "foreign_host"),
        ({"Origin": "null"}, "foreign_origin"),
        ({"Origin": "https://elsewhere.example"}, "foreign_origin"),
        ({"Origin": "http://127.0.0.1:8401"}, "foreign_origin"),
        ({"Origin": "http://localhost:8400"}, "foreign_origin"),
        ({"Origin": "https://127.0.0.1:8400"}, "foreign_origin"),
        ({"Sec-Fetch-Site": "same-site"}, "foreign_origin"),
        ({"Sec-Fetch-Site": "cross-site"}, "foreign_origin"),
    ],
)
def test_who_may_control(headers, expected):
    assert objection({"Host": "127.0.0.1:8400", **headers}, "http", {8400, 8500}) == expected


def test_a_usual_port_needs_no_mention():
    assert objection({"Host": "localhost"}, "http", {80}) is None
    assert objection({"Host": "localhost"}, "https", {80}) == "foreign_host"


@pytest.mark.parametrize("served", [saturn_server, posit_server, sphere_server])
async def test_every_provider_is_guarded(served):
    async with served() as provider:
        await refuses_strangers(provider.url, "/_playground/stats")


async def test_the_local_slack_is_guarded_also_where_several_workspaces_have_pages():
    async with slack() as (server, _client):
        paths = "/_playground/stats", "/_playground/app", "/_page/people"
        await refuses_strangers(server.state.base_url, *paths)
    several = SlackWorkspaces([{}, {"team": {"id": "T0BETA"}}], Clock())
    async with several.running() as base, several.pages([0, 0]) as pages:
        await refuses_strangers(base, "/_playground/stats")
        for page in pages:
            await refuses_strangers(page, "/_page/people")

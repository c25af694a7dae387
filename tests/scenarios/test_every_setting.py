"""Every documented setting has an effect: for each, there is a test that fails if the setting is ignored."""

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from cryptography.fernet import Fernet

from bot.app import StartError
from bot.providers import build_providers, list_provider_classes
from bot.providers.connection import ConnectionSettings
from bot.store import accounts
from bot.support.errors import SecretError
from bot.support.http import Http
from bot.support.settings import Settings
from bot.support.vault import Vault, row_key
from playground.demo.browser import Browser
from tests.app.command_line import environment, of_slack, run, running
from tests.contract.providers.rigs import COURSE
from tests.playground.slack_help import slack
from tests.rigs.assistant import assistant
from tests.rigs.connections import load_connections
from tests.rigs.proxy import PASSWORD, forward_proxy
from tests.rigs.scenario import world
from tests.rigs.scenario.several import FIRST, SECOND, several
from tests.rigs.store import make_used_database

Proof = Callable[..., Awaitable[None]]
PROOFS: dict[str, Proof] = {}


def proves(*names: str) -> Callable[[Proof], Proof]:
    def keep(proof: Proof) -> Proof:
        PROOFS.update(dict.fromkeys(names, proof))
        return proof

    return keep


async def get(ready, path: str, **headers: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{ready.port}{path}", headers=headers) as answer,
    ):
        return answer.status, await answer.text()


# -- Slack -------------------------------------------------------------------------------------------------


@proves("SLACK_BOT_TOKEN")
async def bot_token(folder):
    with pytest.raises(StartError, match="Slack refuses the bot token"):
        async with world(folder, settings={"SLACK_BOT_TOKEN": "xoxb-another"}):
            pass


@proves("SLACK_SIGNING_SECRET")
async def signing_secret(folder):
    async with world(folder, settings={"SLACK_SIGNING_SECRET": "another"}) as ready:
        assert not (await ready.slack.say(ready.alice.id, "C0GENERAL", "/workspace help"))["ok"]


@proves("SLACK_APP_TOKEN")
async def app_token(folder):
    async with world(folder, socket=True) as ready:
        assert "workspace" in (await ready.alice.types("help")).text


@proves("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET")
async def sign_in(folder):
    for number, changed in enumerate(({}, {"SLACK_CLIENT_ID": "1.2"}, {"SLACK_CLIENT_SECRET": "another"})):
        place = folder / str(number)
        place.mkdir()
        async with world(place, sign_in=True, settings=changed) as ready, Browser() as browser:
            _, address = await ready.alice.invited()
            page = await browser.get(address)
            page = await browser.get(page.link("/sign-in"))
            if any(f"as={ready.alice.id}" in link for link in page.links):
                page = await browser.get(page.link(f"as={ready.alice.id}"))
            assert ("Paste" in page.text) is not bool(changed), page.text


@proves("USHER_SLACK_API_URL")
async def slack_api_url(folder):
    async with world(folder) as ready:
        assert ready.calls("auth.test", ready.slack) == 1


@proves("HTTPS_PROXY", "NO_PROXY")
async def proxy(folder):
    api = {
        "USHER_SLACK_API_URL": "https://slack.acme.example/api/",
        "USHER_PUBLIC_URL": "https://usher.acme.example",
    }
    refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    for without, asked in (
        ("", {"slack.acme.example:443", "app.acme.example:443", "usher.acme.example:443"}),
        ("slack.acme.example", {"app.acme.example:443", "usher.acme.example:443"}),
        ("acme.example", set()),
    ):
        async with forward_proxy(refusal) as between:
            told = {**api, "HTTPS_PROXY": between.url, "NO_PROXY": without}
            ended = await run("doctor", env=environment(folder, **told))
            assert {line.split()[1] for line in between.asked} == asked
            between.heads.clear()
            # Slack's own library would interpret these environment variables in its own way.
            async with running("serve", env=environment(folder, **told)) as serving:
                await serving.line_with("slack not reached")
                written = (await serving.end()).err
            assert {line.split()[1] for line in between.asked} == asked & {"slack.acme.example:443"}
        assert ("the HTTP proxy refuses the connection with 403" in ended.out) == bool(asked)
        assert PASSWORD not in ended.out + ended.err + written


# -- where it listens, what it keeps -------------------------------------------------------------------------


@proves("PORT")
async def port(folder):
    async with world(folder) as ready:
        assert (await get(ready, "/healthz"))[0] == 200


@proves("USHER_HOST")
async def host(folder):
    async with world(folder, settings={"USHER_HOST": "127.0.0.2"}) as ready:
        _, writer = await asyncio.open_connection("127.0.0.2", ready.port)
        writer.close()
        with pytest.raises(OSError, match="Connect call failed"):
            await asyncio.open_connection("127.0.0.1", ready.port)


@proves("USHER_DATABASE_URL")
async def database_url(folder):
    async with world(folder, settings={"USHER_DATABASE_URL": f"sqlite:///{folder / 'another.db'}"}):
        assert (folder / "another.db").exists()


@proves("USHER_BACKUPS")
async def backups(folder):
    place = folder / "elsewhere"
    place.mkdir()
    async with slack() as (local, _client):
        env = environment(folder, **of_slack(local), USHER_BACKUPS=str(place))
        await make_used_database(env["USHER_DATABASE_URL"])
        async with running("serve", env=env) as usher:
            await usher.line_with("database backed up")
    assert list(place.glob("usher-*.db"))


@proves("USHER_PUBLIC_URL")
async def public_url(folder):
    async with world(folder, settings={"USHER_PUBLIC_URL": "https://usher.acme.example"}) as ready:
        _, address = await ready.alice.invited()
        assert address.startswith("https://usher.acme.example/link/")


@proves("USHER_PAGE_URL")
async def page_url(folder):
    names = {"USHER_PUBLIC_URL": "http://usher.localhost", "USHER_PAGE_URL": "http://pages.localhost"}
    async with world(folder, settings=names) as ready:
        assert (await get(ready, "/link", Host="usher.localhost"))[0] == 400
        assert (await get(ready, "/link", Host="pages.localhost"))[0] == 404


@proves("USHER_ENCRYPTION_KEYS")
async def encryption_keys(folder):
    key = Fernet.generate_key().decode()
    async with world(folder, settings={"USHER_ENCRYPTION_KEYS": key}) as ready:
        await ready.alice.has_linked("alice")
        (account,) = await ready.bot.store.read(accounts.list_accounts, ready.principal())
        row = row_key(account.principal.key, account.connection)
        assert Vault([key]).open(row, account.secret)["token"] == ready.token_of("alice")
        with pytest.raises(SecretError):
            Vault([Fernet.generate_key().decode()]).open(row, account.secret)


@proves("USHER_CONNECTIONS")
async def connections_file(folder):
    other = folder / "other.toml"
    other.write_text('[connections.elsewhere]\nprovider = "none such"\n')
    ended = await run("migrate", env=environment(folder, USHER_CONNECTIONS=str(other)))
    assert (ended.status, "connections.elsewhere.provider" in ended.err) == (2, True)


@proves("USHER_LOG_LEVEL")
async def log(folder):
    def lines(ended):
        return [line for line in ended.err.splitlines() if "database brought up to date" in line]

    async with slack() as (local, _client):
        refused = {"SLACK_BOT_TOKEN": "xoxb-another", "USHER_SLACK_API_URL": local.credentials["api_url"]}
        for level in ("info", "error"):
            place = folder / level
            place.mkdir()
            told = {**refused, "USHER_LOG_LEVEL": level}
            found = lines(await run("serve", env=environment(place, **told)))
            assert len(found) == (level == "info")


@proves("USHER_METRICS_TOKEN")
async def metrics_token(folder):
    token = "a-token-of-the-monitors"
    async with world(folder, settings={"USHER_METRICS_TOKEN": token}) as ready:
        assert (await get(ready, "/metrics"))[0] in (401, 403)
        assert (await get(ready, "/metrics", Authorization=f"Bearer {token}"))[0] == 200


# -- what people meet ----------------------------------------------------------------------------------------


@proves("USHER_ADMINS")
async def administrators(folder):
    async with world(folder, settings={"USHER_ADMINS": "U0OLIVIA"}) as ready:
        told = [(await person.types("about")).text for person in (ready.alice, ready.bob)]
        assert ["Usher admin" in text for text in told] == [True, False]


async def test_a_user_group_may_administer_and_use_what_is_prepared_while_slack_says_who_is_in_it(tmp_path):
    prepared = {"templates": [{"name": "course", "file": str(COURSE), "who": ["S0TEAM"]}]}
    named = {"settings": {"USHER_ADMINS": "S0TEAM"}, "saturn_connection": prepared}
    async with world(tmp_path, **named) as ready:

        async def may(person):
            settings: Any = ready.bot.providers["saturn"].settings
            (course,) = settings.templates
            is_administrator = "Usher admin" in (await person.types("about")).text
            return is_administrator, course.is_for(ready.principal(person.id))

        assert await may(ready.alice) == (False, False)
        ready.slack.state.groups["S0TEAM"] = {ready.alice.id}
        await ready.stop_bot()
        await ready.start_bot()
        assert [await may(one) for one in (ready.alice, ready.bob)] == [(True, True), (False, False)]


@proves("USHER_SLACK_WORKSPACES")
async def slack_workspaces(folder):
    async with several(folder, settings={"USHER_SLACK_WORKSPACES": SECOND}) as ready:
        assert [(await ready.installs(team)).status for team in (FIRST, SECOND)] == [409, 200]


@proves("USHER_ASSISTANT")
async def assistant_calls(folder):
    async with world(folder, settings={"USHER_ASSISTANT": "true"}) as ready:
        address, secret = f"http://127.0.0.1:{ready.bot.port}", ready.slack.credentials["signing_secret"]
        async with assistant(address, secret, ready.clock.now) as slackbot:
            who = {"user_id": ready.alice.id, "team_id": ready.slack.state.team.id}
            assert "Show my workspaces" in await slackbot.calls(who, "help")


@proves("USHER_USAGE_NAMES")
async def names_in_usage(folder):
    settings = {"USHER_USAGE_NAMES": "true", "USHER_ADMINS": "U0OLIVIA"}
    async with world(folder, settings=settings) as ready:
        await ready.alice.has_linked("alice")
        await ready.alice.types("start training")
        await ready.pass_time(600, step=60)
        assert "<@U0OLIVIA>: " in (await ready.alice.types("usage team")).text


@proves("USHER_COMMAND", "USHER_JOB_COMMAND")
async def commands(folder):
    names = {"USHER_COMMAND": "/desk", "USHER_JOB_COMMAND": "/work_item_id"}
    async with world(folder, settings=names) as ready:
        # In a channel, the answer to a button shows commands as slash commands.
        for words, command, usual in (
            ("help", "/desk ", "/workspace "),
            ("job help", "/work_item_id ", "/job "),
        ):
            (asked,) = await ready.alice.mentions(words)
            (answer,) = await ready.alice.presses(asked, "Show all commands")
            assert (command in answer.text, usual in answer.text) == (True, False)


@pytest.mark.parametrize("proof", dict.fromkeys(PROOFS.values()), ids=lambda proof: proof.__name__)
async def test_it_does_something(proof, tmp_path):
    await proof(tmp_path)


def test_every_variable_has_its_proof():
    assert {str(field.validation_alias) for field in Settings.model_fields.values()} == set(PROOFS)


# -- the connections file ------------------------------------------------------------------------------------

#: For each key of a connection, the test that would fail if the key were ignored.
KEYS = {
    "provider": "providers/test_connections.py::test_two_connections_become_their_providers",
    "source": "providers/test_registry.py::test_another_distribution_or_none_is_refused_by_name",
    "title": "providers/test_connections.py::test_two_connections_become_their_providers",
    "base_url": "scenarios/test_every_setting.py::test_the_addresses_of_a_connection_are_used",
    "linking": (
        "providers/test_connections.py::test_a_provider_refuses_the_ways_of_linking_that_it_does_not_have"
    ),
    "ide_hosts": "scenarios/test_every_setting.py::test_the_addresses_of_a_connection_are_used",
    "workspaces": "scenarios/test_several_workspaces.py::"
    "test_a_connection_is_only_for_the_workspaces_that_are_named",
    "starts_per_second": "reconciler/test_starts_in_turn.py::test_nobody_is_overtaken_and_the_rule_is_kept",
    "currency": "scenarios/test_prices.py::test_price_is_in_the_form_on_the_card_and_in_the_life",
    "asks_after_hours": "reconciler/test_idle_prompt.py::test_the_operator_has_people_asked",
    "stops_unanswered": "reconciler/test_idle_prompt.py::"
    "test_what_nobody_answers_about_is_stopped_in_the_evening",
    "jupyterhub.consecutive_failure_limit": "providers/test_failures_allowed.py::"
    "test_half_of_what_a_hub_allows_may_fail",
    "saturn.admin_token": "scenarios/test_saturn_admin.py::"
    "test_an_approval_links_and_the_persons_own_token_does_the_work",
    "saturn.act_as": "scenarios/test_saturn_admin.py::"
    "test_the_administrators_token_drives_where_the_server_wants_it",
    "saturn.templates": "scenarios/test_saturn_making.py::test_a_recipe_becomes_a_workspace_that_runs",
    "jupyterhub.public_url": "scenarios/test_every_setting.py::test_the_addresses_of_a_connection_are_used",
    "jupyterhub.client_id": "contract/providers/test_jupyterhub_sign_in.py::"
    "test_a_code_is_worth_nothing_without_verifier_and_secret",
    "jupyterhub.client_secret": "contract/providers/test_jupyterhub_sign_in.py::"
    "test_a_code_is_worth_nothing_without_verifier_and_secret",
    "jupyterhub.templates": "contract/providers/test_jupyterhub_making.py::test_options_reach_the_spawner",
    "posit.super_admin_token": "scenarios/posit/test_linking.py::"
    "test_an_administrator_approves_whom_somebody_acts_as",
    "posit.templates": "scenarios/posit/test_sessions.py::test_a_template_brings_what_no_form_asks_for",
    "sphere.access_token": "scenarios/test_sphere.py::test_from_the_form_to_the_open_button",
    "sphere.projects": "contract/providers/test_sphere.py::"
    "test_only_the_projects_that_are_allowed_are_offered_and_made",
    "sphere.retention_minutes": "contract/providers/test_sphere.py::test_what_is_set_is_sent",
    "sphere.inactivity_minutes": "contract/providers/test_sphere.py::test_what_is_set_is_sent",
    "sphere.page_hosts": "web/test_ide_in_chromium.py::"
    "test_what_the_policy_blocks_is_told_until_it_is_allowed",
    "sphere.page_inline_styles": "web/test_ide_in_chromium.py::"
    "test_what_the_policy_blocks_is_told_until_it_is_allowed",
    "sphere.total_minutes": "contract/providers/test_sphere.py::test_what_is_set_is_sent",
    "sphere.auto_resume": "contract/providers/test_sphere.py::test_what_is_set_is_sent",
    "sphere.sdk_base": "scenarios/test_every_setting.py::test_the_addresses_of_a_connection_are_used",
    "sphere.webhook_secret": "scenarios/test_sphere.py::test_a_finished_scenario_is_in_the_status",
}


def test_every_key_of_the_connections_file_has_its_proof():
    common = set(ConnectionSettings.model_fields) - {"name"}
    own = {
        f"{kind}.{key}"
        for kind, provider in list_provider_classes().items()
        for key in provider.settings_model.model_fields.keys() - common - {"name"}
    }
    assert common | own == set(KEYS)
    for place in KEYS.values():
        file, _, name = place.partition("::")
        module = importlib.import_module(f"tests.{file.removesuffix('.py').replace('/', '.')}")
        assert callable(getattr(module, name, None)), place


def test_the_addresses_of_a_connection_are_used(tmp_path):
    path = tmp_path / "connections.toml"
    path.write_text(
        '[connections.hub]\nprovider = "jupyterhub"\nbase_url = "https://hub.internal"\n'
        'public_url = "https://hub.acme.io"\nide_hosts = ["*.ide.acme.io"]\n'
        '[connections.courses]\nprovider = "sphere"\nbase_url = "https://api.acme.io"\n'
        'access_token = "env:ACCESS"\nsdk_base = "sdk.acme.io"\n'
    )
    path.chmod(0o600)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACCESS", "t0ken")
        found: Any = build_providers(load_connections(path), Http(None))
    hub, courses = found["hub"], found["courses"]
    assert hub.gate_key("alice/") == "https://hub.internal/hub/api#alice/"
    assert hub.page_url("alice/") == "https://hub.acme.io/hub/home"
    assert hub.allowed_url("https://a.ide.acme.io/x") == "https://a.ide.acme.io/x"
    assert hub.allowed_url("https://a.ide.evil.io/x") is None
    assert courses.gate_key("w1") == "https://api.acme.io#w1"
    assert courses.embedding().sdk_host == "sdk.acme.io"

"""Tests of invariant I7: each secret is a canary, every failure is caused, and every sink is searched."""

import base64
import json
import re
from contextlib import asynccontextmanager
from urllib.parse import quote

import aiohttp
import pytest
from cryptography.fernet import Fernet

from bot.commands import doctor, store_checks
from bot.services.checks import as_json, as_text
from bot.store import accounts, credentials, sweeping
from bot.support import errors
from playground.demo.browser import Browser
from tests.rigs.scenario import world
from tests.rigs.scenario.stage import inject_fault
from tests.rigs.thorough import draw
from tests.security.canaries import MINTED, PASTED, ErrorWatch, SmallHub, dump, logging_everything

HTML = {"body": "<html>Authorization</html>", "headers": {"Content-Type": "text/html"}}
FAULTS = [
    {"status": 400}, {"status": 401}, {"status": 403}, {"status": 404}, {"status": 409}, {"status": 422},
    {"status": 429, "headers": {"Retry-After": "2"}}, {"status": 500}, {"status": 504}, HTML,
    {"status": 302, "headers": {"Location": "http://127.0.0.1:9/x"}}, {"body": "null"}, {"body": '{"a": 1}'},
    {"drop": True}, {"drop": True, "after": True}, {"garbage": True}, {"truncate": 4, "after": True},
]  # fmt: skip


def name_fault(number):
    """Return a test id for a fault: its status, its body, or what happens to the answer."""
    fault = FAULTS[number]
    if "body" in fault:
        return {"null": "null", '{"a": 1}': "strange JSON"}.get(fault["body"], "a page")
    return " ".join(["status", str(fault["status"])] if "status" in fault else fault)


class Canaries:
    """The secrets of a run, and a search for them in every sink."""

    def __init__(self, scene, hub):
        self.scene, self.hub = scene, hub
        self.errors = ErrorWatch()
        self.pages: list[str] = []
        self.said: list[str] = []
        self.tokens = {PASTED, MINTED, scene._keys, *scene.watch.secrets}
        #: Secrets that only one person may see in Slack: the addresses of a link page, of answers and of an
        #: IDE.
        self.private: set[str] = set()
        self.codes: set[str] = set()

    async def get(self, path):
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self.scene.bot.port}{path}") as answer,
        ):
            self.pages.append(await answer.text() + repr(answer.headers))

    async def doctor(self):
        scene = self.scene
        checks = await doctor.run_checks(scene.settings(), scene.bot.http, scene.bot.providers)
        checks += await store_checks.read_store(scene.bot.store)
        self.said += [as_text(checks), as_json(checks)]
        self.said += [repr(scene.settings()), str(scene.settings()), repr(scene.connections())]
        described = [provider.describe() for provider in scene.bot.providers.values()]
        self.said.append(json.dumps(described, default=str))

    def learn(self):
        """Add the secrets that were created during the run."""
        scene = self.scene
        scene.watch.learn(scene.saturn)
        self.tokens |= scene.watch.secrets
        self.private |= set(scene.slack.state.response_urls)

    def search(self, log):
        """Fail if a sink contains a secret that it mustn't, naming the sink."""
        self.learn()
        nowhere = self.tokens | self.codes | self.private
        sinks = {
            "log": log,
            "exceptions": "\n".join(self.errors.texts),
            "doctor, settings": "\n".join(self.said),
            "figures, health": "\n".join(self.pages),
            "database": dump(self.scene.folder / "usher.db"),
        }
        for name, text in sinks.items():
            found = [one for one in nowhere if one in text or quote(one, safe="") in text]
            assert not found, (name, found, _near(text, found[0]))
        for message, text in self.scene.watch.versions:
            readers = self.scene.watch._readers(self.scene.slack, message)
            hidden = self.tokens | self.codes if len(readers) == 1 else nowhere
            assert not [one for one in hidden if one in text], text
        assert not re.search(r"https?://\S*/ide/|/user/alice", log)


def _near(text, found):
    at = text.index(found) if found in text else 0
    return text[max(at - 200, 0) : at + 100]


@asynccontextmanager
async def run(folder, **options):
    hub = SmallHub()
    async with hub.server:
        table = {
            "name": "hub",
            "provider": "jupyterhub",
            "title": "Team hub",
            "linking": ["token"],
            "base_url": str(hub.server.make_url("")),
        }
        tokens = {"hub": {"alice": PASTED}}
        async with world(folder, connections={"hub": table}, tokens=tokens, **options) as scene:
            canaries = Canaries(scene, hub)
            with logging_everything(scene.settings().secrets()) as log, canaries.errors.watching():
                yield canaries
            canaries.search(log.getvalue())
            assert len(log.getvalue().splitlines()) > 10


async def link(canaries, connection, account):
    """Link an account, and remember the secrets on the way: the nonce and the code."""
    person, scene = canaries.scene.alice, canaries.scene
    shown, address = await person.invited(connection)
    if not scene.has_sign_in:
        canaries.private.add(address.rpartition("/")[2])
    async with Browser() as browser:
        page = await person.goes_through(browser, address, scene.token_of(account, connection))
        # The address of a permanent page isn't secret, but the nonce in the visitor's cookie is.
        (cookie,) = (one.value for one in browser._session.cookie_jar)
        (visit,) = json.loads(base64.urlsafe_b64decode(f"{cookie.partition('.')[0]}=="))
        canaries.private |= {cookie, visit["n"]}
    scene.watch.may_read(person.id, account)
    if not scene.has_sign_in:
        code = page.source.partition("<code>")[2].partition("</code>")[0]
        canaries.codes |= {code, code.replace("-", "")}
        await person.presses(shown, "Enter code")
        await person.submits(code="WRNG-WRNG")
        assert (await person.submits(code=code))["ok"]
    await scene.pass_time(2)


@pytest.mark.parametrize("sign_in", [False, True], ids=["code", "sign-in"])
async def test_no_secret_leaks_between_linking_and_unlinking(tmp_path, sign_in):
    async with run(tmp_path, sign_in=sign_in) as canaries:
        scene, alice = canaries.scene, canaries.scene.alice
        for connection in ("saturn", "hub"):
            await link(canaries, connection, "alice")
        for text in ("start notebook", "start default", "list", "open report", "about", "status"):
            await alice.types(text)
            await scene.pass_time(20, step=4)
        assert len(alice.told("ready")) == 2
        for path in ("/metrics", "/healthz", "/readyz", "/link", "/link/x", "/nowhere?token=x"):
            await canaries.get(path)
        await canaries.doctor()
        assert "canary" not in "".join(canaries.said)
        await alice.types("unlink all --yes")
        await scene.pass_time(10)
        await scene.bot.store.perform(sweeping.sweep)
        if not sign_in:
            assert "Refused" in canaries.errors.kinds
        assert canaries.hub.deleted == 1


@pytest.mark.parametrize("number", draw(range(len(FAULTS)), 6), ids=name_fault)
async def test_failing_provider_leaks_no_secret(tmp_path, number):
    """The provider fails at checking a token, listing, starting, reading and stopping.

    Its message may contain the token itself.
    """
    fault = FAULTS[number]
    async with run(tmp_path) as canaries:
        scene, alice = canaries.scene, canaries.scene.alice
        _, address = await alice.invited("saturn")
        canaries.private.add(address.rpartition("/")[2])
        async with Browser() as browser:
            page = await browser.get(address)
            scene.saturn_fails("/api/user", times=2, **fault)
            page = await browser.submit(page, token=scene.token_of("alice"))
            assert not [one for one in canaries.tokens if one in page.source]
        scene.heal()
        await link(canaries, "saturn", "alice")
        for path in ("/api/recipes", "/start$", "/api/workspaces/[0-9a-f]+$", "/stop$"):
            scene.saturn_fails(path, times=2, **fault)
        for text in ("start notebook", "stop report", "list", "status notebook"):
            await alice.types(text)
            await scene.pass_time(15, step=3)
        await canaries.doctor()
        await canaries.get("/metrics")
        assert {*canaries.errors.kinds} & {name for name in vars(errors) if name[0].isupper()}


SPOILED = (
    {"status": 403, "body": '{"message": "TOKEN is not allowed"}'},
    {"status": 500, "body": '{"message": "TOKEN"}'},
    {"status": 400, "body": '{"message": "TOKEN"}'},
    {"status": 200, "body": '["TOKEN"]'},
    {"status": 200, "body": "TOKEN"},
    {"hangs_up": True},
)


async def test_hub_that_repeats_tokens_leaks_none(tmp_path):
    async with run(tmp_path) as canaries:
        scene, alice = canaries.scene, canaries.scene.alice
        for spoiled in SPOILED:
            await link(canaries, "hub", "alice")
            canaries.hub.spoiled = spoiled
            for text in ("start default", "list", "stop default"):
                await alice.types(text)
                await scene.pass_time(20, step=4)
            await alice.types("unlink hub --yes")
            await scene.pass_time(10)
            canaries.hub.spoiled = {}
            await scene.pass_time(10)
        await canaries.doctor()


async def test_search_finds_a_planted_secret(tmp_path):
    async with run(tmp_path) as canaries:
        await link(canaries, "saturn", "alice")
        store, leak = canaries.scene.bot.store, f"before {PASTED} after"
        sinks = {
            "exceptions": canaries.errors.texts.add,
            "doctor, settings": canaries.said.append,
            "figures, health": canaries.pages.append,
        }
        for sink, plant in sinks.items():
            plant(leak)
            with pytest.raises(AssertionError, match=sink):
                canaries.search("")
            canaries.errors.texts.discard(leak)
            canaries.said.clear()
            canaries.pages.clear()
        with pytest.raises(AssertionError, match="log"):
            canaries.search(leak)
        (account,) = await store.read(accounts.list_accounts, canaries.scene.principal())
        await store.write(credentials.save_secret, account.id, account.secret, leak)
        with pytest.raises(AssertionError, match="database"):
            canaries.search("")
        await store.write(credentials.save_secret, account.id, leak, account.secret)


METHODS = ["chat.postMessage", "chat.update", "chat.postEphemeral", "users.info", "views.open", "auth.test"]


@pytest.mark.parametrize("number", draw([6, 7, 9, 11, 13, 14, 15], 3), ids=name_fault)
async def test_failing_slack_leaks_no_secret(tmp_path, number):
    async with run(tmp_path) as canaries:
        scene, alice = canaries.scene, canaries.scene.alice
        await link(canaries, "saturn", "alice")
        for method in METHODS:
            scene.slack_fails(method, times=2, **FAULTS[number])
        inject_fault(scene.slack.harness, "^/(actions|commands)/", times=2, **FAULTS[number])
        shown = await alice.types("status training")
        await alice.presses(shown, "Start")
        for text in ("start notebook", "link code", "list"):
            await alice.types(text)
            await scene.pass_time(20, step=4)
        for word in ("channel_not_found", "token_revoked"):
            scene.slack_fails("chat.postMessage", status=200, body=f'{{"ok": false, "error": "{word}"}}')
            await alice.types("stop notebook")
            await scene.pass_time(70, step=5)
        await canaries.doctor()


async def test_ended_tokens_and_unreadable_secrets_are_not_leaked(tmp_path):
    async with run(tmp_path) as canaries:
        scene, alice = canaries.scene, canaries.scene.alice
        for connection in ("saturn", "hub"):
            await link(canaries, connection, "alice")
        scene.saturn.state.accounts.mark("alice", "expired")
        tokens = canaries.hub.tokens.copy()
        canaries.hub.tokens.clear()
        for text in ("start notebook", "start default"):
            await alice.types(text)
            await scene.pass_time(45, step=5)
        assert len(alice.told("sign_in_refused")) >= 1
        await scene.pass_time(930, step=15)
        canaries.hub.tokens.update(tokens)
        fresh = Fernet.generate_key().decode()
        canaries.tokens |= {scene._keys, fresh}
        # One account is linked again with the remaining key, because Usher starts only if it can decrypt a
        # secret.
        for keys in (f"{fresh},{scene._keys}", fresh):
            await scene.stop_bot()
            scene._keys = keys
            await scene.start_bot()
            if keys != fresh:
                await link(canaries, "hub", "alice")
        await alice.types("start training")
        await scene.pass_time(30)
        await canaries.doctor()


async def test_refused_requests_leak_no_secret(tmp_path):
    """Refused requests (unsigned, repeated, or of another team) are neither quoted back nor logged."""
    async with run(tmp_path) as canaries:
        scene = canaries.scene
        await link(canaries, "saturn", "alice")
        await scene.alice.types("status notebook")
        await scene.slack.dispatcher.replay()
        url = f"http://127.0.0.1:{scene.bot.port}/slack/events"
        body = f"token={MINTED}&text={quote(PASTED)}&response_url=https%3A%2F%2Fx"
        async with aiohttp.ClientSession() as session:
            for headers in ({}, {"X-Slack-Signature": f"v0={MINTED}"}, {"Authorization": f"Bearer {PASTED}"}):
                async with session.post(url, data=body, headers=headers) as answer:
                    canaries.pages.append(await answer.text())

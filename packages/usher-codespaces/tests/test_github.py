"""Tests of what is specific to GitHub: limits, scopes, list pages, states, expiry and forms."""

import json
from dataclasses import replace

import pytest
from codespaces_rig import CHECKER, DOCUMENT, START_TIME
from multidict import CIMultiDict, CIMultiDictProxy
from usher_codespaces import local
from usher_codespaces.local import LocalCodespace
from usher_codespaces.provider import LONGEST_PERMISSIONS_ADDRESS, STATES

from bot.messages.texts.problems import explain_cause
from usher.conformance.rigs import KEY, PRINCIPAL
from usher.provider import FormProblems, Response, Spec, State, errors

READ = "GET /user/codespaces/[^/]+$"


async def read_patched(rig, **values):
    """Read the codespace as if the server had answered with these values."""
    rig.inject_fault(READ, patch=[{"op": "add", "path": f"/{key}", "value": values[key]} for key in values])
    return (await rig.provider.status(rig.access, [rig.remote_id]))[rig.remote_id]


async def fill_form(rig, **values):
    """Return the spec of a form filled in as a user would, but with these values."""
    offer = await rig.provider.read_offer(rig.access)
    form = rig.provider.form(offer, "workspace", values, PRINCIPAL)
    initial = {field.name: field.initial for field in form.fields}
    return rig.provider.spec(offer, "workspace", initial | values, PRINCIPAL)


def test_every_documented_state_has_a_meaning():
    documented = DOCUMENT["components"]["schemas"]["codespace"]["properties"]["state"]["enum"]
    assert set(documented) - set(STATES) == {"Unknown", "Moved"}
    assert set(STATES) <= set(documented)


@pytest.mark.parametrize(
    ("word", "state", "lacks"),
    [
        ("Rebuilding", State.STARTING, None),
        ("Archived", State.STOPPED, None),
        ("Exporting", State.STOPPING, None),
        ("Awaiting", State.RUNNING, "agent"),
        ("Unavailable", State.RUNNING, "agent"),
        ("Available", State.RUNNING, None),
        ("Deleted", State.GONE, None),
        ("Moved", State.UNKNOWN, None),
    ],
)
async def test_state_is_translated(open_rig, word, state, lacks):
    async with open_rig() as rig:
        seen = await read_patched(rig, state=word)
        assert (seen.state, seen.lacks) == (state, lacks)


async def test_stopped_codespace_has_its_retention(open_rig):
    async with open_rig() as rig:
        seen = await rig.observe()
        assert (seen.expiry_mode, seen.expires_at) == ("removed", START_TIME + 30 * 86400)
        running = await read_patched(rig, state="Available", idle_timeout_minutes=45)
        assert (running.expires_at, running.detail) == (None, "Stops after 45 minutes without activity.")


async def test_notices_are_shown(open_rig):
    async with open_rig() as rig:
        spent = await read_patched(rig, last_known_stop_notice="you've used 100% of your spending limit")
        assert spent.detail == "you've used 100% of your spending limit"
        changes = await read_patched(rig, git_status={"has_uncommitted_changes": True})
        assert changes.detail == "Has changes that aren't pushed."
        updating = await read_patched(rig, state="Updating")
        assert (updating.state, updating.detail) == (State.STOPPING, "It's being updated.")
        busy = await read_patched(
            rig, pending_operation=True, pending_operation_disabled_reason="Changing its machine"
        )
        assert (busy.actions, busy.detail) == ({"remove"}, "Changing its machine")


async def test_available_codespace_with_a_pending_operation_has_no_link(open_rig):
    """GitHub's document says that such a codespace is temporarily unavailable."""
    async with open_rig() as rig:
        web_url = "https://fuzzy-train.github.dev"
        seen = await read_patched(rig, state="Available", web_url=web_url, pending_operation=True)
        assert (seen.state, seen.url, seen.lacks) == (State.RUNNING, None, "agent")
        assert "doesn't allow" not in seen.detail


async def test_editor_elsewhere_is_not_linked(open_rig):
    async with open_rig() as rig:
        seen = await read_patched(rig, state="Available", web_url="https://evil.example.org/")
        assert seen.url is None
        assert "doesn't allow" in seen.detail
        seen = await read_patched(rig, state="Available", web_url="https://fuzzy-train.github.dev")
        assert seen.url.rstrip("/") == "https://fuzzy-train.github.dev"


async def test_running_codespace_refuses_a_start(open_rig):
    async with open_rig() as rig:
        workspace = await rig.read_row()
        assert await rig.provider.start(rig.access, workspace) is None
        assert await rig.provider.start(rig.access, workspace) == "The codespace is Starting."


@pytest.mark.parametrize("verb", ["start", "stop"])
async def test_codespace_that_is_being_updated_is_a_conflict(open_rig, verb):
    async with open_rig() as rig:
        words = "The codespace is being updated. Try again later."
        rig.inject_fault(f"/{verb}$", status=409, body=json.dumps({"message": words}))
        with pytest.raises(errors.Conflict, match="being updated"):
            await getattr(rig.provider, verb)(rig.access, await rig.read_row())


@pytest.mark.parametrize("verb", ["start", "stop"])
async def test_pending_operation_is_a_conflict(open_rig, verb):
    async with open_rig() as rig:
        rig.server.codespaces[rig.remote_id].extra["pending_operation"] = True
        with pytest.raises(errors.Conflict, match="has an operation pending: updating"):
            await getattr(rig.provider, verb)(rig.access, await rig.read_row())


async def test_spending_limit_is_a_limit(open_rig):
    async with open_rig() as rig:
        rig.server.over_limit.add("alice")
        with pytest.raises(errors.LimitReached, match="spending limit"):
            await rig.provider.start(rig.access, await rig.read_row())
        with pytest.raises(errors.LimitReached, match="spending limit"):
            await rig.provider.create(rig.access, Spec("new", {"repository": "acme/reef"}), KEY)


async def test_headers_explain_a_limit_of_requests(open_rig):
    async with open_rig() as rig:
        rig.server.hourly_requests = 1
        await rig.observe()
        with pytest.raises(errors.RateLimited, match="API rate limit exceeded") as caught:
            await rig.provider.status(rig.access, [rig.remote_id])
        assert caught.value.status == 403
        assert caught.value.retry_after > 0


@pytest.mark.parametrize(
    ("headers", "words", "wait"),
    [
        pytest.param({"Retry-After": "7"}, "Forbidden", 7.0, id="retry-after"),
        pytest.param({"X-RateLimit-Remaining": "0"}, "Forbidden", 60.0, id="without-reset"),
        pytest.param({}, "You have exceeded a secondary rate limit", 60.0, id="only-words"),
        pytest.param({}, "API rate limit exceeded for user ID 7.", 60.0, id="primary-by-words"),
        pytest.param({}, "You have triggered an abuse detection mechanism.", 60.0, id="abuse-by-words"),
    ],
)
async def test_secondary_limit_says_how_long(open_rig, headers, words, wait):
    async with open_rig() as rig:
        body = json.dumps({"message": words}).encode()
        response = Response(403, CIMultiDictProxy(CIMultiDict(headers)), body)
        error = rig.provider.to_error(response, changes=False)
        assert isinstance(error, errors.RateLimited)
        assert error.retry_after == wait


async def test_token_without_a_permission_is_told_which(open_rig):
    async with open_rig() as rig:
        workspace = await rig.read_row()
        rig.server.missing_permissions["alice"] = {"codespaces_lifecycle_admin=write", "codespaces=read"}
        words = "Resource not accessible by personal access token"
        with pytest.raises(errors.Forbidden, match=rf"{words} .*codespaces_lifecycle_admin=write"):
            await rig.provider.start(rig.access, workspace)
        with pytest.raises(errors.Forbidden, match=rf"{words} .*codespaces=read"):
            await rig.provider.check_credential(rig.access.credential)
        assert any("lifecycle admin" in step for step in rig.provider.token_help().steps)


async def test_classic_token_without_the_scope_is_told_so(open_rig):
    async with open_rig() as rig:
        rig.server.scopes["alice"] = "repo, gist"
        with pytest.raises(errors.Forbidden, match="needs the scope codespace"):
            await rig.provider.check_credential(rig.access.credential)
        rig.server.scopes["alice"] = "repo, codespace"
        identity = await rig.provider.check_credential(rig.access.credential)
        assert identity.username == "alice"
        # A login may later belong to someone else, so the link stores the account's id, a number.
        found = await rig.provider.read_account(rig.access)
        assert found.account_id.isdecimal()
        assert (found.account_id, found.username) == (identity.credential.account_id, "alice")
        missing = await rig.provider.status(rig.access, [rig.missing_id])
        assert missing[rig.missing_id].state is State.GONE


@pytest.mark.parametrize("text", ["2026-12-01 10:00:00 UTC", "2026-12-01 02:00:00 -0800"])
async def test_end_of_a_token_is_read(open_rig, text):
    async with open_rig() as rig:
        rig.server.token_expiry["alice"] = text
        identity = await rig.provider.check_credential(rig.access.credential)
        assert identity.credential.expires_at == 1_796_119_200


@pytest.mark.parametrize(
    "patch",
    [
        [],
        [{"op": "replace", "path": "/total_count", "value": None}],
        [{"op": "remove", "path": "/total_count"}],
    ],
    ids=["told", "null", "missing"],
)
async def test_list_is_read_page_by_page_whatever_it_says_of_its_length(open_rig, monkeypatch, patch):
    cut_page = local.cut_page

    def without_header(*arguments):
        rows, headers = cut_page(*arguments)
        return rows, {} if patch else headers

    monkeypatch.setattr(local, "cut_page", without_header)
    async with open_rig() as rig:
        rig.inject_fault("GET /user/codespaces$", patch=patch, times=None)
        for number in range(203):
            name = f"page-{number}"
            rig.server.codespaces[name] = LocalCodespace(
                number + 9, name, "alice", name, "acme/reef", START_TIME, used_at=START_TIME
            )
        listing = await rig.provider.discover(rig.access)
        assert (len(listing), listing.is_whole) == (205, True)


async def test_form_offers_branches_and_machines_of_the_repository(open_rig):
    async with open_rig() as rig:
        offer = await rig.provider.read_offer(rig.access)
        form = rig.provider.form(offer, "workspace", {"repository": "acme/tide", "branch": "next"}, PRINCIPAL)
        fields = {field.name: field for field in form.fields}
        assert [choice.value for choice in fields["repository"].choices] == ["acme/reef", "acme/tide"]
        assert [choice.value for choice in fields["branch"].choices] == ["trunk"]
        assert (fields["branch"].initial, fields["machine"].initial) == ("", "basicLinux32gb")
        assert fields["name"].initial == "tide"
        empty = rig.provider.form(replace(offer, repositories=()), "workspace", {}, PRINCIPAL)
        assert empty.fields == ()
        assert empty.advice


async def test_form_offers_repositories_of_the_codespaces_first(open_rig):
    async with open_rig() as rig:
        names = [f"acme/used-{number}" for number in range(7)]
        repositories = rig.server.seed["repositories"] | {name: ["main"] for name in names}
        rig.server.seed = rig.server.seed | {"repositories": repositories}
        for name in [*names, names[0]]:
            count = len(rig.server.codespaces)
            rig.server.add(f"{name[5:]}-{count}", "alice", name[5:], name)
        offer = await rig.provider.read_offer(rig.access)
        offered = [repository.full_name for repository in offer.repositories]
        # Two codespaces of the seed belong to acme/reef. The rest are in the order of /user/repos.
        assert offered == ["acme/reef", *names[:4], "acme/tide", *names[4:]]
        assert rig.harness.requests["GET /user/codespaces"] == 1


async def test_offer_tells_a_missing_permission(open_rig):
    async with open_rig() as rig:
        rig.server.missing_permissions["alice"] = {"codespaces_metadata=read"}
        with pytest.raises(errors.Forbidden, match="codespaces_metadata=read"):
            await rig.provider.read_offer(rig.access)


async def test_codespace_is_created_as_chosen(open_rig):
    async with open_rig() as rig:
        choices = {"repository": "acme/reef", "branch": "next", "machine": "standardLinux32gb"}
        spec = await fill_form(rig, name="paper", **choices)
        created = await rig.provider.create(rig.access, spec, KEY)
        codespace = rig.server.codespaces[created.remote_id]
        assert (codespace.ref, codespace.machine) == ("next", "standardLinux32gb")
        seen = await rig.provider.status(rig.access, [created.remote_id])
        assert seen[created.remote_id].state is State.STARTING
        await rig.read_until(State.RUNNING, remote_id=created.remote_id)
        search = await rig.provider.find_created(rig.access, spec, KEY, START_TIME)
        assert search.match == created


async def test_wrong_values_are_named(open_rig):
    async with open_rig() as rig:
        values = {"branch": "gone", "machine": "huge", "name": "training"}
        with pytest.raises(FormProblems) as caught:
            await fill_form(rig, repository="acme/reef", **values)
        assert set(caught.value.problems) == set(values)
        with pytest.raises(FormProblems):
            await fill_form(rig, repository="acme/gone")


async def test_codespace_is_deleted(open_rig):
    async with open_rig() as rig:
        await rig.provider.remove(rig.access, await rig.read_row())
        assert (await rig.observe()).state is State.GONE


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("https://fuzzy-train-g4wpq6h95q.github.dev/?folder=x", "fuzzy-train-g4wpq6h95q"),
        ("https://fuzzy-train.github.dev.example.org/", None),
        ("https://github.com/acme/reef", None),
    ],
)
async def test_links_name_codespaces(open_rig, text, name):
    async with open_rig() as rig:
        assert rig.provider.parse_reference(text) == name
        assert rig.provider.parse_reference(rig.provider.page_url("fuzzy-train")) == "fuzzy-train"


async def test_every_operation_of_the_document_was_played(open_rig):
    async with open_rig() as rig:
        await rig.provider.probe()
        await rig.provider.check_credential(rig.access.credential)
        spec = await fill_form(rig, repository="acme/reef")
        await rig.provider.create(rig.access, spec, KEY)
        workspace = await rig.read_row()
        await rig.provider.start(rig.access, workspace)
        await rig.provider.stop(rig.access, workspace)
        await rig.provider.remove(rig.access, workspace)
        with pytest.raises(errors.NotFound):
            await rig.provider.stop(rig.access, workspace)
        rig.server.over_limit.add("alice")
        with pytest.raises(errors.LimitReached):
            await rig.provider.start(rig.access, await rig.read_row(rig.broken_id))
    documented = {(verb.upper(), path) for path, verbs in DOCUMENT["paths"].items() for verb in verbs}
    assert CHECKER.operations >= documented
    assert ("POST", "/user/codespaces/{codespace_name}/start", 402) in CHECKER.answers


def refuse(rig, status, words, **headers):
    """Return the error that the provider raises for a refused call."""
    named = CIMultiDictProxy(CIMultiDict({key.replace("_", "-"): value for key, value in headers.items()}))
    body = json.dumps({"message": words}).encode() if words else b""
    return rig.provider.to_error(Response(status, named, body), changes=True)


NEEDED_PERMISSION = "codespaces_lifecycle_admin=write"


@pytest.mark.parametrize(
    "words",
    [
        "Codespaces is disabled for this repository by its organization.",
        "Your IP address isn't allowed by the organization.",
        "Repository access blocked",
    ],
)
async def test_refusal_for_something_else_names_no_permission(open_rig, words):
    async with open_rig() as rig:
        error = refuse(rig, 403, words, X_Accepted_GitHub_Permissions=NEEDED_PERMISSION)
        assert (type(error), error.message) == (errors.Forbidden, words)


@pytest.mark.parametrize("form", ["required; url={}", "Required;URL={}", 'required; url="{}"'])
@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("/orgs/acme/sso?authorization_request=AZSCK", "{root}/orgs/acme/sso?authorization_request=AZSCK"),
        ("https://evil.example.org/sso", "{root}/settings/tokens"),
        ("/orgs/acme/sso?authorization_request=" + "A" * 300, "{root}/settings/tokens"),
    ],
    ids=["own", "foreign", "too long"],
)
async def test_token_without_single_sign_on_is_authorized_and_not_linked_again(
    open_rig, address, shown, form
):
    async with open_rig() as rig:
        root = rig.provider.page_url("x").removesuffix("/codespaces/x")
        header = form.format(f"{root if address.startswith('/') else ''}{address}")
        words = "acme requires single sign-on: this token has no access to it yet."
        error = refuse(rig, 403, words, X_GitHub_SSO=header, X_Accepted_GitHub_Permissions=NEEDED_PERMISSION)
        said = explain_cause(error, "GitHub Codespaces")
        assert f"Authorize it at {shown.format(root=root)} and try again" in said
        assert "you don't have to link again" in said


@pytest.mark.parametrize("status", [304, 409])
@pytest.mark.parametrize("words", ["The codespace is being updated. Try again later.", "Locked", ""])
async def test_refused_start_runs_only_if_words_or_a_read_say_so(open_rig, status, words):
    async with open_rig() as rig:
        workspace = await rig.read_row()
        body = json.dumps({"message": words}) if words else ""
        rig.inject_fault("POST /user/codespaces/.*/start", status=status, body=body)
        with pytest.raises(errors.Conflict) as caught:
            await rig.provider.start(rig.access, workspace)
        assert status == 304 or caught.value.message == (words or "HTTP 409")


async def test_used_up_requests_are_the_accounts_own(open_rig):
    async with open_rig() as rig:
        own = refuse(rig, 403, "API rate limit exceeded", X_RateLimit_Remaining="0")
        others = refuse(rig, 403, "You have exceeded a secondary rate limit")
        assert (own.is_own, others.is_own) == (True, False)


@pytest.mark.parametrize(
    ("header", "is_whole"),
    [
        ("partial-results; organizations=21955855", False),
        ("required; url=https://github.com/orgs/a/sso", True),
    ],
)
async def test_list_without_an_organizations_codespaces_is_not_whole(open_rig, header, is_whole):
    async with open_rig() as rig:
        body = json.dumps({"total_count": 0, "codespaces": []})
        rig.inject_fault("GET /user/codespaces", body=body, headers={"X-GitHub-SSO": header}, times=None)
        assert (await rig.provider.discover(rig.access)).is_whole is is_whole


WAITS = "The repository asks for more permissions. Allow or deny them at {url} and try again."
PERMISSIONS = "/acme/reef/codespaces/allow_permissions?ref=next"


def refuse_until_decided(rig, address, **body):
    response = {"message": "needs more permissions", "allow_permissions_url": address} | body
    headers = CIMultiDictProxy(CIMultiDict())
    return rig.provider.to_error(Response(401, headers, json.dumps(response).encode()), changes=True)


async def test_repository_that_asks_for_permissions_names_the_page(open_rig):
    async with open_rig() as rig:
        rig.server.asking_repositories.add("acme/reef")
        root = rig.provider.page_url("x").removesuffix("/codespaces/x")
        spec = Spec("new", {"repository": "acme/reef", "branch": "next"})
        with pytest.raises(errors.Forbidden) as caught:
            await rig.provider.create(rig.access, spec, KEY)
        assert (caught.value.message, caught.value.status) == (WAITS.format(url=root + PERMISSIONS), None)
        rig.server.decisions.add(("alice", "acme/reef"))
        assert await rig.provider.create(rig.access, spec, KEY)


@pytest.mark.parametrize("message", ["Permissions needed", ""], ids=["message", "no message"])
async def test_page_of_permissions_fits_into_the_message(open_rig, message):
    async with open_rig() as rig:
        root = rig.provider.page_url("x").removesuffix("/codespaces/x")
        for ref, shown in (("a" * 200, "/codespaces/new"), ("a&devcontainer_path=.d/x.json", None)):
            address = f"{root}/acme/reef/codespaces/allow_permissions?ref={ref}"
            error = refuse_until_decided(rig, address, message=message)
            url = address if shown is None else root + shown
            assert explain_cause(error, "GitHub Codespaces") == WAITS.format(url=url)
        longest = f"{root}/".ljust(LONGEST_PERMISSIONS_ADDRESS, "a")
        said = explain_cause(refuse_until_decided(rig, longest), "GitHub Codespaces")
        assert said == WAITS.format(url=longest)


@pytest.mark.parametrize("address", ["https://evil.example.org/allow", "/allow", "", None, 7])
async def test_page_of_permissions_elsewhere_is_ignored(open_rig, address):
    async with open_rig() as rig:
        error = refuse_until_decided(rig, address)
        assert (type(error), error.message) == (errors.CredentialRefused, "needs more permissions")

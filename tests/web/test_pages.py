"""Tests of all pages: outside text never becomes markup, nothing is cached or framed, strict cookies."""

from html.parser import HTMLParser

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.accounts import Account, Link
from bot.domain.message_context import WorkspaceFacts
from bot.domain.people import Principal
from bot.domain.workspaces import State, Workspace
from bot.messages.texts import pages as page_words
from bot.providers.facets import Embedding, TokenHelp
from bot.services.linking import LinkPage, Visit
from bot.web import render
from bot.web.browsers import Browsers, Flow
from bot.web.ide import build_page_state
from bot.web.render import CONTENT_SECURITY_POLICY, STATUS
from tests.rigs.clock import FakeClock
from tests.web.rig import ALICE, GOOD, KEY, rig


class Shape(HTMLParser):
    """A parser for a page's elements and attribute names, without text or values."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.comments = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, tuple(name for name, _ in attrs)))

    def handle_comment(self, data):
        self.comments += 1

    def handle_pi(self, data):
        self.comments += 1


def pages(person, workspace, title, username, sentence, url):
    principal = Principal(None, "T1", "U1")

    def opened(stage, former=""):
        link = Link("0" * 64, principal, "saturn", None, 0, 600, stage=stage, username=username)
        shown = LinkPage(link, title, person, workspace, TokenHelp(url, [sentence], "x"), needs_sign_in=False)
        return shown._replace(signs_in=bool(former), former=former)

    common = {
        "csrf_token": "m",
        "sign_in_url": "/link/sign-in?of=0",
        "there_url": "/link/there?of=0",
        "slack": "https://app.slack.com/client/T1",
        "command": "/workspace",
        "steps": ["Token"],
        "place": 0,
        "code_follows": True,
    }
    account = Account("a", principal, "saturn", username, "", "active", 0)
    yield render.render_page("sign_in.html", opened=opened("open"), **common)
    yield render.render_page("token.html", opened=opened("open"), problem=sentence, **common)
    yield render.render_page("confirm.html", opened=opened("checked"), **common)
    yield render.render_page("there.html", opened=opened("open", "x"), problem=sentence, **common)
    yield render.render_page("confirm.html", opened=opened("checked", username + "x"), **common)
    yield render.render_page("code.html", opened=opened("code"), code="BBBBBBBB", **common)
    yield render.render_page("done.html", opened=opened("checked"), account=account, **common)
    yield render.render_problem(500, page_words.FAILED_TITLE, sentence, "K7QX-2MPA")
    yield render.render_page("nothing.html", page="/ide/w", person=person, csrf_token="m")
    row = Workspace(
        "w",
        principal,
        "sphere",
        "1" * 32,
        "g",
        username,
        alias=workspace,
        state=State.FAILED,
        detail=sentence,
    )
    for loads in (None, Embedding("sdk.example", is_https=True, endpoint="https://acme.example")):
        yield render.render_page(
            "ide.html",
            page="/ide/w",
            origin="https://usher.example",
            page_origin="https://pages.usher.example",
            workspace=row,
            page_state=build_page_state(
                WorkspaceFacts(now=0.0, connection="sphere", connection_title=title, workspace=row)
            ),
            title=title,
            loads=loads,
            csrf_token="m",
            person=person,
            slack="https://app.slack.com/client/T1",
        )


def shapes(*facts):
    return [Shape(page.text).elements for page in pages(*facts)]


PLAIN = shapes("Ada", "Acme", "Saturn", "ada", "Do it.", "https://app.example/token")
NASTY = st.one_of(
    st.text(min_size=1, max_size=200),
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            '"><img src=x onerror=alert(1)>',
            "' onmouseover='alert(1)",
            "</title><script>",
            "</dd></dl><form action=//evil.example>",
            "{{ 7*7 }}{% raw %}",
            "<!-- ",
            "&lt;script&gt;",
            "\x00<svg/onload=alert(1)>",
            "\u202e\u2066" + "x" * 500,
        ]
    ),
)


@settings(max_examples=60, deadline=None)
@given(NASTY, NASTY, NASTY, NASTY, NASTY, NASTY)
def test_no_name_adds_an_element_or_an_attribute(person, workspace, title, username, sentence, url):
    facts = (person, workspace, title, username, sentence, "https://app.example/?q=" + url)
    for plain, page in zip(PLAIN, pages(*facts), strict=True):
        shape = Shape(page.text)
        assert shape.elements == plain
        assert shape.comments == 0
        assert "\u202e" not in page.text or "\u202e" in sentence + url


def test_an_address_of_another_scheme_becomes_no_link():
    page = list(pages("Ada", "Acme", "Saturn", "ada", "Do it.", "javascript:alert(1)"))[1]
    assert "javascript:" not in page.text


def test_names_are_cut_and_seen_whole_in_no_page():
    page = next(iter(pages("x" * 5000, "Acme", "Saturn", "ada", "Do it.", "https://a.example")))
    assert "x" * 119 + "…" in page.text
    assert "x" * 121 not in page.text
    assert (render.clean_line("x" * 120), render.clean_line("x" * 121)) == ("x" * 120, "x" * 119 + "…")


async def test_every_answer_is_guarded():
    async with rig() as made:
        browser = await made.browser()
        url = await made.accounts.invite(ALICE, "saturn")
        for path in (
            url,
            "/link",
            "/nowhere",
            "/healthz",
            "/link/check",
            "/static/page.css",
            "/static/none.css",
        ):
            await browser.get(path, follow=False)
            assert browser.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
            assert browser.headers["X-Content-Type-Options"] == "nosniff"
            assert browser.headers["Referrer-Policy"] == "no-referrer"
            assert browser.headers["X-Frame-Options"] == "DENY"
            assert browser.headers["Server"] == "usher"
            is_style = path == "/static/page.css"
            assert browser.headers["Cache-Control"] == ("public, max-age=3600" if is_style else "no-store")
        assert "unsafe" not in CONTENT_SECURITY_POLICY
        page = await browser.get(url)
        # A person who came from a bot with another name can see that this page belongs to it.
        assert '<span class="tagline">@usher in Slack</span>' in page
        assert "style=" not in page
        assert "<script" not in page


def cookies_over(public_url):
    browsers = Browsers(public_url=public_url, keys=[KEY], clock=FakeClock())
    response = web.Response()
    browsers.remember(make_mocked_request("GET", "/link/x"), response, "x")
    browsers.remember_flow(
        make_mocked_request("GET", "/link/sign-in"), response, Flow("s", "n", "v"), link="x"
    )
    return browsers, response.cookies


def test_cookies_over_https_are_bound_to_the_host():
    _browsers, cookies = cookies_over("https://usher.example")
    assert set(cookies) == {"__Host-usher-link", "__Host-usher-sign-in"}
    for cookie in cookies.values():
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")
        assert (cookie["path"], cookie["domain"]) == ("/", "")
        assert int(cookie["max-age"]) <= 1200


def test_cookies_of_this_machine_do_without_what_http_refuses():
    _browsers, cookies = cookies_over("http://127.0.0.1:3000")
    assert set(cookies) == {"usher-link", "usher-sign-in"}
    for cookie in cookies.values():
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (False, True, "Lax")


def request_with(cookies, **headers):
    jar = "; ".join(f"{cookie.key}={cookie.value}" for cookie in cookies.values())
    return make_mocked_request("POST", "/link/check", headers={"Cookie": jar, **headers})


def test_cookies_end_by_our_clock_and_survive_a_new_key():
    clock = FakeClock()
    old = Browsers(public_url="https://usher.example", keys=["old-key"], clock=clock)
    response = web.Response()
    old.remember(make_mocked_request("GET", "/"), response, "nonce")
    request = request_with(response.cookies)
    visit = old.find_visit(request)
    assert visit is not None
    assert visit.nonce == "nonce"
    both = Browsers(public_url="https://usher.example", keys=["new-key", "old-key"], clock=clock)
    assert both.find_visit(request) == visit
    other = Browsers(public_url="https://usher.example", keys=["new-key"], clock=clock)
    assert other.find_visit(request) is None
    clock.advance(1200)
    assert old.find_visit(request) is None


@pytest.mark.parametrize(
    ("public_url", "origin"),
    [
        ("https://usher.example", "https://usher.example"),
        ("https://usher.example:443", "https://usher.example"),
        ("https://Usher.Example/", "https://usher.example"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
    ],
)
def test_origins_are_compared_as_browsers_write_them(public_url, origin):
    browsers = Browsers(public_url=public_url, keys=[KEY], clock=FakeClock())
    assert browsers.is_same_origin(make_mocked_request("POST", "/", headers={"Origin": origin}))
    for wrong in (origin + ".evil.example", origin + ":8443", origin.replace("http", "xttp"), ""):
        assert not browsers.is_same_origin(make_mocked_request("POST", "/", headers={"Origin": wrong}))


def test_a_browser_that_names_no_referrer_is_judged_by_its_fetch_site():
    browsers = Browsers(public_url="https://usher.example", keys=[KEY], clock=FakeClock())
    for site, is_ours in (
        ("same-origin", True),
        ("same-site", False),
        ("cross-site", False),
        ("none", False),
    ):
        for origin in ("null", "https://usher.example"):
            headers = {"Origin": origin, "Sec-Fetch-Site": site}
            assert browsers.is_same_origin(make_mocked_request("POST", "/", headers=headers)) == is_ours
    assert not browsers.is_same_origin(make_mocked_request("POST", "/", headers={"Origin": "null"}))


def test_csrf_tokens_differ_by_browser_and_link():
    browsers = Browsers(public_url="https://usher.example", keys=[KEY], clock=FakeClock())
    marks = {browsers.get_csrf_token(Visit(nonce, browser)) for nonce in "ab" for browser in "xy"}
    assert len(marks) == 4


@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
async def test_only_plain_forms_of_a_sane_size_are_read(content_type):
    async with rig() as made:
        browser = await made.browser()
        await browser.get(await made.accounts.invite(ALICE, "saturn"))
        headers = {"Origin": made.origin, "Sec-Fetch-Site": "same-origin"}
        for raw in (b"token=" + b"0" * 20_000, b"%ff", b"a=1&" * 30, b"\xff"):
            async with browser.session.post(
                made.origin + "/link/check",
                data=raw,
                headers={**headers, "Content-Type": "application/x-www-form-urlencoded"},
            ) as response:
                assert response.status == 403
        async with browser.session.post(
            made.origin + "/link/check", data=b"token=x", headers={**headers, "Content-Type": content_type}
        ) as response:
            assert response.status == 403
        assert made.provider.asked == []


async def test_a_server_that_tells_no_name_is_said_so():
    async with rig() as made:
        made.provider.usernames[GOOD] = ""
        browser = await made.browser()
        await browser.get(await made.accounts.invite(ALICE, "saturn"))
        assert page_words.ACCOUNT_UNTOLD in await browser.send("/link/check", token=GOOD)


def test_statuses_of_refusals_are_refusals():
    assert all(400 <= status < 600 for status in STATUS.values())


def test_a_page_that_leads_to_no_token_is_not_offered():
    facts = ("Ada", "Acme", "Workbench", "ada", "Ask your admin for a token.")
    with_page, without = (
        [page.text for page in pages(*facts, url)][1] for url in ("https://app.example/", "")
    )
    assert "Open Workbench" in with_page
    assert "Open Workbench" not in without
    assert "<title>Error: " in without


@pytest.mark.parametrize(
    ("former", "username", "is_another"),
    [("", "alice", False), ("alice", "", False), ("alice", "alice", False), ("alice", "bob", True)],
)
def test_another_account_is_warned_of_only_beside_a_former(former, username, is_another):
    link = Link("0" * 64, Principal(None, "T1", "U1"), "saturn", None, 0, 600, username=username)
    opened = LinkPage(link, "Saturn", "Al", "Acme", TokenHelp("", [], ""), needs_sign_in=False, former=former)
    assert opened.is_another is is_another

"""Browser tests of linking: cookies, origins, referrer, and no violations of the policy."""

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.messages.texts import pages as words
from bot.store import accounts, notices
from bot.support.errors import Forbidden
from tests.web.driver import chromium, elsewhere
from tests.web.rig import ALICE, GOOD, rig

pytestmark = pytest.mark.browser

#: Returns which are on the screen: the field, and the reason why its text was refused.
BOTH_SEEN = """return ["token", "problem"].filter((id) => {
  const { top, bottom } = document.getElementById(id).getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
})"""
BACK = "const [one] = document.links; return [one.textContent, one.href]"


async def heard(window, css):
    """Return an element's description, which screen readers read after its name."""
    found = await window.devtools("Runtime.evaluate", {"expression": f"document.querySelector({css!r})"})
    about = {"objectId": found["result"]["objectId"], "fetchRelatives": False}
    tree = await window.devtools("Accessibility.getPartialAXTree", about)
    return tree["nodes"][0].get("description", {}).get("value", "")


@pytest.mark.browser(always=True)
async def test_the_way_with_the_code():
    async with rig() as made, chromium() as window:
        await window.go(await made.accounts.invite(ALICE, "saturn"))
        assert (await window.url()).startswith(f"{made.origin}/link?of=")
        assert "Alice Liddell" in await window.text(".who")
        assert await heard(window, "#token") == words.TOKEN_NOTE
        await window.type("#token", "00000000")
        await window.press("form button")
        assert "4 tries are left" in await window.text(".problem")
        # A person who can't see the page first hears that it was refused. || The focus is on the field, whose
        # description has the reason.
        assert (await window.script("return document.title")).startswith("Error: Link")
        assert await window.script("return document.activeElement.id") == "token"
        said = await heard(window, "#token")
        assert "4 tries are left" in said
        assert said.endswith(words.TOKEN_NOTE)
        await window.type("#token", GOOD)
        await window.press("form button")
        assert await window.text("form[action='/link/confirm'] button") == "Yes, show the code"
        assert "alice" in await window.text(".who")
        await window.press("form[action='/link/confirm'] button")
        account = await made.accounts.confirm_code(ALICE, await window.text("code"))
        assert account.username == "alice"
        refused = [line for line in await window.console() if "422" not in line]
        assert refused == []


async def test_page_quotes_what_a_token_lacks_above_the_steps():
    async with rig() as made, chromium() as window:
        await window.looks_like(375, 660, dark=False)
        made.provider.error = Forbidden("Resource not accessible by <personal> access token", status=403)
        await window.go(await made.accounts.invite(ALICE, "saturn"))
        await window.type("#token", GOOD)
        await window.press("form button")
        said = await window.text(".problem")
        assert "Saturn Cloud says: “Resource not accessible by <personal> access token.”" in said
        assert said.endswith("The steps below say how to get one. 4 tries are left.")
        assert said in await heard(window, "#token")
        assert await window.script(BOTH_SEEN) == ["token", "problem"]
        assert await window.text(".problem ~ ol.how") == "Sign in.\nCopy the token."
        made.provider.error = None
        await window.type("#token", GOOD)
        await window.press("form button")
        assert await window.text("form[action='/link/confirm'] button") == "Yes, show the code"


async def test_the_way_with_sign_in():
    async with rig(sign_in=True) as made, chromium() as window:
        await window.go(await made.accounts.invite(ALICE, "saturn"))
        await window.press("a.button")
        await window.type("#token", GOOD)
        assert (await window.url()).startswith(f"{made.origin}/link?of=")
        await window.press("form button")
        await window.press("form[action='/link/again'] button")
        await window.type("#token", GOOD)
        await window.press("form button")
        await window.press("form[action='/link/confirm'] button")
        assert "is linked as alice" in await window.text(".good")
        assert words.DONE_NEXT in await window.text("main")
        # Before Usher has sent the person a message, it knows only their Slack workspace.
        assert await window.script(BACK) == ["Back to Slack", f"{made.slack_origin}/app_redirect?team=T0HOME"]
        assert [account.username for account in await made.store.read(accounts.list_accounts, ALICE)] == [
            "alice"
        ]
        assert await window.console() == []


async def test_the_linked_page_leads_back_and_says_what_goes_on_there():
    async with rig(sign_in=True) as made, chromium() as window:
        before = NewNotice("up", NoticeKind.MESSAGE, "here", ALICE, {"text": "Hello"})
        await made.store.write(notices.add_notices, [before])
        (notice,) = await made.store.perform(notices.claim_notices, 9, 60.0)
        await made.store.write(notices.mark_notice_sent, notice, "D0ALICE", "1.1")
        await window.go(await made.accounts.invite(ALICE, "saturn", {"text": "start notebook"}))
        await window.press("a.button")
        await window.type("#token", GOOD)
        await window.press("form button")
        await window.press("form[action='/link/confirm'] button")
        await window.text(".good")
        assert words.DONE_WAITED in await window.text("main")
        there = f"{made.slack_origin}/app_redirect?team=T0HOME&channel=D0ALICE"
        assert await window.script(BACK) == ["Back to Slack", there]
        assert await window.console() == []


async def test_another_site_can_neither_send_our_form_nor_frame_our_page():
    async with rig() as made, chromium() as window:
        form = f"<form action='{made.origin}/link/check' method=post><input name=token value={GOOD}>"
        async with elsewhere(f"{form}<button>Win</button></form><iframe src='{made.origin}/link'>") as evil:
            await window.go(await made.accounts.invite(ALICE, "saturn"))
            # Another port is another origin of the same site, so cookies are sent. Another host name is
            # another site.
            for host in ("127.0.0.1", "localhost"):
                await window.go(f"http://{host}:{evil.port}/")
                await window.complains("frame-ancestors")
                await window.press("button")
                assert "didn't come from this page" in await window.text(".said")
        assert made.provider.asked == []

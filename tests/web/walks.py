"""A walk through all of Usher's pages in a browser."""

from collections.abc import AsyncIterator

from bot.domain.workspaces import State
from bot.support.errors import Forbidden
from tests.web.driver import Chromium
from tests.web.ide_rig import IdeRig
from tests.web.rig import ALICE, BOB, GOOD, ScriptedProvider
from tests.web.there import SigningProvider


async def link_pages(world: IdeRig, window: Chromium) -> AsyncIterator[str]:
    """Follow a link with Sign in with Slack, and yield the name of each page that is shown."""
    made = world.made
    await window.go(f"{made.origin}/link/new/saturn")
    yield "link-new"
    url = await made.accounts.invite(ALICE, "saturn")
    await window.go(url)
    yield "link-sign-in"
    made.issuer.person = ("T0HOME", "U0BOB")
    await window.press("a.button")
    yield "link-mismatch"
    made.issuer.person = ("T0HOME", "U0ALICE")
    await window.go(url)
    await window.press("a.button")
    yield "link-token"
    await window.type("#token", "00000000")
    await window.press("form button")
    yield "link-token-refused"
    provider = made.context.connections["saturn"]
    assert isinstance(provider, ScriptedProvider)
    provider.error = Forbidden(f"Needs the scope {'x' * 150}", status=403)
    await window.type("#token", GOOD)
    await window.press("form button")
    await window.shows("recognises this token")
    yield "link-token-lacks"
    provider.error = None
    await window.type("#token", GOOD)
    await window.press("form button")
    await window.text("form[action='/link/confirm']")
    yield "link-confirm"
    await window.press("form[action='/link/confirm'] button")
    await window.text(".good")
    yield "link-linked"
    await window.go(f"{made.origin}/link")
    yield "link-used"
    old = await made.accounts.invite(ALICE, "saturn")
    made.clock.advance(601)
    await window.go(old)
    yield "link-expired"


async def there_pages(world: IdeRig, window: Chromium) -> AsyncIterator[str]:
    """Follow a link that takes people to the provider's sign-in page."""
    made = world.made
    provider = made.context.connections["hub"]
    assert isinstance(provider, SigningProvider)
    assert provider.client is not None
    provider.client.sends_back = True
    await window.go(await made.accounts.invite(ALICE, "hub"))
    yield "there-sign-in"
    await window.press("a.button")
    await window.text("form[action='/link/confirm']")
    yield "there-confirm"
    await window.press("form[action='/link/again'] button")
    await window.text("details")
    yield "there"
    await window.press("summary")
    await window.type("#token", "00000000")
    await window.press("form button")
    await window.text("p.problem")
    yield "there-token-refused"


async def code_pages(world: IdeRig, window: Chromium) -> AsyncIterator[str]:
    """Follow a link with a code that is typed in Slack."""
    await window.go(await world.made.accounts.invite(ALICE, "saturn"))
    await window.type("#token", GOOD)
    await window.press("form button")
    await window.press("form[action='/link/confirm'] button")
    await window.text("code")
    yield "code"
    await window.go(f"{world.origin}/link")
    yield "code-shown"
    await window.go(f"{world.origin}/ide/workspace_x")
    yield "ide-not-set-up"


async def ide_pages(world: IdeRig, window: Chromium) -> AsyncIterator[str]:
    """Open the pages of workspaces that show no IDE, and those for signing in and out."""
    states = {state: f"{number:032x}" for number, state in enumerate(State)}
    rows = {
        state: await world.workspace(remote_id=f"{remote[-8:]}{remote[8:]}", state=state, name=f"my {state}")
        for state, remote in states.items()
    }
    bobs = await world.workspace(BOB, remote_id="f" * 32)
    await window.go(f"{world.origin}/ide/{rows[State.STARTING].id}")
    yield "ide-sign-in"
    await window.press("a.button")
    await window.text("#busy")
    yield "ide-starting"
    for state in (State.STOPPED, State.FAILED, State.GONE, State.STOPPING, State.UNKNOWN):
        await window.go(f"{world.origin}/ide/{rows[state].id}")
        await window.text("#heading")
        yield f"ide-{state}"
    await window.go(f"{world.origin}/ide/{bobs.id}")
    yield "nothing-of-yours"
    await window.go(f"{world.origin}/nowhere")
    yield "not-found"
    await window.go(f"{world.origin}/ide/{rows[State.RUNNING].id}")
    await window.shows("can't be reached")
    yield "ide-unreachable"
    await window.press("#sign-out")
    await window.text("form[action='/sign-out'] button")
    yield "sign-out"
    await window.press("form[action='/sign-out'] button")
    await window.shows("You're signed out")
    yield "signed-out"

"""Helpers that go through a one-time link's pages until one shows the code to type in Slack."""

from tests.web.rig import ALICE, GOOD


async def link(made, principal=ALICE, waiting=None):
    return await made.accounts.invite(principal, "saturn", waiting)


def code_on(page):
    return page.split("<code>")[1].split("</code>")[0]


async def walk_to_code(made, browser):
    await browser.get(await link(made))
    await browser.send("/link/check", token=GOOD)
    return code_on(await browser.send("/link/confirm"))

"""Checks of connections: whether servers respond, people can sign in, and pages load."""

import re
from collections.abc import Mapping

from pydantic import SecretStr

from bot.messages.texts.refusals import explain_refusal
from bot.providers import base, facets, list_distributions
from bot.providers.requests import none_if_absent, verify_bad_token_is_refused
from bot.services.checks import Check, add_trust, explain_failure, format_plain
from bot.services.linking import get_return_address, refuse_foreign_token
from bot.support import errors
from bot.support.settings import Settings

_SCRIPT_BYTES = 5_000_000
_MAX_LISTED_WORKSPACES = 5
#: Matches host names in a script. Hosts in ``_NAMESPACES`` are ignored: they only name XML formats such as
#: SVG, and nothing connects to them.
_HOST_PATTERN = re.compile(
    rb"(?:https?:)?//([0-9A-Za-z](?:[0-9A-Za-z-]*\.)+[A-Za-z]{2,}(?::\d+)?)(?=[/\"'`?])"
)
_NAMESPACES = {"www.w3.org"}


async def check_connection(name: str, provider: base.Provider, *, is_linked: bool = False) -> Check:
    """Check a provider's server without using anyone's credentials. The server must refuse an invalid token.

    ``is_linked`` means that the server has accepted someone's token, which is sufficient evidence if it hides
    its version.
    """
    label = f"connection {name}"
    try:
        version, remark = await provider.probe(), await provider.read_warning()
        if isinstance(provider, facets.Tokens):
            await verify_bad_token_is_refused(provider.check_credential)
    except errors.ProviderError as failed:
        advice = "Check its address."
        if isinstance(failed, errors.TemporaryError) and not isinstance(failed, errors.BadAnswer):
            advice = "Check its address, and whether this machine can reach it."
        elif isinstance(failed, errors.CredentialRefused):
            advice = "Check the connection's own token."
        return Check(label, False, explain_failure(failed), add_trust(advice, failed))
    whose = list_distributions({name: provider.settings}).get(name)
    answers = f"{provider.settings.base_url} answers{f' to {whose}' if whose else ''}"
    if not version and is_linked:
        return Check(label, True, f"{answers}, and has accepted somebody's token")
    if not version:
        found = f"{answers}, but says what it is only to people who have an account there"
        return Check(label, True, found, "It's known once somebody's token was accepted.", is_warning=True)
    return Check(label, True, ". ".join(filter(None, (f"{answers} ({format_plain(version)})", remark))))


async def check_account(provider: base.Provider, token: str) -> Check:
    """Find out whose account a token belongs to, and what the account contains.

    Nothing is stored. If the check exchanges the token for a new one, it revokes the new one afterwards.
    """
    label, title = "your account", provider.settings.title
    if (foreign := refuse_foreign_token(token, title, [provider])) is not None:
        return Check(label, False, explain_refusal(foreign))
    try:
        identity = await provider.check_credential(base.Credential(SecretStr(token)))
        access = base.Access(identity.username, identity.credential)
        try:
            found = await none_if_absent(provider.require_facet(facets.Lists).discover(access)) or ()
        finally:
            if isinstance(provider, facets.Revocation) and provider.can_revoke(access.credential):
                await provider.revoke(access)
    except errors.ProviderError as failed:
        refused = f"{title} doesn't accept that token ({explain_failure(failed)})"
        return Check(label, False, refused, f"Copy the whole token from {title} again.")
    listed = found[:_MAX_LISTED_WORKSPACES]
    shown = [f"{format_plain(one.name or one.remote_id)} ({one.observed.state})" for one in listed]
    who = format_plain(access.username)
    whose = f"{who} on {title}" if access.username else f"{title} accepts that token"
    return Check(label, True, f"{whose}. Workspaces: {', '.join(shown) or 'none are listed'}")


def check_sign_in(settings: Settings, providers: Mapping[str, base.Provider]) -> list[Check]:
    """Check that Sign in with Slack is set up, if any provider's workspaces open on Usher's own pages."""
    needing = sorted(name for name, one in providers.items() if isinstance(one, facets.EmbeddedPage))
    if not needing:
        return []
    if settings.slack_client_id is not None and settings.slack_client_secret is not None:
        return [Check("sign in with slack", True, "set up")]
    found = f"not set up, so nobody can open a workspace on {', '.join(needing)}"
    advice = "Set SLACK_CLIENT_ID and SLACK_CLIENT_SECRET (your app's page, Basic Information)."
    return [Check("sign in with slack", False, found, advice)]


async def check_page(name: str, provider: base.Provider) -> list[Check]:
    """Load the workspace page's script. Report any hosts in the script that the page mustn't contact."""
    if not isinstance(provider, facets.EmbeddedPage):
        return []
    label, loads = f"connection {name} page", provider.embedding()
    try:
        answer = await provider.api.send("GET", loads.script, max_bytes=_SCRIPT_BYTES)
    except errors.ProviderError as failed:
        found = f"{loads.script}: {explain_failure(failed)}"
        return [Check(label, False, found, "Check sdk_base, and the network.")]
    if answer.status != 200:
        return [Check(label, False, f"{loads.script} answers HTTP {answer.status}", "Check sdk_base.")]
    named = sorted({host.decode().lower() for host in _HOST_PATTERN.findall(answer.body)} - _NAMESPACES)
    others = [host for host in named if not loads.allows(host)]
    found = f"{loads.script} loads"
    if others:
        found += (
            f"; it also names {', '.join(others)}. If pages lack something from there, add it to page_hosts"
        )
    return [Check(label, True, found)]


async def check_way_in(name: str, provider: base.Provider, public_url: str) -> list[Check]:
    """Check whether Usher is registered at a provider where people can sign in."""
    if not isinstance(provider, facets.SignIn) or not provider.has_link_method("token"):
        return []
    label, back = f"connection {name} sign-in", get_return_address(public_url, name)
    if provider.oauth is None:
        found = "people paste a token. To let them sign in:"
        return [Check(label, True, found, provider.describe_registration(back))]
    try:
        is_known = await provider.oauth.is_accepted()
    except errors.Unreachable:
        return []  # The check that asks for the server's version already reports this.
    except errors.ProviderError as failed:
        found = f"can't tell whether people can sign in: {explain_failure(failed)}"
        return [Check(label, True, found, "Link an account of yours to see.", is_warning=True)]
    if not is_known:
        found = "it doesn't accept the client id and secret, so nobody can sign in"
        return [Check(label, False, found, provider.describe_registration(back))]
    return [Check(label, True, f"people sign in there, and come back to {back}")]

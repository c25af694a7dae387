"""The check of Slack's assistant."""

from collections.abc import Mapping
from typing import Final

from bot.providers import base
from bot.services.checks import NEEDED_SCOPES, SLACK_CHECKS, Check, explain_failure
from bot.slack.manifest import ASSISTANT_PATH, ASSISTANT_SCOPES
from bot.support import errors
from bot.support.http import Http
from bot.support.settings import Settings

_ROUTE: Final = "Its answer should be 401: route that address to Usher, and restart it."


async def check_assistant(
    settings: Settings, http: Http, _providers: Mapping[str, base.Provider]
) -> list[Check]:
    """Call the assistant's address unsigned, which Usher must refuse; only Slack knows whether it calls."""
    if not settings.assistant or settings.public_url is None:
        return []
    url = settings.public_url + ASSISTANT_PATH
    try:
        status = (await http.request("POST", url)).status
    except errors.ProviderError as failed:
        return [Check("slack assistant", False, explain_failure(failed), _ROUTE)]
    return [Check("slack assistant", status == 401, f"{url} answers an unsigned call with {status}", _ROUTE)]


SLACK_CHECKS[20] = check_assistant
NEEDED_SCOPES.append(lambda settings: ASSISTANT_SCOPES if settings.assistant else ())

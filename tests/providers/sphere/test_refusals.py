"""How a refused resume is read: by its words, as no document says with which status it comes."""

import json
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from pydantic import SecretStr

from bot.providers.base import Access, Credential
from bot.providers.sphere import SphereProvider, SphereSettings
from bot.support.errors import Conflict, InvalidRequest, LimitReached
from bot.support.http import Response

ID = "a" * 32
ACCESS = Access("", Credential.of_connection("none"))


class Refusing:
    """Answer every request with one refusal."""

    def __init__(self, status: int, message: str) -> None:
        body = json.dumps({"message": message, "error_code": 10}).encode()
        self.answer = Response(status, CIMultiDictProxy(CIMultiDict()), body)

    async def request(self, _method: str, _url: str, **_keys: Any) -> Response:
        return self.answer


def provider(status: int, message: str) -> SphereProvider:
    settings = SphereSettings(
        provider="sphere",
        name="sphere",
        title="Sphere",
        base_url="https://acme.containers.sphere-engine.com",
        access_token=SecretStr("t0ken"),
    )
    return SphereProvider(settings, Refusing(status, message))  # type: ignore[arg-type]  # all it needs


@pytest.mark.parametrize("status", [400, 403, 409])
@pytest.mark.parametrize("message", ["Workspace is still stopping", "It is being stopped, try again later"])
async def test_not_yet_is_for_later(status, message):
    with pytest.raises(Conflict):
        await provider(status, message).start(ACCESS, ID)


async def test_what_runs_already_is_as_it_should_be():
    await provider(400, "Workspace is already running").start(ACCESS, ID)


@pytest.mark.parametrize(
    ("status", "kind"), [(400, InvalidRequest), (402, LimitReached), (403, LimitReached)]
)
async def test_other_refusals_stay_what_they_are(status, kind):
    with pytest.raises(kind):
        await provider(status, "no").start(ACCESS, ID)

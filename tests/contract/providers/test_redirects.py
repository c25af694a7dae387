"""Row 16: a provider that sends a request elsewhere gets no further with it, and the token goes nowhere."""

import pytest

from bot.support import errors
from tests.contract.providers.rigs import Rig, at_each
from tests.contract.providers.test_faults import METHODS, failure
from tests.rigs.unknown_names import unknown_names
from tests.support.http_rig import raw_server, whole

pytestmark = pytest.mark.asyncio(loop_scope="session")


@at_each("method", METHODS, "status", "start")
async def test_row_16_the_other_server_sees_no_request(quiet_rig: Rig, method):
    before = quiet_rig.sent()
    async with raw_server(whole()) as other:
        quiet_rig.spoil(status=302, headers={"Location": f"{other.url}/api/user?next=1"})
        error = await failure(quiet_rig, method)
        assert isinstance(error, errors.PermanentError)
        assert "check its address" in error.message
        assert unknown_names(error.message, keys=True) == []
        assert other.connections == 0
    assert quiet_rig.sent() == before + 1


@at_each("location", ["//127.0.0.1:9/x", "/elsewhere", "javascript:x", ""], "/elsewhere")
async def test_row_16_wherever_it_points(quiet_rig: Rig, location):
    quiet_rig.spoil(status=302, headers={"Location": location})
    assert isinstance(await failure(quiet_rig, "status"), errors.PermanentError)

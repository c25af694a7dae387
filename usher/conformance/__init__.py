"""The conformance kit: tests for every provider, run with pytest against a local server.

A provider's package loads the kit with ``-p usher.conformance``. The package must contain:

- a test module with the line ``from usher.conformance.every import *``;
- a fixture ``open_rig`` in ``conftest.py``. Its value is a function (``OpenRig``) that opens the provider's
  ``Rig``, through which the kit uses the local server.

``docs/provider-api.md`` shows an example.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, NoReturn

import pytest
import structlog

from bot.support.http import Http
from usher.conformance.rigs import ImpatientHttp, Rig

__all__ = ["check_no_token_logged", "impatient_rig", "quiet_rig", "rig"]

#: A function that takes an HTTP client class and opens a provider's rig (its simulated server) with it.
OpenRig = Callable[[type[Http]], AbstractAsyncContextManager[Rig]]


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker for test cases that repeat another case of the same test."""
    config.addinivalue_line("markers", "again: meets the same mapping as another case of its test")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """If one of the kit's tests fails, print the calls, requests and faults that led to the failure."""
    report = yield
    rigs = [value for value in getattr(item, "funcargs", {}).values() if isinstance(value, Rig)]
    if call.when == "call" and report.failed and rigs:
        report.sections.append(("What the kit did", "\n".join(rigs[0].steps)))
    return report


@contextmanager
def forbid_sleep() -> Iterator[None]:
    """Make a provider fail if it sleeps. Only the engine decides when to try again."""

    def fail_asleep(*_arguments: Any, **_options: Any) -> NoReturn:
        raise AssertionError("a provider sleeps")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", fail_asleep)
        patch.setattr(asyncio, "sleep", fail_asleep)
        yield


@asynccontextmanager
async def check_no_token_logged(opened: AbstractAsyncContextManager[Rig], log: Any) -> AsyncIterator[Rig]:
    """Open a rig, and check afterwards that no token was logged, even before redaction."""
    with structlog.testing.capture_logs() as lines, log.at_level(logging.DEBUG):
        async with opened as ready:
            yield ready
            assert ready.secret not in repr(lines) + log.text, "a token is logged"


@pytest.fixture
async def rig(open_rig: OpenRig, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Rig]:
    """Open a rig: a provider, its local server, and an account."""
    async with check_no_token_logged(open_rig(Http), caplog) as ready:
        with forbid_sleep():
            yield ready


@pytest.fixture
async def quiet_rig(rig: Rig) -> Rig:
    """Return a rig for tests that don't start any workspace."""
    return rig


@pytest.fixture
async def impatient_rig(open_rig: OpenRig) -> AsyncIterator[Rig]:
    """Open a rig whose client times out after one second, for calls that get no response."""
    async with open_rig(ImpatientHttp) as ready:
        yield ready


@pytest.fixture
async def linked_rig(rig: Rig) -> Rig:
    """Return the rig; skip the test if people don't have accounts on its provider."""
    if "token" not in type(rig.provider).settings_model.link_methods:
        pytest.skip("people have no accounts there")
    return rig

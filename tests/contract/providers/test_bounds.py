"""A huge or slow answer costs bounded memory and time, and is requested only once."""

import asyncio
import time
import tracemalloc
from typing import Any

import pytest
from pydantic import SecretStr

from bot.messages.texts import problems
from bot.providers.base import Access, Credential
from bot.support import errors
from bot.support.http import Http
from playground.harness import Harness
from tests.contract.providers.rigs import Rig, provider_of
from tests.support.http_rig import raw_server
from usher.conformance.faults import CHANGES, METHODS, fail_with_error

pytestmark = pytest.mark.asyncio(loop_scope="session")
IDS = {"saturn": "0f" * 16, "jupyterhub": "alice/training", "posit": "6124d41f", "sphere": "0f" * 16}
HUGE = 200_000_000
#: Memory that the request function may use at once, in bytes: its own limit, some buffers, and Python's
#: overhead.
MEMORY = 30_000_000
#: One read and one change are enough: all methods of all providers send through the same function.
each = pytest.mark.parametrize("method", ["status", "start"])


class Hasty(Http):
    """A client that gives up after half a second instead of twenty."""

    def stream(self, method: str, url: str, **options: Any) -> Any:
        return super().stream(method, url, **{**options, "total": 0.5})


async def call(method, server, client=Http, kind="saturn"):
    """Call one method of a provider at a raw server, and return the error that it raises."""
    async with Http.new_session() as session:
        rig = Rig(
            provider=provider_of(kind, client(session), server.url),
            access=Access("alice", Credential(SecretStr("a11ce0" * 5))),
            harness=Harness(),
            remote_id=IDS[kind],
            broken_id="",
            foreign_id="",
            missing_id="",
            names=set(),
            clock=None,
        )
        with pytest.raises(errors.ProviderError) as caught:
            await METHODS[method](rig)
        return caught.value


def huge(*, is_said):
    """Return an answer of 200 MB, either with its length announced or in endless chunks."""

    async def answer(writer, _number):
        head = f"Content-Length: {HUGE}" if is_said else "Transfer-Encoding: chunked"
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{head}\r\n\r\n".encode())
        piece = b'"' + b"x" * 99_998 + b'"'
        for _ in range(HUGE // len(piece)):
            writer.write(piece if is_said else b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()

    return answer


@each
@pytest.mark.parametrize("is_said", [True, False], ids=["length told", "in pieces"])
async def test_a_huge_answer_takes_bounded_memory(method, is_said):
    async with raw_server(huge(is_said=is_said)) as server:
        tracemalloc.start()
        try:
            error = await call(method, server)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert type(error) is (errors.UnknownOutcome if method in CHANGES else errors.BadAnswer)
    assert most < MEMORY
    assert len(server.requests) == 1


@each
@pytest.mark.parametrize("where", ["head", "body"])
async def test_an_answer_of_single_bytes_ends_in_time(method, where):
    """The time limit covers the whole answer; bytes that arrive meanwhile don't extend it."""

    async def answer(writer, _number):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
        if where == "body":
            writer.write(head)
        for byte in head if where == "head" else b"x" * 1000:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.05)

    async with raw_server(answer) as server:
        began = time.monotonic()
        error = await call(method, server, Hasty)
        assert time.monotonic() - began < 5.0
    assert type(error) is errors.UnknownOutcome
    assert len(server.requests) == 1


@pytest.mark.parametrize("kind", IDS)
async def test_a_closed_port_is_unreachable(kind):
    class Nowhere:
        url = "http://127.0.0.1:9"

    assert type(await call("status", Nowhere, kind=kind)) is errors.Unreachable


@each
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("soon", None)])
async def test_retry_after_is_heeded_where_it_can_be_read(quiet_rig: Rig, method, status, header, seconds):
    quiet_rig.inject_fault(status=status, headers={"Retry-After": header})
    error = await fail_with_error(quiet_rig, method)
    if (quiet_rig.provider.kind, method, status, seconds) == ("jupyterhub", "start", 429, None):
        assert type(error) is errors.NoCapacity  # so a full hub says it
    else:
        assert isinstance(error, errors.TemporaryError)
        assert error.retry_after == seconds


ERRORS = [kind for kind in vars(errors).values() if isinstance(kind, type)]


@pytest.mark.parametrize("kind", [kind for kind in ERRORS if issubclass(kind, errors.ProviderError)])
async def test_every_error_is_one_sentence_with_a_next_step(kind):
    said = problems.explain_cause(kind("out of order", status=400), "Saturn Cloud")
    assert said != problems.explain_cause("internal")
    assert said[0].isupper()
    assert said.endswith(".")
    assert kind.__name__ not in said
    assert "Saturn Cloud" in said or kind is errors.SentTooLate

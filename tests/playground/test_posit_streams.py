"""Tests of streamed job output on the local Posit Workbench, intact and damaged."""

import asyncio

import pytest

from tests.playground.posit_help import Posit, posit_server


def text_of(objects, stream: str = "stdout") -> str:
    return "".join(one["output"] for one in objects if one["outputType"] == stream)


def lines(first: int, last: int) -> str:
    return "".join(f"line {number}\n" for number in range(first, last + 1))


@pytest.mark.parametrize("separator", ["mixed", "newline", "none"])
async def test_objects_follow_one_another_and_characters_are_cut(posit: Posit, separator):
    await posit.control(separator=separator)
    job = await posit.launch_job("print-lines lines=30 rate=0 unicode ansi stderr=3")
    await posit.advance(60)
    async with posit.output(job["id"]) as output:
        pieces = []
        async for data, _ in output.answer.content.iter_chunks():
            pieces.append(data)
            output.raw += data
        objects = await output.rest()
    assert len(pieces) > 3
    ends_of_lines = bytes(output.raw).count(b"}\n")
    assert {"mixed": 0 < ends_of_lines < 30, "newline": ends_of_lines == 30, "none": ends_of_lines == 0}[
        separator
    ]
    assert [one["outputType"] for one in objects].count("stderr") == 10
    assert text_of(objects).splitlines()[0] == "\x1b[1;32mline 1 – naïve Größe 数据 🚀\x1b[0m"


async def test_objects_hold_several_lines_or_parts_of_one(posit: Posit):
    job = await posit.launch_job("print-lines lines=10 rate=0 stderr=4")
    await posit.advance(60)
    await posit.control(lines_per_object=3)
    async with posit.output(job["id"]) as output:
        objects = await output.rest()
    assert [one["output"].count("\n") for one in objects] == [3, 1, 3, 1, 2]
    await posit.control(lines_per_object=1, characters_per_object=3)
    async with posit.output(job["id"]) as output:
        assert text_of(await output.rest()) == text_of(objects)


async def test_a_stream_that_pauses(posit: Posit):
    job = await posit.launch_job("print-lines lines=3 rate=0")
    await posit.advance(60)
    await posit.control("streams", kind="pause", after_lines=1, seconds=30)
    async with posit.output(job["id"]) as output:
        assert text_of(await output.take(1)) == lines(1, 1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(output.answer.content.readany(), 0.05)
        await posit.advance(30)
        assert text_of(await output.rest()) == lines(2, 3)


async def test_faults_that_are_taken_back_do_nothing(posit: Posit):
    job = await posit.launch_job("print-lines lines=3 rate=0")
    await posit.advance(60)
    await posit.control("streams", kind="close")
    assert (await posit.request("DELETE", "/_playground/streams"))[1] == {"streams": 0}
    await posit.control("errors", method="get_job_output", code=13, message="x")
    assert (await posit.request("DELETE", "/_playground/errors"))[1] == {"errors": 0}
    async with posit.output(job["id"]) as output:
        assert text_of(await output.rest()) == lines(1, 3)


async def test_open_streams_end_with_the_server():
    async with posit_server() as posit:
        job = await posit.launch_job("print-lines silent=3600")
        async with posit.output(job["id"]) as output:
            await posit.advance(2)
            closing = asyncio.create_task(posit.server.app.shutdown())
            assert await output.rest() == []
            await closing
    assert posit.server.state.streams.open == 0

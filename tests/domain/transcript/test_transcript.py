"""Tests of transcripts: complete, plain, and the same however often the stream was cut and restarted."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.runs import OutputChunk
from bot.domain.transcript import Board, Spool, SpoolBudget, Transcript
from tests.rigs.clock import FakeClock

CHUNKS = st.lists(
    st.builds(
        OutputChunk, st.sampled_from(["stdout", "stderr"]), st.text(alphabet="ab\n\r\x1b[m", max_size=6)
    ),
    max_size=15,
)


async def whole(transcript: Transcript) -> str:
    """Return everything that was spooled, and close the spool."""
    text = b"".join([piece async for piece in transcript.spool.pieces()]).decode()
    transcript.spool.close()
    return text


def recut(chunks: list[OutputChunk], size: int) -> list[OutputChunk]:
    """Return the same output in chunks of another size, in the same order."""
    return [
        OutputChunk(chunk.stream, chunk.text[at : at + size])
        for chunk in chunks
        for at in range(0, len(chunk.text), size)
    ]


async def test_both_streams_stand_in_the_file_and_only_stderr_is_marked():
    transcript = Transcript()
    await transcript.take(OutputChunk("stdout", "begin\nhalf"))
    await transcript.take(OutputChunk("stderr", "\x1b[31mtrouble\x1b[0m\n"))
    await transcript.take(OutputChunk("stdout", " a line\n"))
    transcript.end()
    assert await whole(transcript) == "begin\n! trouble\nhalf a line\n"
    assert transcript.tail == "begin\n! trouble\nhalf a line"
    assert transcript.line_count == 3


async def test_what_has_not_ended_is_in_view_and_counts():
    transcript = Transcript()
    await transcript.take(OutputChunk("stdout", "one\n50 %"))
    await transcript.take(OutputChunk("stderr", "hm"))
    assert transcript.tail == "one\n50 %\n! hm"
    assert transcript.line_count == 3
    await transcript.take(OutputChunk("stdout", "\r90 %"))
    assert transcript.tail == "one\n90 %\n! hm"


async def test_the_last_lines_are_those_that_say_something():
    transcript = Transcript()
    await transcript.take(OutputChunk("stdout", "1\n2\n\n3\n"))
    await transcript.take(OutputChunk("stderr", "\n"))
    assert transcript.last_lines(2) == ["2", "3"]


@pytest.mark.parametrize(
    ("text", "is_short"),
    [
        pytest.param("line\n" * 5, True, id="five"),
        pytest.param("line\n" * 6, False, id="more"),
        pytest.param("x" * 401 + "\n", False, id="long-line"),
        pytest.param("x" * 390 + "\n" + "y\n" * 3, True, id="line"),
        pytest.param(("x" * 300 + "\n") * 12, False, id="characters"),
    ],
)
async def test_short_output_is_shown_whole(text, is_short):
    transcript = Transcript()
    await transcript.take(OutputChunk("stdout", text))
    assert transcript.is_short is is_short
    assert (transcript.end_lines() == text.splitlines()) is is_short


async def test_a_note_stands_at_the_end_on_a_line_of_its_own():
    transcript = Transcript()
    await transcript.take(OutputChunk("stdout", "x" * 9_000))
    transcript.end("[cut]")
    transcript.end("[twice]")
    assert await whole(transcript) == "x" * 9_000 + "\n[cut]\n"
    assert transcript.tail.endswith("\n[cut]")


async def test_a_version_grows_with_what_is_new_only():
    transcript = Transcript()
    transcript.begin()
    assert await transcript.take(OutputChunk("stdout", "one\n"))
    version = transcript.version
    transcript.begin()
    assert not await transcript.take(OutputChunk("stdout", "one\n"))
    assert transcript.version == version


@given(CHUNKS, st.data())
async def test_a_stream_that_is_cut_and_begins_anew_repeats_nothing_and_loses_nothing(chunks, data):
    once, often = Transcript(), Transcript()
    once.begin()
    for chunk in chunks:
        await once.take(chunk)
    for cut in [*data.draw(st.lists(st.integers(0, 20), max_size=4)), None]:
        often.begin()
        for chunk in recut(chunks, data.draw(st.integers(1, 6)))[:cut]:
            await often.take(chunk)
    for transcript in (once, often):
        transcript.end()
    first, second = (await whole(once)).split("\n"), (await whole(often)).split("\n")
    # The order between stdout and stderr depends on the cuts. The order within each doesn't.
    for is_stderr in (True, False):
        assert [line for line in first if line.startswith("! ") == is_stderr] == [
            line for line in second if line.startswith("! ") == is_stderr
        ]


@given(CHUNKS)
async def test_resuming_passes_over_exactly_what_was_seen(chunks):
    transcript = Transcript()
    assert [await transcript.take(chunk) for chunk in chunks] == [bool(chunk.text) for chunk in chunks]
    transcript.begin()
    assert not any([await transcript.take(chunk) for chunk in chunks])
    assert await transcript.take(OutputChunk("stdout", "\nmore"))
    transcript.end()
    assert "\nmore\n" in await whole(transcript)


async def test_a_spool_ends_at_its_cap_and_never_within_a_character():
    spool = Spool(cap=10, kept=4)
    spool.add("ééé")
    assert not spool.is_full
    spool.add("ééé")
    spool.add("lost")
    assert spool.is_full
    assert b"".join([piece async for piece in spool.pieces()]).decode() == "ééééé"
    spool.note("!")
    assert spool.size == 11
    spool.close()
    assert [piece async for piece in spool.pieces()] == []


async def test_all_spools_together_take_no_more_than_there_is_room_for():
    room = SpoolBudget(10)
    board = Board(FakeClock().monotonic, room)
    first, second = (board.add(run).transcript.spool for run in ("run1", "run2"))
    first.add("123456")
    second.add("123456")
    assert (first.is_full, second.is_full, second.size, room.left) == (False, True, 4, 0)
    second.note("!")
    board.drop("run1")
    first.close()
    assert room.used == 5
    board.close()
    assert room.used == 0


async def test_a_large_output_is_handed_out_in_pieces():
    spool = Spool()
    text = "0123456789" * 30_000
    spool.add(text)
    pieces = [piece async for piece in spool.pieces()]
    assert len(pieces) > 1
    assert b"".join(pieces).decode() == text
    spool.close()


async def test_a_disk_without_room_ends_the_spool_and_not_the_output(tmp_path):
    transcript = Transcript(Spool(kept=4, folder=str(tmp_path / "nowhere")))
    await transcript.take(OutputChunk("stdout", "more than four\n"))
    await transcript.take(OutputChunk("stdout", "the end\n"))
    assert transcript.spool.is_full
    assert transcript.spool.size == 0
    assert transcript.tail == "more than four\nthe end"


LONG = "".join(f"line {number}\n" for number in range(40_000))
LARGE = OutputChunk("stdout", LONG)


async def test_others_get_their_turns_while_a_large_piece_is_taken():
    transcript, turns = Transcript(), 0
    taking = asyncio.create_task(transcript.take(LARGE))
    while not taking.done():
        await asyncio.sleep(0)
        turns += 1
    assert await taking
    assert turns >= len(LONG) // 20_000
    assert await whole(transcript) == LONG


async def test_a_cut_within_a_large_piece_loses_and_repeats_nothing():
    for turns in (1, 3, 7, 12):
        transcript = Transcript()
        transcript.begin()
        taking = asyncio.create_task(transcript.take(LARGE))
        for _ in range(turns):
            await asyncio.sleep(0)
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)
        transcript.begin()
        await transcript.take(LARGE)
        assert transcript.line_count == 40_000
        assert await whole(transcript) == LONG

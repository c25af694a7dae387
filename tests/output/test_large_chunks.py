"""Large pieces of an output: they hold nobody else up, and are whole after a cut within one."""

import asyncio

from bot.domain.runs import OutputChunk
from bot.output.transcript import Transcript

TEXT = "".join(f"line {number}\n" for number in range(40_000))
CHUNK = OutputChunk("stdout", TEXT)


async def written(transcript: Transcript) -> str:
    return b"".join([piece async for piece in transcript.spool.pieces()]).decode()


async def test_others_get_their_turns_while_a_large_piece_is_taken():
    transcript, turns = Transcript(), 0
    taking = asyncio.create_task(transcript.take(CHUNK))
    while not taking.done():
        await asyncio.sleep(0)
        turns += 1
    assert await taking
    assert turns >= len(TEXT) // 20_000
    assert await written(transcript) == TEXT
    transcript.spool.close()


async def test_a_cut_within_a_large_piece_loses_and_repeats_nothing():
    for turns in (1, 3, 7, 12):
        transcript = Transcript()
        transcript.begin()
        taking = asyncio.create_task(transcript.take(CHUNK))
        for _ in range(turns):
            await asyncio.sleep(0)
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)
        transcript.begin()
        await transcript.take(CHUNK)
        assert await written(transcript) == TEXT
        assert transcript.line_count == 40_000
        transcript.spool.close()

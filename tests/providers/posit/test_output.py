"""Tests of the decoder for a job's output, wherever the stream is cut."""

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.runs import OutputChunk
from bot.providers.posit.output import OutputDecoder
from bot.support import errors

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SEPARATORS = st.sampled_from([b"", b"\n", b"\r\n", b" ", b",\n", b"\x1e", b"\n\n"])
CHUNKS = st.lists(
    st.tuples(st.sampled_from(["stdout", "stderr"]), TEXTS, SEPARATORS, st.booleans()), max_size=8
)


def told(chunks: list[OutputChunk], name: str) -> str:
    return "".join(chunk.text for chunk in chunks if chunk.stream == name)


def decoded(stream: bytes, cuts: list[int]) -> tuple[list[OutputChunk], OutputDecoder]:
    decoder, found, begin = OutputDecoder(), [], 0
    for end in [*sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]:
        found += decoder.feed(stream[begin:end])
        begin = end
    return found + decoder.finish(), decoder


@given(CHUNKS, st.lists(st.integers(0, 10_000), max_size=12))
def test_nothing_is_lost_wherever_it_is_cut(chunks, cuts):
    stream = b"".join(
        json.dumps(
            {"jobId": "{1}", "outputType": name, "output": text, "more": {"x": ["}", 'q"\\']}},
            ensure_ascii=is_ascii,
        ).encode()
        + separator
        for name, text, separator, is_ascii in chunks
    )
    found, decoder = decoded(stream, cuts)
    assert decoder.failure is None
    assert not decoder.is_cut
    for name in ("stdout", "stderr"):
        assert told(found, name) == "".join(text for kind, text, _, _ in chunks if kind == name)


@given(CHUNKS, st.data())
def test_a_byte_at_a_time_is_the_same_as_at_once(chunks, data):
    stream = b"".join(
        json.dumps({"outputType": name, "output": text}, ensure_ascii=False).encode() + separator
        for name, text, separator, _ in chunks
    )
    stream = stream[: data.draw(st.integers(0, len(stream)))]
    at_once, whole = decoded(stream, [])
    slowly, pieces = decoded(stream, list(range(len(stream))))
    assert [told(at_once, name) for name in ("stdout", "stderr")] == [
        told(slowly, name) for name in ("stdout", "stderr")
    ]
    assert whole.is_cut == pieces.is_cut


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=4))
def test_any_bytes_end_well_or_with_one_error(stream, cuts):
    found, decoder = decoded(stream, cuts)
    assert all(chunk.text.encode() for chunk in found)
    assert decoder.failure is None or isinstance(decoder.failure, errors.ProviderError)
    assert decoder.failure is None or decoder.feed(b'{"output": "x"}') == []


@given(st.binary(max_size=40), st.data())
def test_a_character_cut_between_two_objects_is_put_together(raw, data):
    cut = data.draw(st.integers(0, len(raw)))
    stream = b"".join(
        b'{"outputType":"stdout","output":"%b"}' % part.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        for part in (raw[:cut], raw[cut:])
    )
    found, decoder = decoded(stream, [])
    assert decoder.failure is None
    assert told(found, "stdout") == raw.decode("utf-8", "replace")


def test_streams_are_put_together_apart():
    euro = "€".encode()
    stream = (
        b'{"outputType":"stdout","output":"%b"}' % euro[:1]
        + b'{"outputType":"stderr","output":"oops"}'
        + b'{"outputType":"stdout","output":"%b"}' % euro[1:]
    )
    assert decoded(stream, [])[0] == [OutputChunk("stderr", "oops"), OutputChunk("stdout", "€")]


@pytest.mark.parametrize(
    ("stream", "text"),
    [
        (b'{"output": "a\xffb"}', "a\ufffdb"),
        (b'{"output": "\\ud83d"}', "\ufffd"),
        (b'{"output": "\\ud83d\\ude80"}', "🚀"),
        (b'{"output": "tab\tand \x1b[31m"}', "tab\tand \x1b[31m"),
        (b'{"output": "x\xe2\x82', ""),
        (b'{"output": "x\xe2\x82"}', "x\ufffd"),
        (b'\xef\xbb\xbf[{"output": "a"},{"output": "b"}]', "ab"),
        (b'{"result": {"output": "a", "outputType": "stdout"}}', "a"),
        (b'{} {"output": null} {"output": 7} {"jobId": "1"} {"output": "a"}', "a"),
        (b'{"output": "a", "outputType": "something"}', "a"),
    ],
)
def test_what_servers_may_send(stream, text):
    found, decoder = decoded(stream, [])
    assert told(found, "stdout") == text
    assert decoder.failure is None


@pytest.mark.parametrize(
    "stream",
    [b"<html>", b'{"a": 1} x', b"{]", b'{"a"}', b'{"output": 1' + b"1" * 5000 + b"}", b'{"a":' * 60, b"7"],
)
def test_what_is_no_json_ends_it(stream):
    _, decoder = decoded(stream, [])
    assert isinstance(decoder.failure, errors.BadAnswer)


def test_an_error_inside_is_kept_for_the_end():
    decoder = OutputDecoder()
    stream = b'{"output": "a"}{"error": {"code": 14, "message": "no  job"}}{"output": "b"}'
    assert decoder.feed(stream) == [OutputChunk("stdout", "a")]
    assert isinstance(decoder.failure, errors.NotFound)
    assert decoder.failure.message == "no job"
    assert decoder.feed(b'{"output": "c"}') == []


def test_an_object_beyond_the_cap_ends_it():
    decoder = OutputDecoder(max_object=1000)
    assert decoder.feed(b'{"output": "' + b"x" * 900) == []
    assert decoder.failure is None
    decoder.feed(b"x" * 200)
    assert isinstance(decoder.failure, errors.BadAnswer)
    assert not decoder.is_cut
    whole = OutputDecoder(max_object=1000)
    whole.feed(b'{"output": "' + b"x" * 2000 + b'"}')
    assert isinstance(whole.failure, errors.BadAnswer)


def test_many_megabytes_pass_through_little_memory():
    decoder = OutputDecoder()
    piece = b'{"jobId":"1","outputType":"stdout","output":"%b\\n"}\n' % (b"x" * 998) * 64
    total = 0
    tracemalloc.start()
    for _ in range(8_000_000 // len(piece)):
        total += sum(len(chunk.text) for chunk in decoder.feed(piece))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert decoder.failure is None
    assert total > 7_000_000
    assert most < 2_000_000

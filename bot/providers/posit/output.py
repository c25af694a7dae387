"""A job's output, decoded as it arrives."""

import codecs
import json
import re
from typing import Any, Literal

from bot.domain.runs import OutputChunk
from bot.providers.posit.envelope import to_provider_error, unwrap_result
from bot.support import errors

#: Maximum size, in bytes, of a JSON object in the stream.
MAX_OBJECT = 50_000_000
MAX_DEPTH = 50
#: Matches anything that may separate two objects: whitespace, record separators, or the commas and brackets
#: of a list.
_BETWEEN_PATTERN = re.compile(rb"[\s,\[\]\x1e\x00]*(?:\xef\xbb\xbf)?[\s,\[\]\x1e\x00]*")
#: Matches a JSON object that contains no other objects. Nearly all objects in the stream are like this.
_FLAT_PATTERN = re.compile(rb'\{(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+\}', re.DOTALL)
_OUTSIDE_PATTERN = re.compile(rb'[^"{}\[\]]*')
_INSIDE_PATTERN = re.compile(rb'(?:[^"\\]+|\\.)*', re.DOTALL)
#: Matches all surrogates except U+DC80 to U+DCFF, which represent invalid UTF-8 bytes.
_HALVES_PATTERN = re.compile("[\ud800-\udc7f\udd00-\udfff]")

#: Decodes JSON, even if the server hasn't escaped the control characters that a job printed.
_decode = json.JSONDecoder(strict=False).decode

_STREAMS: tuple[Literal["stdout", "stderr"], ...] = ("stdout", "stderr")


class OutputDecoder:
    """Decode a stream as it arrives. ``failure`` is the error after which nothing more can be decoded.

    The caller first uses the output that arrived before the error, and then raises ``failure``.
    """

    def __init__(self, *, max_object: int = MAX_OBJECT) -> None:
        self.failure: errors.ProviderError | None = None
        self._max_object = max_object
        self._object = bytearray()
        self._depth = 0
        self._in_string = False
        self._decoders = {name: codecs.getincrementaldecoder("utf-8")("replace") for name in _STREAMS}

    @property
    def is_cut(self) -> bool:
        """Return whether the stream was cut off in the middle of an object."""
        return bool(self._object)

    def feed(self, piece: bytes) -> list[OutputChunk]:
        """Process a piece of the stream, and return the chunks that it completes, or none after a failure."""
        found: list[OutputChunk] = []
        data, at = piece, 0
        if self._in_string and self._object.endswith(b"\\"):
            run = len(self._object) - len(self._object.rstrip(b"\\"))
            if run % 2 == 1:
                # The last backslash isn't escaped itself, so it may escape a quote in this piece.
                del self._object[-1:]
                data = b"\\" + piece
        while at < len(data) and self.failure is None:
            at = self._read_step(data, at, found)
        return found

    def finish(self) -> list[OutputChunk]:
        """Return the text for leftover bytes, which belong to characters that were cut off."""
        return [
            OutputChunk(name, text)
            for name in _STREAMS
            if (text := self._decoders[name].decode(b"", final=True))
        ]

    def _read_step(self, data: bytes, at: int, found: list[OutputChunk]) -> int:
        """Process the data up to the next delimiter and return the delimiter's position."""
        if not self._object:
            return self._begin(data, at, found)
        match = (_INSIDE_PATTERN if self._in_string else _OUTSIDE_PATTERN).match(data, at)
        end = match.end() if match is not None else at
        self._take(data[at:end])
        if end == len(data) or self.failure is not None:
            return len(data)
        mark = data[end : end + 1]
        self._take(mark)
        if mark == b'"':
            self._in_string = not self._in_string
        elif mark in b"{[" and not self._in_string:
            self._depth += 1
            if self._depth > MAX_DEPTH:
                self.failure = errors.BadAnswer("the stream is nested too deeply")
        elif mark in b"}]" and not self._in_string:
            self._depth -= 1
            if self._depth == 0:
                whole, self._object = bytes(self._object), bytearray()
                self._end(whole, found)
        return end + 1

    def _begin(self, data: bytes, at: int, found: list[OutputChunk]) -> int:
        match = _BETWEEN_PATTERN.match(data, at)
        start = match.end() if match is not None else at
        if start == len(data):
            return start
        if data[start : start + 1] != b"{":
            self.failure = errors.BadAnswer("the stream is not JSON")
            return len(data)
        flat = _FLAT_PATTERN.match(data, start)
        if flat is not None and len(flat[0]) <= self._max_object:
            self._end(flat[0], found)
            return flat.end()
        self._take(b"{")
        self._depth, self._in_string = 1, False
        return start + 1

    def _take(self, part: bytes) -> None:
        self._object += part
        if len(self._object) > self._max_object:
            self.failure = errors.BadAnswer("an object of the stream is too large")
            self._object = bytearray()

    def _end(self, whole: bytes, found: list[OutputChunk]) -> None:
        try:
            answer = _decode(whole.decode("utf-8", "surrogateescape"))
        except ValueError:
            self.failure = errors.BadAnswer("the stream is not JSON")
            return
        if isinstance(answer.get("error"), dict):
            self.failure = to_provider_error(answer["error"], None, changes=False)
            return
        chunk = self._decode_chunk(unwrap_result(answer))
        if chunk is not None:
            found.append(chunk)

    def _decode_chunk(self, answer: Any) -> OutputChunk | None:
        """Return the output in an object, or None for a keep-alive, which contains no output."""
        output = answer.get("output") if isinstance(answer, dict) else None
        if not isinstance(output, str):
            return None
        name: Literal["stdout", "stderr"] = "stderr" if answer.get("outputType") == "stderr" else "stdout"
        try:
            encoded = output.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            encoded = _HALVES_PATTERN.sub("\ufffd", output).encode("utf-8", "surrogateescape")
        text = self._decoders[name].decode(encoded)
        return OutputChunk(name, text) if text else None

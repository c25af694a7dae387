"""A decoder for PNG files as resvg writes them: eight bits per channel, not interlaced."""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

_CHANNELS = {2: 3, 6: 4}


class Pixels(NamedTuple):
    """The size of a picture, and the colours of its pixels in rows."""

    width: int
    height: int
    rows: list[list[tuple[int, int, int]]]

    def count_colours(self, x: int, y: int, width: int, height: int) -> int:
        """Count the distinct colours within a box."""
        return len({colour for row in self.rows[y : y + height] for colour in row[x : x + width]})


def read_png(png: bytes) -> Pixels:
    """Decode a PNG into its pixels."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    chunks = list(_list_chunks(png[8:]))
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
    assert (depth, interlaced) == (8, 0)
    step = _CHANNELS[kind]
    data = zlib.decompress(b"".join(content for name, content in chunks if name == b"IDAT"))
    rows, above = [], bytearray(width * step)
    for at in range(0, len(data), width * step + 1):
        above = _undo_filter(data[at], data[at + 1 : at + 1 + width * step], above, step)
        rows.append([(above[x], above[x + 1], above[x + 2]) for x in range(0, width * step, step)])
    assert len(rows) == height
    return Pixels(width, height, rows)


def _list_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    while data:
        length = int.from_bytes(data[:4])
        yield data[4:8], data[8 : 8 + length]
        data = data[12 + length :]


def _undo_filter(method: int, coded: bytes, above: bytearray, step: int) -> bytearray:
    line = bytearray(coded)
    for at in range(len(line)):
        left = line[at - step] if at >= step else 0
        corner = above[at - step] if at >= step else 0
        guesses = (0, left, above[at], (left + above[at]) // 2, _paeth(left, above[at], corner))
        line[at] = (line[at] + guesses[method]) & 255
    return line


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((left, up, corner), key=lambda one: abs(guess - one))

"""Tests of the documentation's pictures: they exist, are small and described, and can be made again."""

import re
import struct
import zlib

from tests.project.repository import ROOT
from tools.pictures import ROUNDS, animate, chunk, chunks

FOLDER = ROOT / "docs/pictures"
SHOWN = re.compile(r'<img src="([^"]+)"[^>]* alt="([^"]*)"')


def shown(page: str) -> dict[str, str]:
    """Return the pictures on a page, with their alternative texts."""
    path = ROOT / page
    found = SHOWN.findall(path.read_text(encoding="utf-8"))
    return {(path.parent / place).resolve().name: alt for place, alt in found}


def test_the_readme_opens_with_a_sentence_and_the_story():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    title, sentence, picture = readme.split("\n\n")[:3]
    assert title == "# Usher"
    assert sentence.count(".") == 1
    assert picture.startswith('<img src="docs/pictures/story.png"')
    assert set(shown("README.md")) == {"story.png"}


def test_every_picture_is_shown_and_described_and_all_of_them_are_small():
    paths = list(FOLDER.iterdir())
    pictures = shown("README.md") | shown("docs/classes.md") | shown("docs/tutorial.md")
    assert {path.name for path in paths} == set(pictures)
    assert all(len(alt) > 40 for alt in pictures.values())
    assert sum(path.stat().st_size for path in paths) <= 1024 * 1024


def test_the_story_moves_through_all_that_its_maker_takes():
    kinds = [kind for kind, _ in chunks((FOLDER / "story.png").read_bytes())]
    captions = re.findall(r'"\d\. ', (ROOT / "tools/pictures.py").read_text(encoding="utf-8"))
    assert kinds.count(b"fcTL") == len(captions) > 1


def picture(pixel: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    data = zlib.compress(b"\0" + pixel)
    # Browsers split the image data in different ways.
    halves = chunk(b"IDAT", data[:3]) + chunk(b"IDAT", data[3:])
    return b"\x89PNG\r\n\x1a\n" + header + halves + chunk(b"IEND", b"")


def test_pictures_become_one_that_moves():
    red, blue = b"\xff\0\0", b"\0\0\xff"
    found = list(chunks(animate([picture(red), picture(blue)])))
    assert [kind for kind, _ in found] == [b"IHDR", b"acTL", b"fcTL", b"IDAT", b"fcTL", b"fdAT", b"IEND"]
    contents = [content for _, content in found]
    assert contents[1] == struct.pack(">II", 2, ROUNDS)
    numbers = [struct.unpack(">I", contents[place][:4])[0] for place in (2, 4, 5)]
    assert numbers == [0, 1, 2]
    assert zlib.decompress(contents[3]) == b"\0" + red
    assert zlib.decompress(contents[5][4:]) == b"\0" + blue

"""Tests of turning pictures into PNG: they contain letters, and failures are errors."""

import pytest
import resvg_py

from bot.support import pictures
from bot.support.errors import PictureError
from tests.rigs.png import read_png

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="40">'
TEXT = '<text x="10" y="28" font-size="20" font-family="{family}">{words}</text></svg>'


def draw_with_font_alone(family, words="notebook"):
    """Return the number of colours in a drawn text if only the shipped font is available."""
    svg = HEAD + TEXT.format(family=family, words=words)
    png = resvg_py.svg_to_bytes(
        svg_string=svg, font_files=[str(pictures.FONT)], skip_system_fonts=True, background="white"
    )
    return read_png(png).count_colours(0, 0, 200, 40)


@pytest.mark.parametrize("words", ["notebook", "Žluťoučký", "Ελληνικά", "тест", "0–9 …"])
def test_shipped_font_has_the_named_family_and_its_letters(words):
    assert draw_with_font_alone(pictures.FONT_FAMILY, words) > 10


def test_text_in_another_family_is_not_drawn_at_all():
    """Without the right family, no text is drawn.

    That is why pictures name the font, and why tests look for letters.
    """
    assert draw_with_font_alone("Arial") == 1


async def test_png_has_letters_and_twice_the_size():
    svg = (
        HEAD
        + '<rect width="200" height="40" fill="white"/>'
        + TEXT.format(family=pictures.FONT_FAMILY, words="notebook")
    )
    pixels = read_png(await pictures.draw_png(svg))
    assert (pixels.width, pixels.height) == (400, 80)
    assert pixels.count_colours(20, 20, 200, 40) > 10
    assert pixels.count_colours(300, 0, 100, 80) == 1


async def test_missing_font_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setattr(pictures, "FONT", tmp_path / "none.ttf")
    with pytest.raises(PictureError, match="font"):
        await pictures.draw_png(HEAD + "</svg>")


async def test_broken_drawing_is_an_error_with_its_cause():
    with pytest.raises(PictureError, match="root node"):
        await pictures.draw_png("<svg")


async def test_drawing_that_hangs_is_ended(monkeypatch):
    monkeypatch.setattr(pictures, "_DRAW", "import time; time.sleep(600)")
    monkeypatch.setattr(pictures, "MAX_DRAWING_SECONDS", 0.05)
    with pytest.raises(PictureError, match="too long"):
        await pictures.draw_png(HEAD + "</svg>")


async def test_drawing_gets_no_secrets_of_the_environment(monkeypatch):
    monkeypatch.setenv("SLACK_BOT_TOKEN", "made-up")
    monkeypatch.setattr(pictures, "_DRAW", "import os; print(*os.environ)")
    assert b"SLACK" not in await pictures.draw_png("")


def test_without_the_extra_nothing_can_be_drawn(monkeypatch):
    assert pictures.can_draw()
    monkeypatch.setattr(pictures, "find_spec", lambda name: None)
    assert not pictures.can_draw()

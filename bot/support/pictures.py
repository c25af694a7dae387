"""Renders SVG as PNG with resvg, which is installed by the ``pictures`` extra.

Resvg silently omits text if it can't find the font family, so the font ships with Usher, and each SVG names
its family. Characters that the font lacks are taken from the system's fonts, if possible.
"""

import asyncio
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from bot.support.errors import PictureError

#: The font family that every SVG must name. ``FONT`` is the font's file.
FONT_FAMILY: Final = "DejaVu Sans"
FONT: Final = Path(__file__).with_name("fonts") / "DejaVuSans.ttf"
#: Number of PNG pixels per SVG pixel, both horizontally and vertically.
ZOOM: Final = 2
MAX_DRAWING_SECONDS: Final = 10.0
#: Program that renders the image in a separate process, because rendering holds the GIL for a tenth of a
#: second.
_DRAW: Final = f"""
import sys, resvg_py
svg = sys.stdin.buffer.read().decode()
sys.stdout.buffer.write(resvg_py.svg_to_bytes(svg_string=svg, font_files=[sys.argv[1]], zoom={ZOOM}))
"""


def can_draw() -> bool:
    """Return whether the ``pictures`` extra is installed."""
    return find_spec("resvg_py") is not None


async def draw_png(svg: str) -> bytes:
    """Render an SVG as a PNG. Raise PictureError if that fails."""
    if not FONT.is_file():
        raise PictureError(f"the font {FONT} is missing")
    return await asyncio.to_thread(_run, svg.encode())


def _run(svg: bytes) -> bytes:
    # Don't pass Usher's environment to the subprocess, because it contains secrets.
    words = [sys.executable, "-I", "-c", _DRAW, str(FONT)]
    try:
        done = subprocess.run(  # noqa: S603 - runs our own code, with the SVG as its input
            words, input=svg, capture_output=True, env={}, timeout=MAX_DRAWING_SECONDS, check=True
        )
    except subprocess.TimeoutExpired:
        raise PictureError("drawing took too long") from None
    except (OSError, subprocess.CalledProcessError) as error:
        problem = getattr(error, "stderr", b"").decode(errors="replace").strip()
        raise PictureError(problem.rpartition("\n")[2] or str(error)) from None
    return done.stdout

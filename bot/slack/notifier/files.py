"""Uploads files and images."""

from collections.abc import AsyncIterator
from typing import Final

from bot.slack import methods
from bot.slack.calls import PacedSlack
from bot.support import errors, pictures

PICTURE_NAME: Final = "usage.png"


async def upload_file(
    slack: PacedSlack, name: str, pieces: AsyncIterator[bytes], size: int, *, alt_text: str | None = None
) -> str:
    """Upload a file and return its id. Nobody can see the file until it is shared. Raises SlackFailed."""
    announced = {"filename": name, "length": size, "alt_txt": alt_text}
    answer = await slack.call(methods.FILES_GET_UPLOAD_URL, announced)
    await slack.upload(str(answer.data.get("upload_url") or ""), pieces, size)
    return str(answer.data.get("file_id") or "")


async def upload_picture(slack: PacedSlack, svg: str, alt_text: str) -> str:
    """Upload an image as PNG, and return the file's id. Raises PictureError and SlackFailed."""
    png = await pictures.draw_png(svg)

    async def yield_once() -> AsyncIterator[bytes]:
        yield png

    try:
        return await upload_file(slack, PICTURE_NAME, yield_once(), len(png), alt_text=alt_text)
    except errors.SlackUnknownOutcome as error:
        # Nobody can see the file yet, so there is no message to search for.
        raise errors.SlackFailed(error.method, error.code) from None

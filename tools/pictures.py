"""Take the pictures in docs/pictures, from the demonstration with two people and a real browser.

    python -m tools.pictures [FOLDER]        docs/pictures by default

``story.png`` is animated, and shows the main job from the command to the IDE.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import struct
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import aiohttp

from playground.demo.person import Message, NotSeenError, Person, address, labels, spoken
from playground.demo.stage import Stage, say, stage
from playground.processes import StageError
from tests.playground.browser import Browser, chromium

TARGET: Final = Path(__file__).resolve().parent.parent / "docs/pictures"
GENERAL: Final = "C0GENERAL"
SIZE: Final = (960, 580)
LINE: Final = 46
#: Messages in the channel before the story begins.
TALK: Final = ("The new survey data is in.", "Thanks! I'll have a look at it right now.")
#: A still picture has a higher resolution, as long as all of them together stay below a mebibyte.
STILL: Final[dict[str, Any]] = {"scale": 1.9, "size": (860, 790)}
SECONDS: Final = 240.0
#: Messages to wait for: a workspace is ready, its stop is planned, two workspaces of a class are ready, and
#: two people have joined the course.
READY: Final = "is ready"
PLANNED: Final = "I'll stop "
CLASS_READY: Final = "2 of 2 ready"
COURSE_JOINED: Final = "2 people have joined"
#: The cards by picture: title, flags, and the text once everybody has joined.
CARDS: Final = {
    "class.png": ("Statistics", "--max 60", CLASS_READY),
    "course.png": ("Biology", "--hours tue,thu 8:00-9:30", COURSE_JOINED),
}
#: The command that a person types once their workspace is ready.
STOP: Final = "stop training in 2 hours"
#: Milliseconds for each frame of the animation, and how often the animation is repeated.
FRAME_MS: Final = 2600
ROUNDS: Final = 3
#: Does what each page asks for until the goal is reached: chooses a person, signs in, pastes a token.
STEP: Final = """((given, goal) => {
  const one = (what) => document.querySelector(what);
  if (document.readyState !== "complete") return false;
  if (goal()) return true;
  if (document.documentElement.dataset.done) return false;
  const secret = one("[type=password]");
  const person = one(`a[href*="as=${given.person}"]`);
  const next = person || one("a.main") || one("form .main") || one("form [type=submit]");
  if (!secret && !next) return false;
  document.documentElement.dataset.done = "1";
  if (!secret) { next.click(); return false; }
  const name = one("[name=username]");
  if (name) name.value = given.name;
  secret.value = secret.name === "token" ? given.token : given.password;
  secret.form.requestSubmit();
  return false;
})"""
#: The form that names both accounts and asks for confirmation; and JupyterLab once it is loaded.
CONFIRM: Final = """document.querySelector('form[action="/link/confirm"]')"""
LAB: Final = "document.querySelector('.jp-Launcher-body') && !document.querySelector('#jupyterlab-splash')"
#: True once all images of a page are loaded.
LOADED: Final = "[...document.images].every((one) => one.complete)"
#: Shows a picture above a line that describes it.
FRAME: Final = """((picture, text) => {
  document.body.innerHTML = '<img alt=""><p></p>';
  document.body.style.cssText = "margin:0;background:#1f3a5f;color:#fff;text-align:center";
  const [shown, line] = document.body.children;
  shown.src = "data:image/png;base64," + picture;
  shown.style.cssText = "display:block;width:100%";
  line.textContent = text;
  line.style.cssText = "margin:0;font:600 19px/46px system-ui,sans-serif";
  return shown.decode();
})"""
#: Returns the pixels by which a window is too low to show a conversation from the message with a text on. The
#: number is negative if it is too high.
MISSING: Final = """((text) => {
  const box = document.querySelector("#messages");
  const top = [...box.children].find((one) => one.matches("article") && one.innerText.includes(text));
  const [first, last] = [top, box.lastElementChild].map((one) => one.getBoundingClientRect());
  const below = parseFloat(getComputedStyle(box).paddingBottom);
  return Math.ceil(last.bottom - first.top + below - box.clientHeight);
})"""
#: Hides JupyterLab's question whether it may show news.
HIDDEN: Final = """(() => {
  const style = document.createElement("style");
  style.textContent = ".Toastify { display: none }";
  document.head.append(style);
})()"""


class Camera:
    """A browser that goes through the demonstration and takes pictures."""

    def __init__(self, browser: Browser, running: Stage) -> None:
        self._browser = browser
        self._running = running

    async def looks(self, person: Person, channel: str, text: str, **how: Any) -> None:
        """Open a conversation as a person, and wait until it contains the text."""
        await self.frames(**how)
        await self._browser.open(f"{self._running.slack['url']}/?as={person.user_id}&channel={channel}")
        await self.sees(text)

    async def reads(self, person: Person, channel: str, text: str) -> None:
        """Open a conversation twice, since unread messages are marked only the first time."""
        for _ in range(2):
            await self.looks(person, channel, text, **STILL)

    async def sees(self, text: str) -> None:
        """Wait until the conversation is shown and contains the text."""
        says = f"document.querySelector('#messages').innerText.includes({json.dumps(text)})"
        await self._waits(f"document.querySelector('#place-name').innerText && {says}")

    async def fits(self, since: str) -> None:
        """Resize the window to show the conversation from the message with this text to the end."""
        width, height = STILL["size"]
        missing = await self._browser.ask(f"{MISSING}({json.dumps(since)})")
        await self.frames(STILL["scale"], (width, height + int(missing)))
        await self._browser.ask("document.querySelector('#messages').scrollTop = 1e6")

    async def sits_down(self) -> None:
        """Sign out everywhere, like a person at a new computer."""
        await self._browser.tell("Network.clearBrowserCookies")

    async def walks(self, url: str, person: Person, server: dict[str, Any], goal: str, **how: Any) -> None:
        """Open an address and fill in its pages until an expression holds."""
        name = person.name.lower()
        account = server["credentials"]["users"][name]
        given = {
            "name": name,
            "person": person.user_id,
            **{key: account[key] for key in ("password", "token")},
        }
        await self.frames(**how)
        await self._browser.open(url)
        await self._waits(f"{STEP}({json.dumps(given)}, () => {goal})")

    async def confirms(self) -> None:
        """Submit the confirmation page, and wait until it is gone."""
        await self._browser.ask(f"{CONFIRM}.requestSubmit()")
        await self._waits(f"document.readyState === 'complete' && !{CONFIRM}")

    async def types(self, text: str) -> None:
        """Type into the message field, without sending."""
        await self._browser.ask("document.querySelector('#composer textarea').focus()")
        await self._browser.tell("Input.insertText", text=text)

    async def takes(self) -> bytes:
        """Take a picture once the whole page is loaded."""
        await self._waits(LOADED)
        await self._browser.ask(HIDDEN)
        taken = await self._browser.tell("Page.captureScreenshot", format="png")
        return base64.b64decode(taken["data"])

    async def add_caption(self, picture: bytes, text: str) -> bytes:
        """Return a frame of the animation, with a line of text below it."""
        width, height = SIZE
        await self.frames(size=(width, height + LINE))
        await self._browser.open("about:blank")
        await self._waits("location.href === 'about:blank'")
        await self._browser.ask(
            f"{FRAME}({json.dumps(base64.b64encode(picture).decode())}, {json.dumps(text)})"
        )
        return await self.takes()

    async def frames(self, scale: float = 1.0, size: tuple[int, int] = SIZE) -> None:
        """Set the window's size and scale."""
        shape = {"width": size[0], "height": size[1], "deviceScaleFactor": scale, "mobile": False}
        await self._browser.tell("Emulation.setDeviceMetricsOverride", **shape)
        await self._browser.tell("Emulation.setScrollbarsHidden", hidden=True)

    async def _waits(self, shows: str) -> None:
        """Wait until an expression holds, even if the page is replaced meanwhile."""
        try:
            async with asyncio.timeout(SECONDS):
                while True:
                    try:
                        return await self._browser.until(shows)
                    except AssertionError:
                        continue
        except TimeoutError:
            text = await self._browser.ask("location.pathname + '\\n' + document.body.innerText")
            raise NotSeenError(f"{shows}\n\nnever held. The page says:\n{text}") from None


async def invitation(person: Person, words: str, connection: str) -> str:
    """Type a command that needs a link, and return the address of the connection's page."""
    before = {message["ts"] for message in await person.messages(GENERAL)}
    await person.say(GENERAL, words)
    return address(await newest(person, GENERAL, "link_url", before), "link_url", connection)


async def newest(person: Person, channel: str, action: str, before: Any = (), text: str = "") -> Message:
    """Wait for a new message with this button and text, and return it."""

    def fits(message: Message) -> bool:
        is_new = message["ts"] not in before
        return is_new and bool(labels(message, action)) and text in spoken(message)

    return await person.wait_for(channel, fits, f"a message with {action} {text}", SECONDS)


async def conversation(running: Stage, person: Person) -> str:
    """Return the id of a person's direct messages with the bot."""
    query = {"as": person.user_id}
    async with person.session.get(f"{running.slack['url']}/_page/state", params=query) as answer:
        channels = (await answer.json())["channels"]
    return str(next(one["id"] for one in channels if one["kind"] == "im"))


async def story(slack: Camera, web: Camera, running: Stage, people: Sequence[Person]) -> dict[str, bytes]:
    """Take pictures of the main job as a person sees it: link, start, wait, open."""
    olivia, chen = people
    frames, room = [], await conversation(running, olivia)
    words = "/workspace start training"
    await chen.say(GENERAL, TALK[0])
    await olivia.say(GENERAL, TALK[1])
    await slack.looks(olivia, GENERAL, TALK[1])
    await slack.types(words)
    frames.append((await slack.takes(), "1. Type a command in any channel"))
    page = await invitation(olivia, words, "hub")
    await slack.looks(olivia, room, "")
    await web.walks(page, olivia, running.hub, CONFIRM, **STILL)
    taken = {"link.png": await web.takes()}
    await web.frames(scale=0.75, size=(1280, 772))
    frames.append((await web.takes(), "2. Link your own account, once"))
    await web.confirms()
    ready = await newest(olivia, "@bot", "open_url", text=READY)
    await slack.looks(olivia, room, READY)
    frames.append((await slack.takes(), "3. Usher messages you when it's ready"))
    await web.walks(address(ready, "open_url"), olivia, running.hub, LAB, scale=0.75, size=(1280, 772))
    frames.append((await web.takes(), "4. Open it. Nobody else can"))
    await olivia.say(room, STOP)
    await slack.reads(olivia, room, PLANNED)
    await slack.fits("is linked")
    taken["ready.png"] = await slack.takes()
    return taken | {"story.png": animate([await slack.add_caption(*frame) for frame in frames])}


async def lesson(slack: Camera, web: Camera, running: Stage, people: Sequence[Person]) -> dict[str, bytes]:
    """Take pictures of a class card and a course card that everybody has joined."""
    for person in people:
        await web.sits_down()
        page = await invitation(person, "/workspace link saturn", "saturn")
        await web.walks(page, person, running.saturn, CONFIRM)
        await web.confirms()
    taken = {}
    for name, (title, flags, text) in CARDS.items():
        await people[0].say(GENERAL, f"/workspace card saturn/course --title {title} {flags}")
        for person in people:
            card = await newest(person, GENERAL, "class_press", text=title)
            await person.press(GENERAL, card, labels(card, "class_press")[0][1])
        await slack.reads(people[-1], GENERAL, text)
        await slack.fits(title)
        taken[name] = await slack.takes()
    return taken


def animate(frames: Sequence[bytes]) -> bytes:
    """Return an animated PNG of pictures of one size, which ends with the last of them."""
    made, number = [b"\x89PNG\r\n\x1a\n"], 0
    for place, frame in enumerate(frames):
        parts = list(chunks(frame))
        (header,) = (content for kind, content in parts if kind == b"IHDR")
        if place == 0:
            made += [chunk(b"IHDR", header), chunk(b"acTL", struct.pack(">II", len(frames), ROUNDS))]
        size = struct.unpack(">II", header[:8])
        control = struct.pack(">IIIIIHHBB", number, *size, 0, 0, FRAME_MS, 1000, 0, 0)
        made.append(chunk(b"fcTL", control))
        number += 1
        # Compression level 9 makes them a tenth smaller than the browser does.
        data = zlib.compress(
            zlib.decompress(b"".join(content for kind, content in parts if kind == b"IDAT")), 9
        )
        if place == 0:
            made.append(chunk(b"IDAT", data))
        else:
            made.append(chunk(b"fdAT", struct.pack(">I", number) + data))
            number += 1
    return b"".join([*made, chunk(b"IEND", b"")])


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks of a PNG with their types."""
    at = 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += length + 12


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a PNG chunk."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


async def pictures() -> dict[str, bytes]:
    """Start the demonstration, take all pictures, and return them by name."""
    async with AsyncExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        # This demonstration keeps its state in a temporary folder instead of the user's own.
        os.environ["XDG_STATE_HOME"] = str(place)
        running = await stack.enter_async_context(stage(light=False, tell=say))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        slack, web = [Camera(await stack.enter_async_context(Browser.started()), running) for _ in range(2)]
        names = {"U0OLIVIA": "Olivia", "U0CHEN": "Chen"}
        people = [Person(session, running.slack["url"], user, name) for user, name in names.items()]
        taken = await story(slack, web, running, people)
        return taken | await lesson(slack, web, running, people)


def main(folder: Path = TARGET) -> int:
    """Take all pictures, and write them only when all are there."""
    if chromium() is None:
        print("There is no Chromium to take pictures in: install it, then try again.", file=sys.stderr)
        return 1
    try:
        taken = asyncio.run(pictures())
    except (StageError, NotSeenError) as error:
        print(error, file=sys.stderr)
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in taken.items():
        (folder / name).write_bytes(content)
        print(f"{folder / name}: {len(content) // 1024} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))

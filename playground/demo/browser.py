"""A minimal browser with cookies, redirects and forms: enough to do what a person does with a mouse."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import aiohttp

MOST_REDIRECTS = 12


@dataclass(slots=True)
class Form:
    """A form: its target, its method, and the initial values of its fields."""

    action: str = ""
    method: str = "get"
    fields: dict[str, str] = field(default_factory=dict)


#: Elements whose text is left out. A path of steps (a list with the class ``steps``) is left out, too.
_SILENT = frozenset({"script", "style", "title", "header", "nav"})
#: Where a new line begins.
_LINES = frozenset(
    {"p", "h1", "h2", "h3", "li", "dl", "div", "section", "form", "tr", "ul", "ol", "body", "br"}
)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.lines: list[str] = []
        self._line: list[str] = []
        self._silent: list[str] = []
        self._select = ""
        self._is_list_of_terms = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag in _SILENT or (tag == "ol" and "steps" in attributes.get("class", "").split()):
            self._silent.append(tag)
        self._break(tag)
        if tag == "dt" and self._line:
            self._line.append("·")
        if tag == "form":
            self.forms.append(Form(attributes.get("action", ""), attributes.get("method", "get").lower()))
        elif tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
        elif tag == "select":
            self._select = attributes.get("name", "")
        elif tag == "option" and self._select and self.forms:
            if "selected" in attributes or self._select not in self.forms[-1].fields:
                self.forms[-1].fields[self._select] = attributes.get("value", "")
        elif tag in ("input", "textarea", "button") and attributes.get("name") and self.forms:
            self._input(tag, attributes)
        if tag == "button" or (tag == "a" and "button" in attributes.get("class", "").split()):
            self._line.append("[")

    def _input(self, tag: str, attributes: dict[str, str]) -> None:
        form, kind = self.forms[-1], attributes.get("type", "")
        if kind in ("radio", "checkbox") and "checked" not in attributes:
            return
        if tag == "button":
            form.fields.setdefault(attributes["name"], attributes.get("value", ""))
        else:
            form.fields[attributes["name"]] = attributes.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if self._silent and tag == self._silent[-1]:
            self._silent.pop()
        if tag == "select":
            self._select = ""
        elif tag in ("button", "a") and "[" in self._line:
            at = len(self._line) - 1 - self._line[::-1].index("[")
            self._line[at:] = [f"[{' '.join(self._line[at + 1 :])}]"]
        elif tag == "dl":
            self._is_list_of_terms = False
            self.end_line()
        else:
            self._break(tag)

    def _break(self, tag: str) -> None:
        """End the current line if the tag begins a new one. A list of terms stays on a single line."""
        if tag in _LINES and not self._is_list_of_terms:
            self.end_line()
        if tag == "dl":
            self._is_list_of_terms = True

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self._line.append(" ".join(data.split()))

    def end_line(self) -> None:
        if self._line:
            self.lines.append(" ".join(self._line))
            self._line.clear()


@dataclass(frozen=True, slots=True)
class Page:
    """A page that the browser shows: its status, URL, lines of text, forms and links."""

    status: int
    url: str
    source: str
    lines: tuple[str, ...]
    forms: tuple[Form, ...]
    links: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return all lines as one."""
        return " ".join(self.lines)

    def link(self, part: str) -> str:
        """Return the URL of the first link that contains ``part``; raise LookupError if there is none."""
        for link in self.links:
            if part in link:
                return urljoin(self.url, link)
        raise LookupError(f"no link with {part} on {urlsplit(self.url).path}: {self.text[:200]}")

    @property
    def form(self) -> Form:
        """Return the first form that uses POST; raise LookupError if there is none."""
        for form in self.forms:
            if form.method == "post":
                return form
        raise LookupError(f"no form on {urlsplit(self.url).path} ({self.status}): {self.text[:200]}")


class Browser:
    """A person's browser, which counts their clicks."""

    def __init__(self) -> None:
        self.presses = 0
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.CookieJar(unsafe=True), timeout=aiohttp.ClientTimeout(total=40)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def get(self, url: str) -> Page:
        """Open a URL, follow its redirects, and return the page."""
        return await self._go("GET", url, None, None)

    async def follow(self, page: Page, part: str) -> Page:
        """Follow the first link whose URL contains ``part``; raise LookupError if there is none."""
        self.presses += 1
        return await self.get(page.link(part))

    async def submit(self, page: Page, form: Form | None = None, **values: str) -> Page:
        """Fill in one of a page's forms (by default, the first one that uses POST) and submit it."""
        self.presses += 1
        form = form or page.form
        return await self._go(
            form.method.upper(), urljoin(page.url, form.action), {**form.fields, **values}, page.url
        )

    async def _go(self, method: str, url: str, form: dict[str, str] | None, came_from: str | None) -> Page:
        for _ in range(MOST_REDIRECTS):
            headers = {}
            if came_from is not None and method == "POST":
                origin = urlsplit(came_from)
                headers["Origin"] = f"{origin.scheme}://{origin.netloc}"
            is_post = method == "POST"
            async with self._session.request(
                method,
                url,
                headers=headers,
                data=form if is_post else None,
                params=None if is_post else form,
                allow_redirects=False,
            ) as answer:
                source = await answer.text(errors="replace")
                if answer.status not in (301, 302, 303, 307, 308):
                    return _read(answer.status, str(answer.url), source)
                url = urljoin(str(answer.url), answer.headers["Location"])
            method, form = ("GET", None) if answer.status in (301, 302, 303) else (method, form)
        raise LookupError(f"too many redirects, at last to {urlsplit(url).path}")


def _read(status: int, url: str, source: str) -> Page:
    reader = _Reader()
    reader.feed(source)
    reader.close()
    reader.end_line()
    return Page(status, url, source, tuple(reader.lines), tuple(reader.forms), tuple(reader.links))

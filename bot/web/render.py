"""Renders pages from templates. Input is escaped. Pages aren't cached or framed, and send no referrer.

Only pages that show an IDE may load anything from other hosts, and then only from the IDE's vendor
(``docs/internals/security.md``, rows 14 and 38).
"""

import hashlib
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from aiohttp import web
from markupsafe import escape

from bot.messages.texts import ide, pages
from bot.messages.texts.refusals import explain_refusal
from bot.providers.facets import Embedding
from bot.support.cleaning import clean
from bot.support.errors import Refused

FOLDER = Path(__file__).parent
STATIC_PATH = "/static"
STATIC_FILES = {path.name: path for path in (FOLDER / "static").iterdir() if path.is_file()}

#: The content security policy of our pages. It allows only our own styles, images and forms: no scripts,
#: frames or other hosts.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex, nofollow",
}

#: HTTP status of the page that shows a refusal, keyed by the refusal's rule.
STATUS = {
    "link.unknown": 404,
    "link.expired": 410,
    "link.used": 410,
    "link.tries": 410,
    "link.connection": 410,
    "link.person": 403,
    "link.other_browser": 403,
    "link.sign_in_first": 403,
    "link.mismatch": 403,
    "link.forged": 403,
    "link.no_cookie": 400,
    "link.changed": 409,
    "link.taken": 409,
    "sign_in.cancelled": 403,
    "sign_in.expired": 403,
    "sign_in.refused": 422,
    "sign_in.failed": 502,
    "token.shape": 422,
    "token.refused": 422,
    "token.failed": 502,
    "page.forged": 403,
    "page.too_many": 429,
    "workspace.not_allowed": 409,
}
#: Refusals whose page has a link back, so that people can try again. All refusals whose rule doesn't begin
#: with ``link.`` or ``token.`` have it anyway.
_CAN_GO_ON = frozenset({"link.changed", "link.mismatch", "link.sign_in_first", "link.taken"})


@cache
def _load_templates() -> Callable[[str], Any]:
    """Return the function that loads a template. It compiles each template only once per process."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - only for pages

    templates = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    templates.filters["name"] = clean_line
    templates.globals.update(
        words=_escape_texts(pages),
        ide=_escape_texts(ide),
        asset=_get_asset_url,
    )
    return templates.get_template


def render_page(template: str, status: int = 200, **facts: Any) -> web.Response:
    """Render a template. Raise UndefinedError if the template uses a value that isn't given."""
    text = _load_templates()(template).render(**facts)
    return web.Response(text=text, status=status, content_type="text/html")


def render_refusal(refused: Refused, back: str = "/link") -> web.Response:
    """Render the page for a refusal, with its reason and advice. ``back`` is the URL to go back to."""
    title = pages.LINK_CLOSED_TITLE if STATUS.get(refused.rule) == 410 else pages.REFUSED_TITLE
    goes_on = refused.rule in _CAN_GO_ON or not refused.rule.startswith(("link.", "token."))
    return render_page(
        "message.html",
        STATUS.get(refused.rule, 403 if refused.rule.startswith("policy.") else 400),
        title=title,
        text=pages.POLICY.get(refused.rule) or explain_refusal(refused),
        reference="",
        back=back if goes_on else "",
    )


def render_problem(status: int, title: str, text: str, reference: str = "") -> web.Response:
    """Render the page for an error that isn't a refusal."""
    return render_page("message.html", status, title=title, text=text, reference=reference, back="")


def _escape_texts(catalogue: ModuleType) -> SimpleNamespace:
    values = {name: value for name, value in vars(catalogue).items() if not name.startswith("_")}
    return SimpleNamespace(
        **{name: escape(value) if isinstance(value, str) else value for name, value in values.items()}
    )


@cache
def _get_asset_url(name: str) -> str:
    """Return a static file's URL with a digest of its content, so that browsers never use an old copy."""
    digest = hashlib.sha256(STATIC_FILES[name].read_bytes()).hexdigest()
    return escape(f"{STATIC_PATH}/{name}?v={digest[:12]}")


def clean_line(text: object, most: int = 120) -> str:
    """Shorten text from outside to one line without invisible characters. Templates escape the result."""
    line = clean(text).replace("\n", " ")
    return line if len(line) <= most else line[: most - 1] + "…"


def get_leading_headers(page_origin: str) -> Mapping[str, str]:
    """Return the headers of a workspace's page, which shows the state and leads to the IDE."""
    own = CONTENT_SECURITY_POLICY.replace("form-action 'self'", f"form-action 'self' {page_origin}")
    policy = f"{own}; script-src 'self'; connect-src 'self'"
    # The page with the IDE must see, from the browser's headers, that the person comes from this page.
    return {"Content-Security-Policy": policy, "Referrer-Policy": "strict-origin"}


@lru_cache(maxsize=64)
def get_ide_page_headers(embedding: Embedding, own: str) -> Mapping[str, str]:
    """Return the headers that allow a page to show an IDE.

    Of our own URLs, the page may call only those below ``own``, because the vendor's script can do anything
    that the page can. Headers that aren't returned here are the same as on every page.
    """
    secure = "s" if embedding.is_https else ""
    sdk = f"http{secure}://{embedding.sdk_host}"
    sockets = f"ws{secure}://{embedding.sdk_host}"
    endpoint = embedding.endpoint
    more = "".join(f" http{secure}://{host}" for host in embedding.hosts)
    hosts = " ".join(dict.fromkeys((sdk, endpoint)))
    talks = " ".join(dict.fromkeys((sdk, sockets, endpoint, endpoint.replace("http", "ws", 1))))
    talks += more + more.replace(" http", " ws")
    quoted = " ".join(f'"{host}"' for host in dict.fromkeys((sdk, endpoint)))
    inline = " 'unsafe-inline'" if embedding.has_inline_styles else ""
    return {
        "Content-Security-Policy": (
            f"default-src 'none'; script-src 'self' {sdk}{more}; style-src 'self' {sdk}{more}{inline}; "
            f"img-src 'self' {sdk}{more}; font-src {sdk}{more}; connect-src {own} {talks}; "
            f"frame-src {hosts}{more}; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
        ),
        # An IDE may open windows and stay connected to them. Our own pages are excluded, because they are
        # ``same-origin``.
        "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
        # The vendor checks which site embeds the IDE, but needn't know which page.
        "Referrer-Policy": "strict-origin",
        "Permissions-Policy": (
            f"camera=(), geolocation=(), microphone=(), payment=(), usb=(), fullscreen=(self {quoted}), "
            f"clipboard-read=(self {quoted}), clipboard-write=(self {quoted})"
        ),
    }

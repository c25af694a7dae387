"""One-time pages for linking, below ``/link`` (``docs/internals/rules.md``, "Linking proves both sides").

The first visit moves the nonce from the URL into a cookie and redirects to a URL without the nonce. The new
URL names the link, so other links can be open in other tabs. A link can be visited any number of times.
Submitting a form uses it up, and the form must come from our own page in the same browser.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import wraps
from typing import NoReturn

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from bot.messages.texts import pages
from bot.messages.texts.refusals import explain_refusal
from bot.services import linking
from bot.services.caller import Caller
from bot.services.context import Context
from bot.services.linking import NAME_LENGTH, LinkPage, Visit, compute_digest
from bot.support.errors import Refused
from bot.web import render
from bot.web.browsers import (
    SLACK_SIGN_IN,
    Browsers,
    Flow,
    SlackSignIn,
    get_slack_url,
    go_to_slack,
    prove_sign_in,
    read_form,
    see_other,
)

LINK_PATH = "/link"
#: Path of the permanent link pages, which begin with Sign in with Slack. A connection's name follows the
#: path.
NEW_PATH = f"{LINK_PATH}/new"
#: Path of the redirect to the provider's sign-in page.
THERE_PATH = f"{LINK_PATH}/there"
OF = "of"
#: Key under which a request stores its link page's address. A page that reports a refusal links back to this
#: address.
_BACK: web.RequestKey[str] = web.RequestKey("link_address", str)

#: Matches the strings accepted as a connection's name in URLs.
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LinkPages:
    """Serves the linking pages.

    ``sign_in`` is None if no Slack client is configured. In that case, people type a code in Slack instead of
    signing in.
    """

    context: Context
    browsers: Browsers
    sign_in: SlackSignIn | None

    def routes(self) -> list[web.RouteDef]:
        """Return every route below ``/link``."""
        new = f"{NEW_PATH}/{{connection:{_NAME.pattern}}}"
        return [
            web.get(new, self._render_refusals(self._ask_who)),
            web.get(f"{new}/sign-in", self._render_refusals(self._go_to_slack_first)),
            web.get(LINK_PATH, self._render_refusals(self._show)),
            web.get(f"{LINK_PATH}/sign-in", self._render_refusals(self._go_to_slack)),
            web.get(THERE_PATH, self._render_refusals(self._go_there)),
            web.get(f"{LINK_PATH}/back/{{connection}}", self._render_refusals(self._return_from_provider)),
            web.post(f"{LINK_PATH}/check", self._render_refusals(self._check)),
            web.post(f"{LINK_PATH}/again", self._render_refusals(self._discard_token)),
            web.post(f"{LINK_PATH}/confirm", self._render_refusals(self._confirm)),
            # A browser may open again the address at which it showed the answer to a form.
            web.get(f"{LINK_PATH}/{{form:check|again|confirm}}", self._render_refusals(self._show)),
            # This route must come last, because it takes every other path for a nonce.
            web.get(LINK_PATH + "/{nonce}", self._render_refusals(self._arrive)),
        ]

    # -- showing pages -------------------------------------------------------------------------------------

    async def _arrive(self, request: web.Request) -> web.StreamResponse:
        response = see_other(LINK_PATH)
        visit = self.browsers.remember(request, response, request.match_info["nonce"][:200])
        response.headers["Location"] = _address(visit)
        return response

    async def _show(self, request: web.Request) -> web.StreamResponse:
        visit = self._require_visit(request)
        opened = await self._read_page(visit)
        return self._render_stage(opened, visit)

    def _render_stage(
        self, opened: LinkPage, visit: Visit, problem: str = "", status: int = 200
    ) -> web.Response:
        if opened.needs_sign_in:
            return self._render("sign_in.html", opened, visit, 0, status=status)
        if opened.link.stage == "checked":
            return self._render("confirm.html", opened, visit, 2, status=status)
        if opened.link.stage == "code":
            return self._render("code.html", opened, visit, 3, code="", status=status)
        template = "there.html" if opened.signs_in else "token.html"
        return self._render(template, opened, visit, 1, problem=problem, status=status)

    # -- Sign in with Slack ----------------------------------------------------------------------------------

    async def _ask_who(self, request: web.Request) -> web.StreamResponse:
        if self.sign_in is None:
            raise Refused("link.unknown", command=self.context.command)
        title, text, note = pages.LINK_TITLE, pages.FIRST_TEXT, pages.FIRST_NOTE
        return render.render_page("first_sign_in.html", page=request.path, title=title, text=text, note=note)

    async def _go_to_slack_first(self, request: web.Request) -> web.StreamResponse:
        team, connection = self.context.installation.sign_in_team, request.match_info["connection"]
        return go_to_slack(self.browsers, self.sign_in, request, team, new=connection)

    async def _start_link(
        self, request: web.Request, response: web.StreamResponse, connection: str
    ) -> tuple[LinkPage, Visit]:
        flow = self.browsers.find_flow(request, new=connection)
        proven = await prove_sign_in(self.sign_in, flow, request.query, pages)
        principal = self.context.installation.resolve_principal(proven)
        visit = self.browsers.remember(request, response, linking.create_nonce())
        caller = Caller(self.context, principal)
        return await caller.run(linking.start_link, visit, connection), visit

    async def _go_to_slack(self, request: web.Request) -> web.StreamResponse:
        visit = self._require_visit(request)
        opened = await self._read_page(visit)
        if self.sign_in is None or not opened.needs_sign_in:
            return see_other(_address(visit))
        url, flow = self.sign_in.begin(opened.link.principal.team_id)
        response = see_other(url)
        self.browsers.remember_flow(
            request, response, flow, link=compute_digest(visit.nonce), at=SLACK_SIGN_IN
        )
        return response

    async def come_from_slack(self, request: web.Request) -> web.StreamResponse:
        """Complete a sign-in with Slack, for the link that required it or for a new link."""
        connection = self.browsers.find_purpose(request, "new")
        response, back = see_other(LINK_PATH), f"{NEW_PATH}/{connection}" if connection else ""
        try:
            if connection:
                opened, visit = await self._start_link(request, response, connection)
            else:
                name = self.browsers.find_purpose(request, "link")[:NAME_LENGTH]
                visit = self._require_visit(request, name)
                back = _address(visit)
                opened = await self._prove(request, visit)
            # The page that sent the person to Slack has already explained what comes next.
            response.headers["Location"] = _address(visit, THERE_PATH if opened.signs_in else LINK_PATH)
        except Refused as refused:
            _log.info("link.page_refused", rule=refused.rule)
            response = render.render_refusal(refused, back or LINK_PATH)
        # Whatever the result, each sign-in is accepted only once.
        self.browsers.forget_flow(request, response)
        return response

    async def _prove(self, request: web.Request, visit: Visit) -> LinkPage:
        flow = self.browsers.find_flow(request, link=compute_digest(visit.nonce), at=SLACK_SIGN_IN)
        principal = await prove_sign_in(self.sign_in, flow, request.query, pages)
        return await (await self._find_caller(visit)).run(linking.accept_proof, visit, principal)

    # -- sign in at the provider -----------------------------------------------------------------------------

    async def _go_there(self, request: web.Request) -> web.StreamResponse:
        visit = self._require_visit(request)
        opened = await self._read_page(visit)
        flow = Flow.create()
        url = ""
        # The person must come from our own page, which names both accounts, or from Slack's sign-in.
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        has_seen_sides = self.sign_in is not None or site == "same-origin"
        if opened.signs_in and not opened.needs_sign_in and has_seen_sides:
            caller = await self._find_caller(visit)
            url = await caller.read(linking.sign_in_page, visit, flow.state, flow.challenge)
        response = see_other(url or _address(visit))
        if url:
            self.browsers.remember_flow(
                request, response, flow, link=compute_digest(visit.nonce), at=opened.link.connection
            )
        return response

    async def _return_from_provider(self, request: web.Request) -> web.StreamResponse:
        """Exchange the provider's code for a credential. The next page shows which account it belongs to."""
        visit = self._require_visit(request, self.browsers.find_purpose(request, "link")[:NAME_LENGTH])
        opened = await self._read_page(visit)
        at = request.match_info["connection"]
        flow = self.browsers.find_flow(request, link=compute_digest(visit.nonce), at=at)
        if flow is None and opened.link.stage != "open":
            # The person went back in the browser, or the provider redirected twice.
            return see_other(_address(visit))
        try:
            await self._ask_there(visit, opened, flow, request.query)
        except Refused as refused:
            _log.info("link.page_refused", rule=refused.rule)
            response: web.StreamResponse = render.render_refusal(refused, _address(visit))
        else:
            response = see_other(_address(visit))
        if flow is not None:
            self.browsers.forget_flow(request, response)
        return response

    async def _ask_there(
        self, visit: Visit, opened: LinkPage, flow: Flow | None, query: Mapping[str, str]
    ) -> None:
        if flow is None:
            raise Refused("sign_in.expired", pages.SIGN_IN_EXPIRED)
        code = query.get("code", "")[:1000]
        if query.get("error", "access_denied") != "access_denied":
            raise Refused("sign_in.failed", pages.THERE_UNSET.format(title=opened.title))
        if not code or "error" in query:
            raise Refused("sign_in.cancelled", pages.THERE_CANCELLED.format(title=opened.title))
        await linking.check_sign_in(await self._find_caller(visit), visit, code, flow.verifier)

    # -- forms -------------------------------------------------------------------------------------------

    async def _check(self, request: web.Request) -> web.StreamResponse:
        visit, fields = await self._read_form(request)
        try:
            await linking.check_token(await self._find_caller(visit), visit, fields.get("token", ""))
        except Refused as refused:
            if not refused.rule.startswith("token."):
                raise
            opened = await self._read_page(visit)
            return self._render_stage(opened, visit, explain_refusal(refused), status=422)
        return see_other(_address(visit))

    async def _discard_token(self, request: web.Request) -> web.StreamResponse:
        visit, _fields = await self._read_form(request)
        await (await self._find_caller(visit)).run(linking.discard_token, visit)
        return see_other(_address(visit))

    async def _confirm(self, request: web.Request) -> web.StreamResponse:
        visit, fields = await self._read_form(request)
        caller = await self._find_caller(visit)
        confirmed = await caller.run(linking.confirm_link, visit, fields.get("account", ""))
        if confirmed.account is not None:
            return self._render("done.html", confirmed.opened, visit, 9, account=confirmed.account)
        return self._render("code.html", confirmed.opened, visit, 3, code=confirmed.code or "")

    # -- helpers -----------------------------------------------------------------------------------------

    async def _find_caller(self, visit: Visit) -> Caller:
        return await linking.find_caller(self.context, visit)

    async def _read_page(self, visit: Visit) -> LinkPage:
        return await (await self._find_caller(visit)).read(linking.show_page, visit)

    def _require_visit(self, request: web.Request, name: str = "") -> Visit:
        visit = self.browsers.find_visit(request, name or request.query.get(OF, ""))
        if visit is None:
            raise Refused("link.no_cookie", command=self.context.command)
        request[_BACK] = _address(visit)
        return visit

    async def _read_form(self, request: web.Request) -> tuple[Visit, dict[str, str]]:
        if not self.browsers.is_same_origin(request):
            self._refuse_forged("origin")
        self._require_visit(request)
        fields = await read_form(request)
        if fields is None:
            self._refuse_forged("form")
        visit = self.browsers.find_sender(request, fields.get("form", ""))
        if visit is None:
            self._refuse_forged("mark")
        request[_BACK] = _address(visit)
        return visit, fields

    def _refuse_forged(self, reason: str) -> NoReturn:
        _log.warning("link.form_refused", reason=reason)
        raise Refused("link.forged", pages.FORGED)

    def _render(
        self,
        template: str,
        opened: LinkPage,
        visit: Visit,
        current: int,
        *,
        status: int = 200,
        **facts: object,
    ) -> web.Response:
        labels = [pages.STEP_SIGN_IN] if self.context.sign_in else []
        labels += [opened.title if opened.signs_in else pages.STEP_TOKEN, pages.STEP_CONFIRM]
        labels += [] if self.context.sign_in else [pages.STEP_CODE]
        # Without *Sign in with Slack*, the first step is left out, and people type a code in Slack at the
        # end.
        place = current if self.context.sign_in else current - 1
        return render.render_page(
            template,
            status,
            opened=opened,
            steps=labels,
            place=place,
            csrf_token=self.browsers.get_csrf_token(visit),
            sign_in_url=_address(visit, f"{LINK_PATH}/sign-in"),
            there_url=_address(visit, THERE_PATH),
            slack=get_slack_url(self.sign_in, opened.link.principal.team_id, opened.channel),
            command=self.context.command,
            app=self.context.installation.find_for(opened.link.principal).bot_name,
            code_follows=not self.context.sign_in,
            **facts,
        )

    def _render_refusals(self, handler: Handler) -> Handler:
        @wraps(handler)
        async def guarded(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except Refused as refused:
                _log.info("link.page_refused", rule=refused.rule)
                return render.render_refusal(refused, request.get(_BACK, LINK_PATH))

        return guarded


def _address(visit: Visit, path: str = LINK_PATH) -> str:
    return f"{path}?{OF}={visit.name}"

"""The pages of a workspace for its owner, below ``/ide`` (``docs/internals/security.md``, rows 14 and 38).

The first page shows the workspace's state and its buttons. Once the workspace is running, that page leads
to the second one, which shows the IDE with the vendor's script and has no form. The second page is served
from the second host name, if there is one.

The state comes from our own row, never directly from the provider. A visit requests a read, which may have to
wait: the poll gate limits how often each workspace's state is read. The credential that opens the workspace
is given only to the page's own script, in response to a request that no other page can send. The HTML
contains no secrets.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, tzinfo
from functools import partial
from typing import Any, NamedTuple

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from bot.domain.browsers import PageRows
from bot.domain.message_context import WorkspaceFacts
from bot.domain.operations import Operation, OperationVerb
from bot.domain.people import Principal
from bot.domain.stops import Consent, ExpiryMode, StopMode, is_final
from bot.domain.time_parsing import load_zone
from bot.domain.timeouts import is_slow
from bot.domain.timers import list_coming_ends
from bot.domain.workspaces import State, Workspace
from bot.messages.blocks import buttons
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.texts import cards, ide, problems, times
from bot.providers import base, facets
from bot.services import browsers as browsing
from bot.services.caller import Caller
from bot.services.context import Context
from bot.services.feasibility import check_possible, get_stop_effects
from bot.services.linking import format_person_name
from bot.services.message_context import IDE_PATH
from bot.services.operation_requests import begin_operation
from bot.services.workspaces import note_opening, request_status_read
from bot.support.errors import Refused, SecretError
from bot.support.limits import RateLimiter
from bot.web import render
from bot.web.browsers import (
    CSRF_HEADER,
    Browsers,
    SlackSignIn,
    get_slack_url,
    go_to_slack,
    prove_sign_in,
    read_form,
    see_other,
)

log = structlog.get_logger(__name__)


#: Maps some phases of a workspace's page to the state whose buttons the page shows. In these phases, the
#: state in the workspace's row may be out of date: it may not show yet that a start or stop is in progress,
#: or that the workspace couldn't be created.
_STATE_BY_PHASE = {
    "starting": State.STARTING,
    "stopping": State.STOPPING,
    "unmade": State.GONE,
}


@dataclass(frozen=True, slots=True)
class PageState:
    """The state of a workspace, as its page shows it.

    ``start`` is the label of the start button, or "" if there is none. If ``line`` mentions a time, ``clock``
    is that time as text, ``at`` is the time in epoch seconds, and ``zone`` is its time zone.
    """

    phase: str
    line: str
    heading: str = ""
    text: str = ""
    stops: bool = False
    start: str = ""
    clock: str = ""
    at: float = 0.0
    zone: str = ""

    @property
    def is_up(self) -> bool:
        """Return whether the workspace is running, so that its IDE can be shown."""
        return self.phase == "running"

    @property
    def is_busy(self) -> bool:
        """Return whether the state will soon change without a click, so that the page shows progress."""
        return self.phase in {"starting", "stopping", "ending", "unknown"}

    def as_json(self) -> dict[str, Any]:
        """Return the state in the form that the page's script reads."""
        return {**asdict(self), "busy": self.is_busy}


def build_page_state(facts: WorkspaceFacts, zone: tzinfo = UTC) -> PageState:
    """Build the page's state from the workspace's row and latest operation, with times in ``zone``."""
    workspace, operation = facts.workspace, facts.operation
    assert workspace is not None, "a page shows a workspace that is there"
    phase = _phase(workspace, operation)
    offered = {
        ButtonValue.from_button(button).name
        for button in buttons.list_buttons(facts, _STATE_BY_PHASE.get(phase))
    }
    if phase == "stopping" and is_final(facts.effects, "stop"):
        phase = "ending"
    heading, text = ide.PLACES.get(phase, ("", ""))
    text = text.format(title=render.clean_line(facts.connection_title, 300))
    if phase == "starting" and operation is not None and operation.usual_seconds:
        usual = cards.USUAL_PASSED if is_slow(operation, facts.now) else ide.USUAL_TIME
        text = f"{text} {usual.format(usual=times.format_roughly(operation.usual_seconds))}"
    if "again" in offered:
        text = f"{text} {ide.NEW_ONE}"
    if phase == "failed" and workspace.reason:
        because = problems.explain_reason(workspace.reason, facts.connection_title, is_over=True, helps=False)
        text = f"{text} {render.clean_line(because, 300)}"
    ends = list_coming_ends(workspace, facts.effects, facts.now)
    line, at = _sentence(phase, ends, facts.now, zone)
    return PageState(
        phase,
        line,
        heading,
        text,
        stops="stop" in offered,
        start=ide.START_NEW if "again" in offered else ide.START if "start" in offered else "",
        clock=times.format_clock_time(at, zone) if at else "",
        at=at,
        zone=str(zone),
    )


def _phase(workspace: Workspace, operation: Operation | None) -> str:
    verb = operation.verb if operation is not None and operation.is_open else None
    if verb is not None and verb.brings_down:
        return "stopping"
    if workspace.is_provisional:
        return "unmade" if verb is None else "starting"
    if workspace.state is State.RUNNING and verb is not OperationVerb.RESTART:
        return "running" if workspace.allows("open") else "closed"
    if verb is not None:
        return "starting"
    return "stopped" if workspace.state is State.SUSPENDED else workspace.state.value


def _sentence(
    phase: str, ends: Sequence[tuple[StopMode | ExpiryMode, float]], now: float, zone: tzinfo
) -> tuple[str, float]:
    """Return a line that describes the state and when it ends, along with that time (0 if there is none)."""
    for how, at in ends[:1]:
        said = times.format_day(at, now, zone).removeprefix("today ")
        match how, phase:
            case ("stops" | "stops_anyway" | "removed" as end, "running") | ("removed" as end, "stopped"):
                return ide.format_provider_end(phase, said, end), at
            case ("stop" | "suspend" | "force" as mode, "starting" | "running" | "closed"):
                return ide.format_planned_stop(phase, said, cards.DONE[mode]), at
    return ide.LINES[phase], 0.0


SIGN_OUT_PATH = "/sign-out"
SIGNED_OUT_PATH = "/signed-out"
#: Matches row ids, the only ids that URLs may contain.
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

Act = Callable[["SessionWorkspace", Mapping[str, str]], Awaitable[web.StreamResponse]]

#: Maximum age, in seconds, of a workspace's state while someone views its page. If the state is older, Usher
#: reads it from the provider again. Before the page's script gets the credential that opens the workspace, it
#: waits a while for this read.
FRESH_SECONDS = 20.0
#: How long, in seconds, the page waits for a read that it has requested before it requests another one.
ASKED_SECONDS = 3.0
#: Matches an item in a report on blocked content: a directive of the page's policy, and a host (or "inline"
#: or "eval").
_BLOCKED_PATTERN = re.compile(r"[a-z-]{1,40} (?:inline|eval|[0-9A-Za-z.:\[\]-]{1,260})")


class SessionWorkspace(NamedTuple):
    """The workspace that a request concerns, with its current state. Its owner is signed in."""

    session: str
    rows: PageRows
    workspace: Workspace
    provider: base.Provider
    page_state: PageState

    @property
    def page(self) -> str:
        """Return the page's own path."""
        return f"{IDE_PATH}/{self.workspace.id}"

    @property
    def is_old(self) -> bool:
        """Return whether the row is so old that the workspace should be read from the provider again."""
        seen = self.workspace.observed_at or 0.0
        return not self.workspace.is_provisional and self.rows.now - seen > FRESH_SECONDS

    @property
    def is_asked_for(self) -> bool:
        """Return whether a read was requested so recently that it may still be in progress."""
        return self.rows.now - (self.workspace.used_at or 0.0) < ASKED_SECONDS


@dataclass(frozen=True, slots=True)
class IdePages:
    """Serves workspaces' pages, handles requests of their buttons and scripts, and manages browser sessions.

    ``sign_in`` is None if no Slack client is configured.
    """

    context: Context
    limiter: RateLimiter
    browsers: Browsers
    sign_in: SlackSignIn | None

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the pages, and those for signing in and out."""
        page = f"{IDE_PATH}/{{id:{_ID.pattern}}}"
        return [
            web.get(page, self._page),
            web.post(page, self._run_button(self._open)),
            web.get(f"{page}/sign-in", self._go_to_slack),
            web.get(f"{page}/state", self._state),
            web.post(f"{page}/entry", self._entry),
            web.post(f"{page}/blocked", self._log_blocked),
            web.get(f"{page}/stop", self._run_button(self._ask_stop)),
            web.post(f"{page}/start", self._run_button(partial(self._begin, verb=OperationVerb.START))),
            web.post(f"{page}/stop", self._run_button(partial(self._begin, verb=OperationVerb.STOP))),
            web.get(SIGN_OUT_PATH, self._ask_sign_out),
            web.post(SIGN_OUT_PATH, self._sign_out),
            web.get(SIGNED_OUT_PATH, self._render_signed_out),
        ]

    # -- showing pages -------------------------------------------------------------------------------------

    async def _page(self, request: web.Request) -> web.StreamResponse:
        page = request.match_info["id"]
        if self.browsers.is_at_second_host(request):
            # The page was reloaded or opened from a bookmark. Sessions are known only at the first host name,
            # so go there.
            return see_other(f"{self.browsers.origin}{IDE_PATH}/{page}")
        shown, rows = await self._find_shown(request)
        if rows is None:
            return self._ask(page)
        if shown is None:
            return await self._nothing(request, rows)
        await self._keep_fresh(shown)
        return await self._render(shown, render.get_leading_headers(self.browsers.page_origin))

    async def _open(self, shown: SessionWorkspace, _fields: Mapping[str, str]) -> web.StreamResponse:
        await Caller(self.context, shown.workspace.principal).run(note_opening, shown.workspace.id)
        loads = shown.provider.require_facet(facets.EmbeddedPage).embedding()
        own = f"{self.browsers.page_origin}{shown.page}/"
        return await self._render(shown, render.get_ide_page_headers(loads, own), loads)

    async def _render(
        self, shown: SessionWorkspace, headers: Mapping[str, str], loads: facets.Embedding | None = None
    ) -> web.Response:
        response = render.render_page(
            "ide.html",
            page=shown.page,
            origin=self.browsers.origin,
            page_origin=self.browsers.page_origin,
            workspace=shown.workspace,
            page_state=shown.page_state,
            title=shown.provider.settings.title,
            loads=loads,
            csrf_token=self.browsers.get_page_csrf_token(shown.session, shown.workspace.id),
            person=await self._name(shown.workspace.principal),
            slack=get_slack_url(self.sign_in, shown.workspace.principal.team_id, shown.rows.channel_id),
        )
        response.headers.update(headers)
        return response

    async def _state(self, request: web.Request) -> web.StreamResponse:
        shown, rows = await self._find_shown(request)
        if shown is None:
            return web.json_response({}, status=404 if rows is not None else 401)
        await self._keep_fresh(shown)
        return web.json_response(shown.page_state.as_json())

    async def _entry(self, request: web.Request) -> web.StreamResponse:
        """Return the credential that opens the workspace, as recent as the poll gate allows.

        ``again`` in the response tells the script to repeat the request, because a read is in progress. If
        the query contains ``late``, the script has already waited long enough, so it gets the stored
        credential.
        """
        shown, rows = await self._find_shown(request)
        if shown is None:
            return web.json_response({}, status=404 if rows is not None else 401)
        if not self._is_own(request, shown):
            log.warning("page.entry_refused")
            return web.json_response({}, status=403)
        if not shown.page_state.is_up:
            return web.json_response({"again": True})
        if shown.is_old and "late" not in request.query:
            await self._keep_fresh(shown)
            return web.json_response({"again": True})
        try:
            token = browsing.open_entry(self.context, shown.workspace)
        except SecretError:
            log.exception("what opens a workspace does not open", workspace=shown.workspace.id)
            return web.json_response({"again": True})
        if token is None and "late" not in request.query:
            # The credential has been read but not stored yet. It will be in a moment.
            return web.json_response({"again": True})
        return web.json_response({"workspace": shown.workspace.remote_id, "token": token})

    async def _log_blocked(self, request: web.Request) -> web.StreamResponse:
        shown, _ = await self._find_shown(request)
        if shown is None or not self._is_own(request, shown):
            return web.json_response({}, status=403)
        directive, source = request.query.get("directive", ""), request.query.get("source", "")
        # Reports have a separate limit, so that they don't use up the person's limit of requests.
        limited = f"{shown.workspace.principal.key}/blocked"
        if _BLOCKED_PATTERN.fullmatch(f"{directive} {source}") and not self.limiter.take(limited):
            log.warning(
                "page.blocked", connection=shown.workspace.connection, directive=directive, source=source
            )
        return web.json_response({})

    def _is_own(
        self, request: web.Request, shown: SessionWorkspace, form: Mapping[str, str] | None = None
    ) -> bool:
        mark = request.headers.get(CSRF_HEADER, "") if form is None else form.get("form", "")
        return self.browsers.is_of_session(request, shown.session, shown.workspace.id, mark)

    # -- buttons -------------------------------------------------------------------------------------------

    def _run_button(self, act: Act) -> Handler:
        """Return the handler for a link (GET) or a button (POST).

        A form is accepted only if it was submitted from the workspace's own page.
        """

        async def pressed(request: web.Request) -> web.StreamResponse:
            fields = await read_form(request) or {}
            shown, rows = await self._find_shown(request, fields.get("form"))
            if rows is None:
                return see_other(f"{IDE_PATH}/{request.match_info['id']}")
            if shown is None:
                return await self._nothing(request, rows)
            try:
                if request.method == "POST" and not self._is_own(request, shown, fields):
                    raise Refused("page.forged", ide.FORGED)
                if self.limiter.take(shown.workspace.principal.key) > 0.0:
                    raise Refused("page.too_many", ide.TOO_MANY)
                return await act(shown, fields)
            except Refused as refused:
                log.info("page.refused", rule=refused.rule)
                return render.render_refusal(refused, shown.page)

        return pressed

    async def _begin(
        self, shown: SessionWorkspace, fields: Mapping[str, str], *, verb: OperationVerb
    ) -> web.StreamResponse:
        caller = Caller(self.context, shown.workspace.principal, reference=self.context.ids.reference())
        generation = str(shown.workspace.generation)
        if fields.get("generation", generation) != generation:
            # The workspace has been started since the question was shown, so ask about what runs now.
            return await self._ask_stop(shown, fields)
        agreed = Consent.__members__.get(fields.get("agreed", ""), Consent.NONE)
        try:
            accepted = await caller.run(begin_operation, shown.workspace.id, verb, agreed=agreed)
        except Refused as refused:
            if refused.rule != "workspace.ends":
                raise
            return await self._ask_stop(shown, fields)
        return see_other(f"{IDE_PATH}/{accepted.operation.workspace_id}")

    async def _ask_stop(self, shown: SessionWorkspace, _fields: Mapping[str, str]) -> web.StreamResponse:
        check_possible(self.context, shown.workspace, OperationVerb.STOP)
        effect = get_stop_effects(self.context, shown.workspace).get("stop")
        is_final = effect is not None and effect.is_final
        return render.render_page(
            "stop.html",
            page=shown.page,
            question=cards.CONFIRM_END if is_final else cards.CONFIRM_STOP,
            agreed=buttons.get_consent(shown.workspace).name if is_final else Consent.NONE.name,
            generation=shown.workspace.generation,
            name=shown.workspace.title,
            lost=buttons.format_cost(shown.workspace, effect if is_final else None),
            csrf_token=self.browsers.get_page_csrf_token(shown.session, shown.workspace.id),
        )

    # -- signing in and out ----------------------------------------------------------------------------------

    def _ask(self, page: str) -> web.Response:
        if self.sign_in is None:
            return render.render_problem(404, ide.UNSET_TITLE, ide.UNSET_TEXT)
        note = ide.SIGN_IN_NOTE.format(lasts=times.format_duration(browsing.SESSION_SECONDS))
        place, title, text = f"{IDE_PATH}/{page}", ide.SIGN_IN_TITLE, ide.SIGN_IN_TEXT
        return render.render_page("first_sign_in.html", page=place, title=title, text=text, note=note)

    async def _go_to_slack(self, request: web.Request) -> web.StreamResponse:
        team = self.context.installation.sign_in_team
        return go_to_slack(self.browsers, self.sign_in, request, team, page=request.match_info["id"])

    async def come_from_slack(self, request: web.Request, page: str) -> web.StreamResponse:
        """Begin a session for the person whom Slack identified, and redirect to the page that they wanted."""
        back = f"{IDE_PATH}/{page}" if _ID.fullmatch(page) else ""
        flow = self.browsers.find_flow(request, page=page)
        try:
            session_id = await browsing.begin(
                self.context, await prove_sign_in(self.sign_in, flow, request.query, ide)
            )
        except Refused as refused:
            log.info("page.sign_in_refused", rule=refused.rule)
            response: web.StreamResponse = render.render_refusal(refused, back)
        else:
            await browsing.end(self.context, self.browsers.find_session(request))
            response = see_other(back or SIGNED_OUT_PATH)
            self.browsers.open_session(response, session_id, browsing.SESSION_SECONDS)
        # Whatever the result, each sign-in is accepted only once.
        self.browsers.forget_flow(request, response)
        return response

    async def _ask_sign_out(self, request: web.Request) -> web.StreamResponse:
        session = self.browsers.find_session(request)
        if session is None:
            return see_other(SIGNED_OUT_PATH)
        return render.render_page(
            "sign_out.html", csrf_token=self.browsers.get_page_csrf_token(session, SIGN_OUT_PATH)
        )

    async def _sign_out(self, request: web.Request) -> web.StreamResponse:
        session = self.browsers.find_session(request)
        if session is not None:
            fields = await read_form(request) or {}
            if not self.browsers.is_of_session(request, session, SIGN_OUT_PATH, fields.get("form", "")):
                log.warning("page.form_refused", reason="sign-out")
                return render.render_problem(403, ide.FORGED_TITLE, ide.FORGED)
            await browsing.end(self.context, session)
        response = see_other(SIGNED_OUT_PATH)
        self.browsers.close_session(response)
        return response

    async def _render_signed_out(self, _request: web.Request) -> web.StreamResponse:
        return render.render_problem(200, ide.SIGNED_OUT_TITLE, ide.SIGNED_OUT_TEXT)

    # -- helpers -------------------------------------------------------------------------------------------

    async def _find_shown(
        self, request: web.Request, mark: str | None = None
    ) -> tuple[SessionWorkspace | None, PageRows | None]:
        """Return the workspace that a page may show, if any, and the page's rows, if the session is valid."""
        page = request.match_info["id"]
        rows = await browsing.read_page_rows(
            self.context, self.browsers.find_session(request, page, mark), page
        )
        if rows is None:
            return None, None
        own = await browsing.find_own(self.context, rows)
        if own is None:
            return None, rows
        workspace, provider = own
        person = await self.context.store.person(workspace.principal)
        zone = load_zone(person.time_zone if person is not None else None)
        facts = WorkspaceFacts(
            now=rows.now,
            connection=workspace.connection,
            connection_title=provider.settings.title,
            capabilities=provider.facets(),
            operation=rows.operation,
            workspace=workspace,
            effects=provider.stop_effects(workspace),
        )
        return SessionWorkspace(
            rows.session.id_hash, rows, workspace, provider, build_page_state(facts, zone)
        ), rows

    async def _name(self, principal: Principal) -> str:
        return format_person_name(principal, await self.context.store.person(principal))

    async def _keep_fresh(self, shown: SessionWorkspace) -> None:
        if shown.is_old and not shown.is_asked_for:
            caller = Caller(self.context, shown.workspace.principal)
            await caller.run(request_status_read, shown.workspace.id)

    async def _nothing(self, request: web.Request, rows: PageRows) -> web.Response:
        """Return the page for a workspace that doesn't exist or belongs to someone else.

        The page doesn't reveal which of the two is the case.
        """
        return render.render_page(
            "nothing.html",
            404,
            page=f"{IDE_PATH}/{request.match_info['id']}",
            person=await self._name(rows.session.principal),
            csrf_token=self.browsers.get_page_csrf_token(rows.session.id_hash, SIGN_OUT_PATH),
        )

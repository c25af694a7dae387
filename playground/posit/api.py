"""The API's only endpoint, ``/api/{method}`` (``docs/internals/providers/posit.md``, "Transport")."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aiohttp import web

from playground.pages import redirect
from playground.posit import api_jobs, api_server, api_sessions
from playground.posit.calls import HARNESS, STATE, Call
from playground.posit.errors import (
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    UNAUTHORISED,
    CallError,
    DenialError,
    SignInError,
    wrong_type,
)
from playground.posit.pages import sign_in_form
from playground.values import loads

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Method:
    """An API method: its function, its known parameters, and whether GET is allowed besides POST."""

    answer: Callable[[Call], Awaitable[Any]]
    parameters: frozenset[str] = frozenset()
    get: bool = False


METHODS: dict[str, Method] = {
    "launch_session": Method(
        api_sessions.launch_session,
        frozenset(
            {
                "workbench",
                "username",
                "name",
                "open_file",
                "working_directory",
                "launch_parameters",
                "start_hooks",
                "stop_hooks",
                "environment",
            }
        ),
    ),
    "resume_session": Method(
        api_sessions.resume_session, frozenset({"session_id", "username", "launch_parameters"})
    ),
    "get_session": Method(
        api_sessions.get_session,
        frozenset({"session_id", "user", "fields", "include_jobs", "include_all_jobs", "timestamp"}),
    ),
    "stop_session": Method(
        api_sessions.stop_session, frozenset({"session_ids", "force_quit", "suspend_session", "suspend"})
    ),
    "launch_job": Method(api_jobs.launch_job, frozenset({"job", "apply_config_settings"})),
    "get_job_output": Method(api_jobs.get_job_output, frozenset({"job_id", "user"})),
    "stop_job": Method(api_jobs.stop_job, frozenset({"job_id", "force_quit"})),
    "get_compute_envs": Method(api_server.get_compute_envs, frozenset({"user"}), get=True),
    "version": Method(api_server.version, get=True),
    "get_users": Method(api_server.get_users, get=True),
}


async def answer(request: web.Request) -> web.StreamResponse:
    """Answer a call. The switches determine the format of refusals."""
    name = request.match_info["method"]
    method = METHODS.get(name)
    allowed = ("GET", "POST") if method is not None and method.get else ("POST",)
    if request.method not in allowed and (method is not None or request.method != "GET"):
        return web.Response(status=405, headers={"Allow": ", ".join(allowed)})
    try:
        return await _answer(request, name, method)
    except SignInError as problem:
        return _not_signed_in(request, problem.message)
    except DenialError as denial:
        return _denied(request, name, denial.message)
    except CallError as error:
        if error.rule is not None:
            request.app[HARNESS].violation(error.rule, f"{name}: {error.message}")
        return web.json_response(error.body(), status=error.status)


async def _answer(request: web.Request, name: str, method: Method | None) -> web.StreamResponse:
    state = request.app[STATE]
    header = request.headers.get("Authorization")
    if header is not None and header.partition(" ")[0].lower() == "key":
        request.app[HARNESS].violation("Authorization is Bearer", f"{name}: Key is another product's word")
    token = state.accounts.by_header(header)
    if method is None:
        raise CallError(METHOD_NOT_FOUND, f"Method not found: {name}")
    values = {} if request.method == "GET" else await _parameters(request, name)
    call = Call(request, name, values, token)
    user = _named(values) or token.person.name
    request.app[HARNESS].count(token.name, user, name)
    _check_unknown(call, method)
    planned = state.plans.take_error(name, user, after=False)
    if planned is None:
        result = await method.answer(call)
        planned = state.plans.take_error(name, user, after=True)
    else:
        result = None
    if planned is not None:
        raise CallError(planned.code, planned.message, status=planned.status)
    if isinstance(result, web.StreamResponse):
        return result
    return _success(state.settings.as_values(), name, result)


async def _parameters(request: web.Request, name: str) -> Values:
    try:
        body = loads(await request.read())
    except ValueError:
        raise CallError(PARSE_ERROR, "Invalid JSON", status=400, rule="the body is JSON") from None
    if not isinstance(body, dict) or body.get("method") != name:
        raise CallError(
            INVALID_REQUEST,
            f"The body's method must be {name}",
            rule="the method in the body is that of the path",
        )
    values = body.get("kwparams", {})
    if not isinstance(values, dict):
        raise wrong_type("kwparams", "an object")
    for key, value in values.items():
        if value is None:
            raise wrong_type(key, "left out where it is null")
    return values


def _named(values: Values) -> str | None:
    job = values.get("job")
    named = (
        values.get("username") or values.get("user") or (job.get("user") if isinstance(job, dict) else None)
    )
    return named if isinstance(named, str) else None


def _check_unknown(call: Call, method: Method) -> None:
    unknown = sorted(set(call.values) - method.parameters)
    if not unknown:
        return
    call.broke("parameters as documented", f"unknown: {', '.join(unknown)}")
    if call.state.settings.unknown_parameters == "refuse":
        raise CallError(INVALID_REQUEST, f"Unknown parameters: {', '.join(unknown)}")


def _success(settings: Values, name: str, result: Any) -> web.Response:
    if name == "version" and settings["version_bare"]:
        return web.json_response(result)
    if result is not None:
        return web.json_response({"result": result})
    form = settings["stop_answer"]
    if form == "empty":
        return web.Response(status=200)
    return web.json_response({"result": {"object": {}, "null": None, "text": ""}[form]})


def _denied(request: web.Request, name: str, message: str) -> web.Response:
    form = request.app[STATE].settings.denial
    if form == "document":
        # Only for get_users and version does the reference say "Returns an HTTP 401 code for permission
        # denied".
        form = "401" if name in {"get_users", "version"} else "envelope"
    status = 200 if form == "envelope" else int(form)
    return web.json_response(CallError(UNAUTHORISED, message).body(), status=status)


def _not_signed_in(request: web.Request, message: str) -> web.StreamResponse:
    form = request.app[STATE].settings.unauthenticated
    browser = "Authorization" not in request.headers and "text/html" in request.headers.get("Accept", "")
    if form == "redirect" or (form == "json" and browser):
        onward = quote(request.path, safe="/")
        return redirect(f"/auth-sign-in?appUri={onward}")
    if form == "html":
        return sign_in_form("/")
    if form == "text":
        return web.Response(status=401, text="Unauthorized")
    return web.json_response(CallError(UNAUTHORISED, message).body(), status=401)


def routes() -> list[web.RouteDef]:
    """Return this module's routes, with and without a path prefix, as for a server behind a sub-path."""
    return [
        web.route("*", "/api/{method}", answer),
        web.route("*", "/{prefix:[a-z][a-z-]*}/api/{method}", answer),
    ]

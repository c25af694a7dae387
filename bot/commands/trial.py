"""Tries a connection with an operator's own account, and checks the assumptions about its provider.

A trial creates a workspace and, if the provider can run commands, a job. It reads both, removes them, and
touches nothing else. Before creating anything, it writes a record to a file, so that the next trial can
remove whatever an interrupted trial left behind. The token is kept only in memory. As in ``serve``, the poll
gate limits how often a workspace's status is read (``docs/internals/rules.md``, "The poll gate").
"""

from __future__ import annotations

import asyncio
import json
import platform
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from dataclasses import field as field_of
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, TypeVar

from bot.domain.forms import Field, Form, FormProblems, Purpose, Spec, Value, flag_name
from bot.domain.observations import Created, Observed
from bot.domain.people import Principal
from bot.domain.runs import ObservedRun
from bot.domain.workspaces import NOT_UP_STATES, State, Workspace
from bot.providers import base, facets
from bot.providers.assumptions import Assumption, RecordingHttp, Verdict, load_assumptions
from bot.providers.base import Access, SendWindow
from bot.services.checks import explain_failure, format_plain
from bot.store import gates
from bot.store.store import Store
from bot.support import errors
from bot.support.clock import Clock
from bot.support.errors import NotDone

T = TypeVar("T")

#: Prefix of the names of workspaces and jobs that a trial creates. Eight letters or digits follow.
STEM: Final = "usher-try"
_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"
#: The principal (Slack identity) that a trial uses to request templates. It belongs to nobody, so the trial
#: isn't offered templates that are restricted to certain people.
NO_PRINCIPAL: Final = Principal(None, "-", "-")
TRIAL_STEP_TIMEOUT_SECONDS: Final = 900.0
#: If the call that creates a workspace or job got no response, it may still appear at the provider within
#: this many seconds. After that, the trial assumes that nothing was created.
CONFIRM_SECONDS: Final = 180.0
#: A poll gate limits how often a workspace's status is read. Once it lets a read pass, the read has to be
#: sent within this many seconds. ``CALL_SECONDS`` is the time reserved for the read itself, and the time
#: limit for reading a job's output. ``serve`` uses the same margin and call time
#: (``bot.reconciler.runtimes.Numbers``).
MARGIN: Final = 0.5
CALL_SECONDS: Final = 25.0
#: Matches version numbers with two or three parts. Four parts would be an IP address.
_VERSION_PATTERN: Final = re.compile(r"(?<![\d.])\d{1,4}(?:\.\d{1,4}){1,2}(?![\d.]*\d)")
MOST_OUTPUT: Final = 100_000


@dataclass(frozen=True, slots=True)
class TrialObject:
    """A workspace or job that a trial creates. ``remote_id`` is None until the provider has assigned it.

    ``key`` is "" for a workspace that already existed, which is started and stopped but never removed.
    ``since`` is the time of creation in epoch seconds.
    """

    purpose: Purpose
    spec: Spec
    key: str
    since: float = 0.0
    remote_id: str | None = None


class TrialRecord:
    """The file that lists what a trial has created. It is deleted once the list is empty."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.made: dict[Purpose, TrialObject] = {}
        with suppress(FileNotFoundError):
            try:
                for one in json.loads(path.read_text(encoding="utf-8")):
                    made = TrialObject(**{**one, "spec": Spec.from_json(one["spec"])})
                    self.made[made.purpose] = made
            except (ValueError, TypeError, KeyError, AttributeError):
                raise NotDone(
                    f"{path} can't be read. See whether something called {STEM}-… is left on the provider, "
                    "remove it there, and delete the file."
                ) from None

    def keep(self, made: TrialObject) -> None:
        """Record a workspace or job before it is created, and again afterwards with its id."""
        self.made[made.purpose] = made
        self._write()

    def drop(self, made: TrialObject) -> None:
        """Remove a workspace or job from the record once it has been deleted."""
        del self.made[made.purpose]
        self._write()

    def _write(self) -> None:
        if not self.made:
            self.path.unlink(missing_ok=True)
            return
        rows = [
            {**{name: getattr(one, name) for name in one.__match_args__}, "spec": one.spec.as_json()}
            for one in self.made.values()
        ]
        beside = self.path.with_suffix(".new")
        beside.write_text(json.dumps(rows), encoding="utf-8")
        beside.replace(self.path)


@dataclass(slots=True)
class Trial:
    """A trial of one connection with one account."""

    provider: base.Provider
    http: RecordingHttp
    store: Store
    clock: Clock
    record: TrialRecord
    access: Access
    #: Prints one line of the trial's progress. ``sleep`` waits for a number of seconds.
    tell: Callable[[str], None] = print
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    #: The steps so far: name, duration in seconds, and the kind of error if the step failed, otherwise "".
    steps: list[tuple[str, float, str]] = field_of(default_factory=list)

    # -- preparations, before anything is created ----------------------------------------------------------

    async def plan(self, given: Mapping[str, str]) -> list[TrialObject]:
        """Fill in the provider's forms with as little as they accept. Raise NotDone if that's impossible."""
        provider, mark = self.provider, "".join(secrets.choice(_LETTERS) for _ in range(8))
        making = provider.require_facet(facets.Creation)
        offer = await making.read_offer(self.access)
        form = making.form(offer, "workspace", {}, NO_PRINCIPAL)
        if not form.fields:
            self.tell(form.advice or form.note)
            return [await self._existing(given.get("workspace", ""))]
        wanted: list[tuple[Purpose, facets.Forms[Any], dict[str, str]]] = [("workspace", making, {**given})]
        if isinstance(provider, facets.Runs) and provider.can_run_commands():
            wanted.append(("job", provider, {**given, "command": f"echo {STEM}"}))
        return [
            TrialObject(
                purpose,
                fill_form(asking, offer, purpose, {**values, "name": f"{STEM}-{mark}"}),
                f"{purpose}-{mark}",
            )
            for purpose, asking, values in wanted
        ]

    async def _existing(self, name: str) -> TrialObject:
        """Return a stopped workspace that survives being stopped. Raise NotDone if the account has none."""
        for one in await self.provider.require_facet(facets.Lists).discover(self.access):
            is_wanted = bool(one.name) and name in ("", one.name) and one.observed.state is State.STOPPED
            if is_wanted and (await self._read(one.remote_id)).survives_stop is not False:
                return TrialObject("workspace", Spec(one.name), "", remote_id=one.remote_id)
        raise NotDone("There is no stopped workspace to start and stop instead. Add a template, or stop one.")

    # -- the job ---------------------------------------------------------------------------------------------

    async def play(self, plans: list[TrialObject]) -> bool:
        """Create each planned workspace or job, read it and remove it. Return whether all went well."""
        try:
            for made in plans:
                await (self._workspace if made.purpose == "workspace" else self._job)(made)
        except errors.ProviderError:
            pass  # The step has already reported the error; everything that was created is removed below.
        finally:
            is_away = await self.put_away()
        return is_away and not any(error for _, _, error in self.steps)

    async def _workspace(self, made: TrialObject) -> None:
        provider = self.provider
        self.record.keep(made)
        created = Created(made.remote_id or "", made.spec.name, is_started=False)
        if made.key:
            created = await self._make(made, provider.require_facet(facets.Creation).create)
        if not created.is_started:
            await self._step("start", self._act(provider.start, created.remote_id))
        seen = await self._step("run", self._wait_until(created.remote_id, _ran_or_failed))
        await self._step("open", self._open(seen))

    async def _open(self, seen: Observed) -> str:
        if isinstance(self.provider, facets.EmbeddedPage):
            if seen.entry is None:
                raise errors.BadAnswer("nothing opens it")
            return "opens in Usher's own page"
        if seen.url is None:
            raise errors.BadAnswer(seen.detail or "it has no address")
        answer = await self.http.request("GET", seen.url)
        if answer.status >= 500:
            raise errors.ServerFailed(f"HTTP {answer.status}", status=answer.status)
        return f"answers {answer.status}"

    async def _job(self, made: TrialObject) -> None:
        runs = self.provider.require_facet(facets.Runs)
        created = await self._make(made, runs.launch_run)
        ended = await self._step("job", self._wait_for_end(runs, created.remote_id))
        await self._step("output", self._output(runs, ended.remote_id or created.remote_id))

    async def _output(self, runs: facets.Runs[Any], remote_id: str) -> str:
        text = ""
        async with asyncio.timeout(CALL_SECONDS):
            async for piece in runs.run_output(self.access, remote_id):
                text += piece.text
                if len(text) > MOST_OUTPUT:
                    break
        if STEM not in text:
            raise errors.BadAnswer("it doesn't hold what the job printed")
        return "as the job printed it"

    async def _make(
        self, made: TrialObject, create: Callable[[Access, Spec, str], Awaitable[Created]]
    ) -> Created:
        made = replace(made, since=self.clock.now())
        self.record.keep(made)
        name = "create" if made.purpose == "workspace" else "launch"

        async def creating() -> Created:
            try:
                return await create(self.access, made.spec, made.key)
            except errors.UnknownOutcome:
                found = await self._find(made)
                if found is None:
                    raise
                return found
            except errors.ProviderError:
                # The provider created nothing.
                self.record.drop(made)
                raise

        created = await self._step(f"{name} {made.spec.name}", creating())
        self.record.keep(replace(made, remote_id=created.remote_id))
        return created

    async def _find(self, made: TrialObject) -> Created | None:
        """Find the workspace or job that the trial has just created, by key or name. Ignore all others."""
        provider = self.provider
        if made.purpose == "workspace":
            search = provider.require_facet(facets.Creation).find_created
        else:
            search = provider.require_facet(facets.Runs).find_run
        return (await search(self.access, made.spec, made.key, made.since)).match

    # -- afterwards ------------------------------------------------------------------------------------------

    async def put_away(self) -> bool:
        """Stop and remove the recorded workspaces and jobs. Return whether none are left."""
        for made in list(self.record.made.values()):
            try:
                remote_id = made.remote_id
                if remote_id is None:
                    found = await self._step(f"look for {made.spec.name}", self._find(made))
                    remote_id = None if found is None else found.remote_id
                if remote_id is None and self.clock.now() < made.since + CONFIRM_SECONDS:
                    continue  # It may still appear.
                if remote_id is not None:
                    await (self._end_job(remote_id) if made.purpose == "job" else self._end(made, remote_id))
            except errors.ProviderError:
                continue  # The step has already reported the error; the record keeps it for the next trial.
            self.record.drop(made)
        left = [made.spec.name for made in self.record.made.values()]
        if left:
            self.tell(f"Left on the provider: {', '.join(left)}. The next trial puts it away.")
        return not left

    async def _end(self, made: TrialObject, remote_id: str) -> None:
        provider = self.provider
        try:
            await self._step("stop", self._act(provider.stop, remote_id))
        except errors.Conflict:
            # Some workspaces can't be stopped until they have finished starting.
            await self._step(
                "settle", self._wait_until(remote_id, lambda one: one.state is not State.STARTING)
            )
            await self._step("stop", self._act(provider.stop, remote_id))
        except errors.NotFound:
            return
        seen = await self._step("down", self._wait_until(remote_id, lambda one: one.state in NOT_UP_STATES))
        if seen.state is State.GONE or not made.key:
            return
        if isinstance(provider, facets.Removal):
            await self._step("remove", self._act(provider.remove, remote_id))
        else:
            self.tell(f"Usher can't remove it, so it stays there, stopped: {provider.page_url(remote_id)}")

    async def _end_job(self, remote_id: str) -> None:
        runs = self.provider.require_facet(facets.Runs)
        with suppress(errors.NotFound):
            await self._step("end the job", runs.stop_run(self.access, remote_id))

    # -- reading and waiting ---------------------------------------------------------------------------------

    async def _wait_until(self, remote_id: str, is_so: Callable[[Observed], bool]) -> Observed:
        """Poll at the provider's pace until ``is_so`` returns True. Raise Conflict if that takes too long."""
        ends = self.clock.monotonic() + TRIAL_STEP_TIMEOUT_SECONDS
        while not is_so(seen := await self._read(remote_id)):
            if self.clock.monotonic() > ends:
                raise errors.Conflict(
                    f"it is still {seen.state} after {TRIAL_STEP_TIMEOUT_SECONDS / 60:.0f} minutes"
                )
            await self.sleep(self.provider.pace.pending_interval)
        return seen

    async def _wait_for_end(self, runs: facets.Runs[Any], remote_id: str) -> ObservedRun:
        ends = self.clock.monotonic() + TRIAL_STEP_TIMEOUT_SECONDS
        while True:
            await self._gate(remote_id)
            found = await runs.run_status(self.access, [remote_id])
            await self._gate(remote_id, is_answered=True)
            seen = found.get(remote_id)
            if seen is not None and seen.state.is_over:
                if seen.exit_code not in (None, 0):
                    raise errors.Conflict(f"exit code {seen.exit_code}")
                return seen
            if self.clock.monotonic() > ends:
                raise errors.Conflict(f"it hasn't ended after {TRIAL_STEP_TIMEOUT_SECONDS / 60:.0f} minutes")
            await self.sleep(self.provider.pace.pending_interval)

    async def _act(self, act: Callable[[Access, Workspace], Awaitable[object]], remote_id: str) -> None:
        workspace = self.provider.to_workspace(remote_id, await self._read(remote_id), NO_PRINCIPAL)
        await act(self.access, workspace)

    async def _read(self, remote_id: str) -> Observed:
        until = await self._gate(remote_id)
        found = await self.provider.status(self.access, [remote_id], SendWindow(until))
        await self._gate(remote_id, is_answered=True)
        return found[remote_id]

    async def _gate(self, remote_id: str, *, is_answered: bool = False) -> float:
        """Wait until a resource's poll gate opens, and close it. Return the deadline for sending a read."""
        provider = self.provider
        key = (provider.gate_key(remote_id), provider.settings.name, remote_id)
        closed_for = provider.pace.min_poll_interval + MARGIN
        while True:
            claimed_at = self.clock.monotonic()
            seconds = closed_for if is_answered else closed_for + CALL_SECONDS
            if await self.store.write(gates.close_gate, *key, seconds, is_answered=is_answered):
                return claimed_at + MARGIN
            await self.sleep(1.0)

    async def _step(self, name: str, work: Awaitable[T]) -> T:
        begins, problem, kind = self.clock.monotonic(), "", ""
        try:
            done = await work
        except (errors.ProviderError, TimeoutError) as failed:
            error = errors.UnknownOutcome("no end in time") if isinstance(failed, TimeoutError) else failed
            problem, kind = explain_failure(error), type(error).__name__
            raise error from None
        finally:
            took = self.clock.monotonic() - begins
            self.steps.append((name.partition(f" {STEM}")[0], round(took, 1), kind))
            if problem:
                self.tell(f"BAD  {name}: {problem}")
        said = f" ({done})" if isinstance(done, str) else ""
        self.tell(f"ok   {name}{said}, {took:.1f} s")
        return done

    # -- the report -----------------------------------------------------------------------------------------

    def facts(self) -> list[tuple[Assumption, Verdict]]:
        """Return every assumption about the provider, and whether this trial confirmed it."""
        seen = self.http.exchanges
        return [(one, one.judge(seen)) for one in load_assumptions(self.provider.kind)]

    def report(self, server: str) -> str:
        """Return a report that is safe to publish: without names, URLs or anything that the user typed."""
        return json.dumps(
            {
                "usher": version("usher-bot"),
                "python": platform.python_version(),
                "provider": self.provider.kind,
                "version": "".join(_VERSION_PATTERN.findall(server)[:1]),
                "steps": [
                    {"step": name, "seconds": took, "error": error} for name, took, error in self.steps
                ],
                "facts": {one.name: {"basis": one.basis, "seen": seen} for one, seen in self.facts()},
            },
            indent=2,
        )


def _ran_or_failed(seen: Observed) -> bool:
    if seen.state is State.FAILED:
        raise errors.Conflict("it failed: " + format_plain(seen.reason or seen.detail or "no reason given"))
    return seen.state is State.RUNNING


def fill_form(asking: facets.Forms[Any], offer: Any, purpose: Purpose, given: Mapping[str, str]) -> Spec:
    """Fill in a form with the given values. Fill the other fields with their minimums or defaults.

    Raise NotDone if the form doesn't accept the values.
    """
    values: dict[str, Value] = {**given}
    form = Form(())
    while form != (form := asking.form(offer, purpose, values, NO_PRINCIPAL)):
        values |= {one.name: _least(one) for one in form.fields if one.name not in given}
    try:
        return asking.spec(offer, purpose, values, NO_PRINCIPAL)
    except FormProblems as wrong:
        said = "; ".join(f"{flag_name(name)}: {problem}" for name, problem in wrong.problems.items())
        raise NotDone(f"The form for a {purpose} isn't filled. {said} Use --set NAME=VALUE.") from None


def _least(field: Field) -> Value:
    if field.name == "size" and field.choices:
        # Servers list their smallest size first. The trial announces which size it has chosen.
        return field.choices[0].value
    if field.kind == "number" and field.minimum and not field.optional:
        return f"{field.minimum:g}"
    if field.initial or field.optional or not field.choices:
        return field.initial
    return field.choices[0].value

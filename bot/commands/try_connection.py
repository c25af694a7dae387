"""The command that tries a connection with an operator's own account."""

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from getpass import getpass
from pathlib import Path

from pydantic import SecretStr

from bot.commands import complain, interrupt_at_once, read, with_store
from bot.commands.trial import Trial, TrialRecord
from bot.domain.audit import AuditEntry
from bot.messages.texts.refusals import explain_refusal
from bot.providers import build, list_secrets
from bot.providers.assumptions import RecordingHttp
from bot.providers.base import Access, Credential, Identity, Provider
from bot.providers.facets import Impersonation, Removal, Revocation, Tokens
from bot.services.checks import explain_failure
from bot.services.linking import refuse_foreign_token
from bot.store import audit
from bot.store.store import Store
from bot.support.clock import SystemClock
from bot.support.errors import NotDone, ProviderError
from bot.support.logs import Redactor, configure

Ask = Callable[[str], str]


def try_connection(arguments: argparse.Namespace) -> int:
    """Run a trial of a connection, and report which assumptions about its provider were confirmed."""
    # Problems with the Slack settings don't matter here, because nothing is sent to Slack.
    reading, connections, problems = read()
    settings, chosen = reading.settings, connections.get(arguments.connection or "")
    if chosen is None or "USHER_DATABASE_URL" in reading.wrong:
        beside = [problem for problem in problems if not problem.startswith("SLACK_")]
        problem = f"There's no connection {arguments.connection}." if arguments.connection else "Name one."
        problem += f" There are: {', '.join(sorted(connections))}."
        complain(problem if connections else "No connection is set up here.", *beside)
        return 2
    if (report := arguments.report) is not None:
        place = report if report.exists() else report.absolute().parent
        if report.is_dir() or not os.access(place, os.W_OK):
            complain(f"{report.absolute()} can't be written. Name a file in a folder of yours.")
            return 2
    ask = interrupt_at_once(input)
    ask_secret = interrupt_at_once(getpass if sys.stdin.isatty() else input)

    def hide(secret: str) -> None:
        known = [*settings.secrets(), *list_secrets(connections), secret]
        configure(settings.log_level, Redactor(known))

    async def run(store: Store) -> int:
        await store.migrate()
        clock = SystemClock()
        async with RecordingHttp.new_session(settings.proxy()) as session:
            http = RecordingHttp(session, clock.monotonic)
            provider = build(chosen, http)
            record = TrialRecord(Path(f"usher-try-{chosen.name}.json"))
            # Written to the audit log before any call is made, because calls may use an administrator's
            # token.
            began = AuditEntry("operator", "trial.begin", chosen.name, "sent", {"connection": chosen.name})
            await store.write(audit.append_audit, [began])
            access = await access_of(provider, ask, ask_secret, hide)
            try:
                trial = Trial(provider, http, store, clock, record, access)
                return await tried(trial, arguments, ask)
            finally:
                await give_back(provider, access)

    try:
        return with_store(settings, run, may_be_new=True)
    except EOFError:
        raise NotDone("The answers ended before the questions, so nothing was done.") from None


async def access_of(provider: Provider, ask: Ask, ask_secret: Ask, hide: Callable[[str], None]) -> Access:
    """Ask which account to use. Anything that the user types is kept only in memory."""
    title = provider.settings.title
    try:
        if provider.has_link_method("none"):
            return Access("", Credential.for_connection("none"))
        if isinstance(provider, Tokens) and provider.has_link_method("token"):
            guide = provider.token_help()
            print("\n".join(guide.steps).replace(f"Press Open {title}", f"Open {guide.url}"))
            token = provider.clean_token(ask_secret(f"Your token on {title} (it isn't stored): "))
            if (foreign := refuse_foreign_token(token, title, [provider])) is not None:
                raise NotDone(explain_refusal(foreign))
            hide(token)
            identity: Identity = await provider.check_credential(Credential(SecretStr(token)))
        else:
            username = ask(f"Your username on {title}: ").strip()
            identity = await provider.require_facet(Impersonation).check_username(username)
    except ProviderError as failed:
        raise NotDone(f"{title} doesn't accept that: {explain_failure(failed)}") from None
    return Access(identity.username, identity.credential)


async def give_back(provider: Provider, access: Access) -> None:
    """Delete the token that Usher created in exchange for the pasted one, if it did."""
    if not isinstance(provider, Revocation) or not provider.can_revoke(access.credential):
        return
    try:
        await provider.revoke(access)
    except ProviderError as failed:
        title = provider.settings.title
        print(f"A token called Usher is left on {title}: {explain_failure(failed)}. Delete it there.")


async def tried(trial: Trial, arguments: argparse.Namespace, ask: Ask) -> int:
    """Clean up after an earlier trial, ask for consent to a new one, run it, and return the exit status."""
    provider, record, title = trial.provider, trial.record, trial.provider.settings.title
    if record.made:
        print("Putting away what an earlier trial left.")
        if not await trial.put_away():
            return 1
    try:
        plans = await trial.plan(dict(arguments.set))
    except ProviderError as failed:
        raise NotDone(f"{title} doesn't say what can be made: {explain_failure(failed)}") from None
    ends = "stop and remove" if isinstance(provider, Removal) else "stop"
    does = f"make, look at, and {ends}" if plans[0].key else "start, look at, and stop again"
    print(f"On {title}, this will {does}:")
    for made in plans:
        chosen = ", ".join(f"{name} {value}" for name, value in made.spec.chosen.items() if value)
        print(f"  a {made.purpose} called {made.spec.name}" + (f", with {chosen}" if chosen else ""))
    print(f"It costs what {title} charges for some minutes of that. Nothing else is touched.")
    if not arguments.yes and ask("Type yes to go on: ").strip().casefold() != "yes":
        print("Nothing was made.")
        return 1
    went_well = await trial.play(plans)
    server = ""
    # Report what the trial did even if the server no longer responds.
    with suppress(ProviderError):
        server = await provider.probe()
    found = trial.facts()
    for one, seen in found:
        print(f"{one.basis:10}  {seen:14}  {one.name}: {one.says}")
    if arguments.report is not None:
        arguments.report.write_text(trial.report(server), encoding="utf-8")
        print(
            f"Written: {arguments.report}. It holds versions, steps and facts: no names, addresses, secrets."
        )
    return 0 if went_well and all(seen != "seen otherwise" for _, seen in found) else 1

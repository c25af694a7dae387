"""The store in domain terms: one schema, one ``queries.sql``; engines differ, semantics don't.

Each method is one transaction, atomic and durable when it returns, or several of them (``several``).
A method's promise is documented on the function that implements it. All raise StoreBusy if they couldn't
commit in time (2 s for work that a person waits for, 10 s for the rest; rolled back, nothing has or will
happen) and StoreUnavailable if the database can't be used. ``interaction`` is the inbox key of a person's
action ("" for none): its row is written in the same transaction, and a method that finds it already there
changes nothing and says so.
"""

from collections.abc import Callable, Coroutine, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

from bot.domain.people import Person, Principal
from bot.store import accounts as accounts_
from bot.store import (
    audit,
    cards,
    classes,
    gates,
    hours,
    notices,
    operations,
    people,
    schema,
    slack,
    tasks,
    timers,
    transaction,
    upkeep,
)
from bot.store import runs as runs_
from bot.store import workspaces as workspaces_
from bot.store.transaction import Engine, Priority, Transaction, Work

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class OnEngine:
    """Hold the engine that the methods' transactions run on."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    async def carry_out(self, work: Work[Result]) -> Result:
        """Run what a person asks for (``bot.services.context``) in one transaction, while they wait."""
        return await transaction.written(lambda whole: self.engine.write(whole, Priority.URGENT), work)


def read(
    work: Callable[Concatenate[Transaction, Arguments], Result], priority: Priority = Priority.URGENT
) -> Callable[Concatenate[OnEngine, Arguments], Coroutine[Any, Any, Result]]:
    """Return the method for read-only work, on one snapshot of the database."""

    @wraps(work)
    async def method(self: OnEngine, /, *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        return await self.engine.read(lambda tx: work(tx, *arguments, **named), priority)

    return method


def write(
    work: Callable[Concatenate[Transaction, Arguments], Result], priority: Priority = Priority.STEADY
) -> Callable[Concatenate[OnEngine, Arguments], Coroutine[Any, Any, Result]]:
    """Return the method for work that writes; it is durable when the method returns."""

    @wraps(work)
    async def method(self: OnEngine, /, *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        return await transaction.written(
            lambda whole: self.engine.write(whole, priority), lambda tx: work(tx, *arguments, **named)
        )

    return method


def several(
    work: Callable[Concatenate[Engine, Arguments], Coroutine[Any, Any, Result]],
) -> Callable[Concatenate[OnEngine, Arguments], Coroutine[Any, Any, Result]]:
    """Return the method for work in several transactions, or in one whose arguments the engine knows."""

    @wraps(work)
    async def method(self: OnEngine, /, *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        return await work(self.engine, *arguments, **named)

    return method


class Store(OnEngine):
    """Keep everything that must outlive the process, in the database of an engine."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._people = people.PeopleCache(engine.now)

    # -- the process -----------------------------------------------------------------------------------------

    async def migrate(self) -> list[str]:
        """Bring the schema up to date; return what ran. Raise StoreTooNew, StoreUnreleased or StoreInUse."""
        return await self.engine.migrate()

    async def begin_serving(self) -> list[str]:
        """Serve from this database; return what was migrated. Raise as ``migrate``, and StoreOutdated."""
        return await schema.begin_serving(self.engine, upkeep.refuse_outdated)

    beat = several(schema.note_beat)

    async def now(self) -> float:
        """Return the store's epoch seconds, never going back within a process."""
        return self.engine.now()

    async def close(self) -> None:
        """Finish what is queued and close the database."""
        await self.engine.close()

    own = write(tasks.own)
    renew_owned = write(tasks.renew, Priority.URGENT)
    disown = write(tasks.disown)
    disown_all = write(tasks.disown_all, Priority.URGENT)
    owned = read(tasks.owned, Priority.STEADY)
    is_worked = read(tasks.is_worked, Priority.STEADY)
    statistics = read(upkeep.statistics, Priority.STEADY)
    figures = read(upkeep.figures, Priority.STEADY)
    try_writing = write(upkeep.try_writing, Priority.URGENT)
    did_daily = write(upkeep.did_daily)
    mark = write(upkeep.mark)
    unmark = write(upkeep.unmark)
    outdated = read(upkeep.outdated)
    last_did = read(upkeep.last_did, Priority.STEADY)
    migrated = read(upkeep.migrated, Priority.STEADY)
    schema_changes = read(upkeep.schema_changes, Priority.STEADY)
    sweep = several(upkeep.sweep)

    # -- inbox, people, audit, outages -----------------------------------------------------------------------

    save_signatures = write(slack.save)
    saved_signatures = read(slack.saved)

    async def person(self, principal: Principal) -> Person | None:
        """Return what is known of a person."""
        found = self._people.find(principal)
        if found is None:
            mark = self._people.mark
            found = await self.engine.read(lambda tx: people.person(tx, principal))
            self._people.keep(found, mark)
        return found

    async def zone(self, principal: Principal) -> ZoneInfo:
        """Return the time zone that a person has in Slack."""
        return people.zone_in(await self.person(principal))

    async def save_people(self, people_: Sequence[Person]) -> None:
        """Write people; the newer ``seen_at`` wins."""

        def save(tx: Transaction) -> None:
            people.save(tx, people_)
            hours.seen_in(tx, people_)

        try:
            await self.engine.write(save)
        finally:
            self._people.forget()

    has_met = read(people.has_met)
    meet = write(people.meet, Priority.URGENT)
    append_audit = write(audit.append_audit, Priority.URGENT)
    audit_entries = read(audit.entries, Priority.STEADY)
    audit_head = read(audit.head, Priority.STEADY)
    audit_anchor = read(audit.anchor, Priority.STEADY)
    leave_to_archive = write(audit.leave_to_archive)
    verify_audit = several(audit.verify)
    outages = read(tasks.current_outages, Priority.STEADY)
    begin_outage = write(tasks.begin)
    end_outage = write(tasks.end)
    silent = write(tasks.silent)
    answered = write(tasks.answered)
    reached = read(tasks.reached, Priority.STEADY)
    pauses = read(tasks.current_pauses, Priority.STEADY)
    note_pauses = write(tasks.note)

    # -- links, accounts, browsers ---------------------------------------------------------------------------

    link = read(accounts_.link)
    open_link_of = read(accounts_.open_of)
    account = read(accounts_.account)
    account_by_id = read(accounts_.by_id)
    accounts = read(accounts_.all_of)
    account_states = read(accounts_.states_of)
    accounts_of = read(accounts_.acting_as)
    active_accounts = read(accounts_.active, Priority.STEADY)
    owed_revocations = read(accounts_.owed, Priority.STEADY)
    forgotten_accounts = read(accounts_.forgotten)
    reseal_account = write(accounts_.reseal)
    uses = read(upkeep.uses)
    holders = read(accounts_.holders, Priority.STEADY)
    save_secret = write(accounts_.save_secret)
    suspect_account = write(accounts_.suspect)
    suspects = read(accounts_.suspects, Priority.STEADY)
    claim_probe = write(accounts_.claim_probe)
    count_refusal = write(accounts_.count)
    trust_account = write(accounts_.accept)
    suspicion_totals = read(accounts_.totals, Priority.STEADY)
    approval = read(accounts_.approval)
    page_rows = read(accounts_.page_rows)
    keep_browser_session = write(accounts_.keep_session, Priority.URGENT)
    end_browser_sessions_at = write(accounts_.end_sessions_at, Priority.URGENT)

    # -- workspaces ------------------------------------------------------------------------------------------

    workspaces = read(workspaces_.all_of)
    workspace = read(workspaces_.workspace)
    ending = read(workspaces_.ending)
    claim_timers = write(timers.claim, Priority.CLAIMS)
    look_at_timer = write(timers.look)
    timer_warned = write(timers.warned)
    end_timer = write(timers.end)
    due_reminders = read(accounts_.due)
    reminder_done = write(accounts_.done)
    settle_timer = write(timers.settle)
    claim_running = write(workspaces_.claim_running, Priority.CLAIMS)
    claim_hours = write(hours.claim, Priority.CLAIMS)
    look_at_hours = write(hours.look)
    rules = read(hours.of_person)
    rules_of = read(hours.of_workspace)
    spoken = read(people.spoken)
    speak = write(people.speak, Priority.URGENT)
    preferences = read(people.of)
    hear = write(workspaces_.hear)
    save_entry = write(workspaces_.save_entry)
    save_snapshot = write(tasks.save)
    snapshot = read(tasks.snapshot)
    remember = write(tasks.remember, Priority.URGENT)
    remembered = read(tasks.remembered)
    merge_discovered = several(workspaces_.merge)

    # -- operations, creations, the poll gate ----------------------------------------------------------------

    operation = read(operations.operation)
    latest_operation = read(operations.latest)
    creation_of = read(operations.creation_of)
    open_operations = read(operations.open_ones)
    refusals = read(upkeep.refusals)
    claim_operations = write(operations.claim, Priority.CLAIMS)
    save_step = write(operations.save)
    renew = write(workspaces_.renew)
    name_created = write(workspaces_.name_made)
    unexplained = read(workspaces_.unexplained, Priority.STEADY)
    read_soon = write(workspaces_.read_soon)
    claim_reads = write(gates.claim, Priority.CLAIMS)
    close_candidate = write(gates.close_candidate, Priority.URGENT)
    close_gate = write(gates.close, Priority.URGENT)
    record_reads = several(gates.record)

    # -- runs of jobs ----------------------------------------------------------------------------------------

    unexplained_runs = read(runs_.unexplained)
    run = read(runs_.run)
    runs = read(runs_.all_of)
    claim_runs = write(runs_.claim, Priority.CLAIMS)
    claim_runs_of = write(runs_.claim_of, Priority.CLAIMS)
    save_run_step = write(runs_.save)
    watched_runs = read(runs_.watched, Priority.STEADY)
    output_done = write(runs_.output_done)
    merge_runs = several(runs_.merge)

    # -- class cards -----------------------------------------------------------------------------------------

    class_card = read(classes.card)
    participant = read(classes.press_of)
    class_counts = read(classes.counts, Priority.STEADY)
    claim_class_cards = write(classes.claim, Priority.CLAIMS)
    class_counted = write(classes.counted)
    presses_to_warn = read(classes.to_warn, Priority.STEADY)
    class_warned = write(classes.warned)
    presses_to_stop = read(classes.to_stop, Priority.STEADY)
    stop_for_class = write(classes.stop)
    finish_class = write(classes.finish)
    class_of_stop = read(classes.of_stop, Priority.STEADY)

    # -- Homes -----------------------------------------------------------------------------------------------

    claim_wanted_homes = write(people.claim_wanted, Priority.CLAIMS)
    claim_homes_to_look_at = write(people.claim_looks, Priority.CLAIMS)
    home_published = write(people.published)
    home_retry = write(people.retry)
    home_rest = write(people.rest)
    is_news_waiting = read(people.is_news_waiting, Priority.STEADY)
    asked_approvals = read(accounts_.asked_ones)
    asked_approvals_of = read(accounts_.asked_of)
    totals = read(upkeep.of_all, Priority.STEADY)

    # -- notices, cards, Slack, tasks ------------------------------------------------------------------------

    add_notices = write(notices.add_notices, Priority.URGENT)
    claim_notices = write(notices.claim, Priority.CLAIMS)
    are_edits_waiting = read(cards.are_waiting)
    notice_sent = write(notices.sent)
    notices_not_sent = write(notices.not_sent)
    notice_retry = write(notices.retry)
    release_notices = write(notices.release)
    is_end_sent = read(notices.is_end_sent)
    notice_dead = write(notices.dead)
    held_notices = read(notices.held)
    dead_notices = read(notices.dead_ones, Priority.STEADY)
    reply_to = read(notices.reply_to)
    known_channel = read(notices.known_channel)
    claim_cards = write(cards.claim, Priority.CLAIMS)
    card_updated = write(cards.updated)
    card_retry = write(cards.retry)
    card_lost = write(cards.lost)
    unplace_card = write(cards.unplace)
    card = read(cards.card)
    take_slack_call = write(slack.take, Priority.URGENT)
    slack_calls_made = read(slack.made)
    pause_slack_method = write(slack.pause, Priority.URGENT)
    install = write(slack.install, Priority.URGENT)
    installations = read(slack.all_of)
    remove_installation = write(slack.remove, Priority.URGENT)
    claim_renewal = write(slack.claim_renewal, Priority.URGENT)
    renew_installation = write(slack.renew, Priority.URGENT)
    lose_token = write(slack.lose, Priority.URGENT)
    reseal_installation = write(slack.reseal)
    use_oauth_state = write(slack.use_state, Priority.URGENT)
    add_tasks = write(tasks.add_tasks, Priority.URGENT)
    claim_tasks = write(tasks.claim, Priority.CLAIMS)
    task_turn = read(tasks.turn)
    task_done = write(tasks.done)
    task_retry = write(tasks.retry)

"""The store in domain terms: one schema, the same statements; engines differ, semantics don't.

Each method is one transaction, atomic and durable when it returns, or several of them (``several``).
A method's promise is documented on the function that implements it. All raise StoreBusy if they couldn't
commit in time (2 s for work that a person waits for, 10 s for the rest; rolled back, nothing has or will
happen) and StoreUnavailable if the database can't be used. ``interaction`` is the inbox key of a person's
action ("" for none): its row is written in the same transaction, and a method that finds it already there
changes nothing and says so.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

from bot.domain.people import Person, Principal
from bot.store import accounts as accounts_
from bot.store import (
    acts,
    approvals,
    audit,
    browsers,
    budget,
    cards,
    classes,
    conversations,
    counts,
    creations,
    credentials,
    discovered,
    due_work,
    forms,
    gates,
    handovers,
    homes,
    hours,
    inbox,
    links,
    notices,
    operations,
    owners,
    people,
    pieces,
    refusals,
    revocations,
    schema,
    signatures,
    snapshots,
    sweeping,
    tasks,
    transaction,
    upkeep,
    waits,
)
from bot.store import channels as channels_
from bot.store import errands as errands_
from bot.store import installations as installations_
from bot.store import outages as outages_
from bot.store import pauses as pauses_
from bot.store import preferences as preferences_
from bot.store import runs as runs_
from bot.store import workspaces as workspaces_
from bot.store.hooks import StoreHooks
from bot.store.transaction import Engine, Priority, Transaction, Work

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class OnEngine:
    """Hold the engine that the methods' transactions run on."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    async def carry_out(self, work: Work[Result]) -> Result:
        """Run what a person asks for (``bot.services.asked``) in one transaction, while they wait."""
        return await transaction.written(lambda whole: self.engine.write(whole, Priority.URGENT), work)

    async def claim_due(self, work: Work[Result]) -> Result:
        """Run a claim of what is due in one transaction, after what people wait for."""
        return await self.engine.write(work, Priority.CLAIMS)


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


def claim(
    work: Callable[Concatenate[Transaction, Arguments], Result | None],
) -> Callable[Concatenate[OnEngine, Arguments], Coroutine[Any, Any, Result]]:
    """Return the method for a claim that returns None, and is repeated, while there is more to do first."""

    @wraps(work)
    async def method(self: OnEngine, /, *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        def whole(tx: Transaction) -> Result | None:
            return work(tx, *arguments, **named)

        while (claimed := await self.engine.write(whole, Priority.CLAIMS)) is None:
            pass
        return claimed

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
        """Bring the schema up to date; return what ran. Raise what the engine raises."""
        return await self.engine.migrate()

    async def begin_serving(self) -> list[str]:
        """Serve from this database; return what was migrated. Raise as ``migrate``, and StoreOutdated."""
        return await schema.begin_serving(self.engine, upkeep.refuse_outdated)

    beat = several(schema.beat)

    async def now(self) -> float:
        """Return the store's epoch seconds, never going back within a process."""
        return self.engine.now()

    async def close(self) -> None:
        """Finish what is queued and close the database."""
        await self.engine.close()

    own = write(owners.own)
    renew_owned = write(owners.renew_owned, Priority.URGENT)
    disown = write(owners.disown)
    disown_all = write(owners.disown_all, Priority.URGENT)
    owned = read(owners.owned, Priority.STEADY)
    is_worked = read(owners.is_worked, Priority.STEADY)
    statistics = several(counts.statistics)
    figures = several(counts.figures)
    try_writing = write(upkeep.try_writing, Priority.URGENT)
    did_daily = write(upkeep.did_daily)
    mark = write(upkeep.mark)
    unmark = write(upkeep.unmark)
    outdated = read(upkeep.outdated)
    last_did = read(upkeep.last_did, Priority.STEADY)
    problem_with = read(upkeep.problem_with, Priority.STEADY)
    count_overdue = read(due_work.count_overdue, Priority.STEADY)
    find_next_due = read(due_work.find_next_due, Priority.STEADY)
    migrated = read(schema.migrated, Priority.STEADY)
    schema_changes = read(schema.schema_changes, Priority.STEADY)
    sweep = several(sweeping.sweep)
    failover = read(upkeep.failover, Priority.STEADY)

    # -- inbox, people, audit, outages -----------------------------------------------------------------------

    save_signatures = write(signatures.save_signatures)
    saved_signatures = read(signatures.saved_signatures)
    resolve_key = write(inbox.resolve_key, Priority.URGENT)
    mark_answered = write(inbox.mark_answered, Priority.URGENT)
    was_answered = read(inbox.was_answered)

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

        def save(tx: Transaction, some: Sequence[Person]) -> None:
            people.save(tx, some)
            for hooks in StoreHooks.list_subscribers():
                hooks.on_people_saved(tx, some)

        try:
            for first in range(0, len(people_), pieces.PIECE):
                await self.engine.write(partial(save, some=people_[first : first + pieces.PIECE]))
        finally:
            self._people.forget()

    has_met = read(people.has_met)
    meet = write(people.meet, Priority.URGENT)
    append_audit = write(audit.append_audit, Priority.URGENT)
    audit_entries = read(audit.audit_entries, Priority.STEADY)
    audit_head = read(audit.audit_head, Priority.STEADY)
    verify_audit = several(audit.verify_audit)
    outages = read(outages_.outages, Priority.STEADY)
    begin_outage = write(outages_.begin_outage)
    end_outage = write(refusals.end_outage)
    silent = write(outages_.silent)
    # It locks a row that nobody holds for long: it takes no turn among those who decide.
    answered = write(outages_.answered, Priority.RECORDS)
    clear_silence = write(errands_.clear_silence)
    reached = read(outages_.reached, Priority.STEADY)
    pauses = read(pauses_.pauses, Priority.STEADY)
    note_pauses = write(pauses_.note_pauses)

    # -- links, accounts, browsers ---------------------------------------------------------------------------

    link = read(links.link)
    open_link_of = read(links.open_link_of)
    empty_links = several(links.empty_links)
    account = read(accounts_.account)
    account_by_id = read(accounts_.account_by_id)
    accounts = read(accounts_.accounts)
    account_states = read(accounts_.account_states)
    accounts_of = read(accounts_.accounts_of)
    active_accounts = several(accounts_.active_accounts)
    find_stale_lists = read(discovered.find_stale_lists, Priority.STEADY)
    find_lists_in_use = several(discovered.find_lists_in_use)
    owed_revocations = read(revocations.owed_revocations, Priority.STEADY)
    forgotten_accounts = read(credentials.forgotten_accounts)
    reseal_account = write(credentials.reseal_account)
    uses = read(counts.uses)

    def find_holders(self) -> AsyncIterator[set[Principal]]:
        """Yield the people with an account or hours, in batches; whoever has both comes twice."""
        return accounts_.find_holders(self.engine)

    save_secret = write(credentials.save_secret)
    held_accounts = read(refusals.held_accounts, Priority.STEADY)
    try_refused = write(refusals.try_refused)
    accept_again = write(refusals.accept_again)
    approval = read(approvals.approval)
    page_rows = read(browsers.page_rows)
    keep_browser_session = write(browsers.keep_browser_session, Priority.URGENT)
    end_browser_sessions_at = several(browsers.end_browser_sessions_at)

    # -- workspaces ------------------------------------------------------------------------------------------

    workspaces = several(workspaces_.workspaces)
    workspaces_called = read(workspaces_.workspaces_called)
    workspace = read(workspaces_.workspace)
    rules = read(hours.rules)
    rules_of = read(hours.rules_of)
    recent_acts = read(acts.recent_acts)
    acts_since = read(acts.acts_since)
    asker_of = read(acts.asker_of)
    spoken = read(conversations.spoken)
    speak = write(conversations.speak, Priority.URGENT)
    preferences = read(preferences_.preferences)
    hear = write(workspaces_.hear)
    save_entry = write(workspaces_.save_entry)
    save_snapshot = write(snapshots.save_snapshot)
    snapshot = read(snapshots.snapshot)
    remember = write(forms.remember, Priority.URGENT)
    remembered = read(forms.remembered)
    merge_discovered = several(discovered.merge_discovered)

    # -- operations, creations, the poll gate ----------------------------------------------------------------

    operation = read(operations.operation)
    shown_operation = read(operations.shown_operation)
    latest_operation = read(operations.latest_operation)
    creation_of = read(operations.creation_of)
    open_operations = read(operations.open_operations)
    refusals = read(counts.refusals)
    claim_operations = write(operations.claim_operations, Priority.CLAIMS)
    save_step = write(operations.save_step)
    renew = write(creations.renew)
    name_created = write(creations.name_created)
    unexplained = read(creations.unexplained, Priority.STEADY)
    make_due = write(gates.make_due)
    claim_reads = write(gates.claim_reads, Priority.CLAIMS)
    close_candidate = write(gates.close_candidate, Priority.URGENT)
    close_gate = write(gates.close_gate, Priority.URGENT)
    record_reads = several(gates.record_reads)

    # -- runs of jobs ----------------------------------------------------------------------------------------

    unexplained_runs = read(runs_.unexplained_runs)
    run = read(runs_.run)
    runs = read(runs_.runs)
    claim_runs = write(runs_.claim_runs, Priority.CLAIMS)
    claim_runs_of = write(runs_.claim_runs_of, Priority.CLAIMS)
    save_run_step = write(runs_.save_run_step)
    watched_runs = read(runs_.watched_runs, Priority.STEADY)
    output_grown = write(runs_.output_grown)
    output_done = write(runs_.output_done)
    merge_runs = several(runs_.merge_runs)

    # -- class cards -----------------------------------------------------------------------------------------

    class_card = read(classes.class_card)
    courses = read(classes.courses)
    ended_courses = read(classes.ended_courses)
    participant = read(classes.participant)
    class_problems = read(classes.class_problems, Priority.STEADY)
    class_counts = read(classes.class_counts, Priority.STEADY)
    counts_shown = read(classes.counts_shown, Priority.STEADY)
    class_of_stop = read(classes.class_of_stop, Priority.STEADY)
    member_of = read(classes.member_of, Priority.STEADY)
    waits_of = read(waits.waits_of)
    describe_wait = read(waits.describe_wait)

    # -- Homes -----------------------------------------------------------------------------------------------

    claim_wanted_homes = write(homes.claim_wanted_homes, Priority.CLAIMS)
    claim_homes_to_look_at = write(homes.claim_homes_to_look_at, Priority.CLAIMS)
    home_published = write(homes.home_published)
    home_retry = write(homes.home_retry)
    home_rest = write(homes.home_rest)
    has_notices = read(notices.has_notices, Priority.STEADY)
    is_news_waiting = read(notices.is_news_waiting, Priority.STEADY)
    asked_approvals = read(approvals.asked_approvals)
    asked_approvals_of = read(approvals.asked_approvals_of)
    totals = several(counts.totals)

    # -- notices, cards, Slack, tasks ------------------------------------------------------------------------

    add_notices = write(notices.add_notices, Priority.URGENT)
    claim_notices = claim(notices.claim_notices)
    notice_sent = write(notices.notice_sent)
    notices_not_sent = write(notices.notices_not_sent)
    claim_owed = write(notices.claim_owed, Priority.CLAIMS)
    notice_retry = write(notices.notice_retry)
    release_notices = several(notices.release_notices)
    is_address_shown = read(handovers.is_address_shown)
    end_state = read(notices.end_state)
    act_facts = read(acts.act_facts)
    notice_dead = write(notices.notice_dead)
    held_notices = read(notices.held_notices)
    dead_notices = read(notices.dead_notices, Priority.STEADY)
    reply_to = read(notices.reply_to)
    known_channel = read(notices.known_channel)
    claim_cards = write(cards.claim_cards, Priority.CLAIMS)
    card_updated = write(cards.card_updated)
    card_retry = write(cards.card_retry)
    queue_messages = write(cards.queue_messages)
    card_lost = write(notices.card_lost)
    unplace_card = write(cards.unplace_card)
    pause_card = write(cards.pause_card)
    card = read(cards.card)
    head_of = read(cards.head_of)
    find_cards_beside = read(cards.find_cards_beside)
    take_slack_call = write(budget.take_slack_call, Priority.URGENT)
    slack_calls_left = read(budget.slack_calls_left)
    pause_slack_method = write(budget.pause_slack_method, Priority.URGENT)
    install = write(installations_.install, Priority.URGENT)
    installations = read(installations_.installations)
    remove_installation = write(installations_.remove_installation, Priority.URGENT)
    claim_renewal = write(installations_.claim_renewal, Priority.URGENT)
    renew_installation = write(installations_.renew_installation, Priority.URGENT)
    lose_token = write(installations_.lose_token, Priority.URGENT)
    reseal_installation = write(installations_.reseal_installation)
    note_channel_change = write(channels_.note_channel_change)
    replace_channel_id = several(channels_.replace_channel_id)
    find_message_in_channel = read(channels_.find_message_in_channel)
    keep_place = write(installations_.keep_place, Priority.URGENT)
    find_other_enterprises = read(installations_.find_other_enterprises)
    keep_identity = write(installations_.keep_identity, Priority.URGENT)
    kept_identity = read(installations_.kept_identity)
    use_oauth_state = write(installations_.use_oauth_state, Priority.URGENT)
    add_tasks = write(tasks.add_tasks, Priority.URGENT)
    claim_tasks = write(tasks.claim_tasks, Priority.CLAIMS)
    task_turn = read(tasks.task_turn)
    task_done = write(tasks.task_done)
    task_retry = write(tasks.task_retry)
    go_on = several(pieces.go_on)

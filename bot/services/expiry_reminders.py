"""Reminders that a link will expire. Their due times are stored, so downtime only delays them."""

from typing import Final

from bot.domain.accounts import Account, find_due_reminder
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.tasks import TaskKind
from bot.providers import facets
from bot.services.accounts import refuse_account
from bot.services.caller import Caller
from bot.services.scheduled_work import CLAIM_LEASE_SECONDS, ScheduledWork
from bot.store import accounts
from bot.store.notices import add_notices
from bot.store.tables import ACCOUNTS
from bot.store.tasks import NewTask, add_tasks
from bot.store.transaction import Transaction

REMINDERS_PER_CLAIM: Final = 100


def _remind(tx: Transaction, caller: Caller, account: Account) -> None:
    """Send the reminder or, if possible, have the credential renewed. End an approved link that has expired.

    Whether the credential can be renewed is decided in a task, which may have to wait for the key that
    decrypts the credential.
    """
    context, now = caller.context, tx.now()
    assert account.expires_at is not None, "who is reminded of an end has one"
    occasion, next_at = find_due_reminder(account.expires_at, now)
    if not accounts.schedule_reminder(tx, account, next_at):
        return
    if occasion and account.connection in context.connections:
        if isinstance(context.connections[account.connection], facets.Minting):
            add_tasks(tx, [NewTask(TaskKind.RENEW_CREDENTIAL, account.id)])
        else:
            add_notices(tx, [build_link_reminder(account, occasion)])
    if account.is_approved and account.has_ended(now):
        # An approval's expiry means nothing to the provider, so Usher ends the link itself.
        refuse_account(tx, account, "approval_ended")


def remind_again(tx: Transaction, account_id: str) -> None:
    """Remind a person to link again, because their credential couldn't be renewed."""
    account = accounts.find_account_by_id(tx, account_id)
    if account is not None and account.state == "active" and account.expires_at is not None:
        occasion, _ = find_due_reminder(account.expires_at, tx.now())
        add_notices(tx, [build_link_reminder(account, occasion)] if occasion else [])


def build_link_reminder(account: Account, occasion: str) -> NewNotice:
    """Return the notice that an account's link will expire."""
    body = {"connection": account.connection, "username": account.username, "expires_at": account.expires_at}
    # The occasion includes the expiry time, because renewing the account's credential changes that time.
    when = f"{occasion}:{account.expires_at:.0f}"
    return NewNotice(account.id, NoticeKind.LINK_EXPIRY, when, account.principal, body)


REMINDERS: Final = ScheduledWork(
    name="reminder",
    claim=lambda tx, _: ACCOUNTS.parse_all(
        accounts.REMINDER_QUEUE.take(tx, CLAIM_LEASE_SECONDS, REMINDERS_PER_CLAIM)
    ),
    carry_out=_remind,
)

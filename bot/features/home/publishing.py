"""Publishing of Homes: at once for people who use theirs, later for changes nobody asked about.

A view that nobody asked for waits for every message that somebody waits for, leaves presses their share of
the budget, and carries the version that it replaces, so that it never overwrites a newer one. Slack
says only when a Home is opened; marking Homes wherever a row changes would leave one untrue as soon as a
place forgot to.
"""

from dataclasses import replace
from functools import partial
from typing import Any, Final

import structlog

from bot.domain.plan import backoff
from bot.features.home import messages as home_blocks
from bot.features.home import store as home_rows
from bot.features.home import texts as home_words
from bot.features.home.model import Home
from bot.features.home.use_cases import HomeGatherer
from bot.messages.blocks import plain
from bot.messages.blocks.replies import with_slash_commands
from bot.services.caller import Caller, build_refusal
from bot.services.context import Context
from bot.services.message_context import Gatherer
from bot.slack import methods
from bot.slack.calls import AnySlack
from bot.slack.errors import Meaning, classify, find_retry_delay, is_content_refused
from bot.slack.notifier.timing import Timing
from bot.store import notices
from bot.support import errors
from bot.support.pool import Pool, contain_errors, count_free_slots, run_all

log = structlog.get_logger(__name__)


#: The share of the budget of views.publish for views that nobody asked for; presses have the rest.
HOME_SHARE: Final = 0.7
#: How many Homes are checked at a step although nobody asked, five times a second: this bounds the cost.
MAX_CHECKED: Final = 4


class HomeViews:
    """The publisher of Homes that are due, then of those that changed.

    In memory: which Homes couldn't be drawn. Several processes: what is due is claimed.
    """

    def __init__(self, context: Context, slack: AnySlack, gatherer: Gatherer, timing: Timing) -> None:
        self._store = context.store
        self._slack = slack
        self._context = context
        self._gatherer = HomeGatherer(context, gatherer)
        self._command, self._job_command = context.command, context.job_command
        self._ids = context.ids
        self._timing = timing
        #: The references under which Homes that can't be drawn were logged, by their person.
        self._failure_references: dict[str, str] = {}

    async def step(self, pool: Pool | None = None) -> int:
        """Publish the Homes that people wait for, else check some open ones; return their number."""
        most = count_free_slots(pool, self._timing.batch)
        if most <= 0:
            return 0
        views = self._slack.get_quota(methods.VIEWS_PUBLISH)
        # Shorter than a notice's: publishing twice does no harm, and somebody is looking at an old view.
        homes = await self._store.claim(
            home_rows.claim_wanted_homes, most, 2 * self._timing.send_timeout, views
        )
        homes = homes or await self._claim_open(most)
        await run_all([self._publish_isolated(one) for one in homes], pool)
        return len(homes)

    async def _claim_open(self, most: int) -> list[Home]:
        """Claim Homes that nobody waits for, unless other messages are waiting."""
        # What Slack wouldn't accept now doesn't hold up Homes, whose budget is separate.
        is_news = await self._store.read(
            notices.is_news_waiting,
            notices=self._slack.get_quota(methods.CHAT_POST_MESSAGE),
            cards=self._slack.get_quota(methods.CHAT_UPDATE),
        )
        if is_news:
            return []
        views = self._slack.get_quota(methods.VIEWS_PUBLISH)
        return await self._store.claim(home_rows.claim_open_homes, min(most, MAX_CHECKED), views, HOME_SHARE)

    async def _publish_isolated(self, one: Home) -> None:
        # Publishing twice does no harm.
        back, failed = (
            partial(self._postpone, one, 0.0),
            partial(self._store.write, home_rows.stop_redrawing, one),
        )
        async with contain_errors("home", self._ids, back=back, failed=failed, principal=one.principal.key):
            try:
                await self._publish_home(one)
            except errors.SlackFailed as error:
                seconds = find_retry_delay(error, backoff(3, 0.5))
                if seconds is not None:
                    await self._postpone(one, seconds)
                elif classify(error) is Meaning.STALE:
                    # Somebody has published a newer one, which isn't known here.
                    await self._store.write(home_rows.record_published, one, "", "")
                else:
                    log.info("home not published", principal=one.principal.key, problem=error.code)
                    await self._store.write(home_rows.stop_redrawing, one)

    async def _publish_home(self, one: Home) -> None:
        is_wanted = one.requested_at is not None
        if not is_wanted and one.is_over(await self._store.now()):
            await self._store.write(home_rows.stop_redrawing, one)
            return
        try:
            view = await self._render(one, is_wanted=is_wanted)
            if not is_wanted and one.is_statement and home_blocks.digest(view) != one.rendered_digest:
                # What was said about the last press may no longer be true.
                view = await self._render(replace(one, answer=None), is_wanted=False)
        except errors.NotIdentified:
            # Asked again at the next look, as long as the Home is open.
            view = self._add_slash_commands(home_blocks.render_sentence(home_words.NOT_KNOWN))
        except errors.Refused as refusal:
            view = self._add_slash_commands(home_blocks.render_sentence(refusal.text))
        except errors.StoreError:
            raise
        except Exception:
            reference = self._failure_references.get(one.principal.key)
            if reference is None:
                reference = self._failure_references[one.principal.key] = self._ids.reference()
                log.exception("home failed", principal=one.principal.key, reference=reference)
            # It isn't drawn again before its person uses it, unless Slack accepts this view only later.
            if one.requested_at is not None:
                sentence = home_words.UNDRAWN.format(reference=reference)
                await self._publish(one, home_blocks.render_sentence(sentence))
            await self._store.write(home_rows.stop_redrawing, one)
            return
        self._failure_references.pop(one.principal.key, None)
        await self._publish(one, view)

    async def _render(self, one: Home, *, is_wanted: bool) -> dict[str, Any]:
        """Render a Home from the rows as they are; raises Refused if the policy refuses the person."""
        caller = Caller(self._context, one.principal)
        if is_wanted:
            await caller.authorise("home")
        elif not (decision := await caller.decide("home")).allowed:
            # Nobody did anything, so nothing goes into the audit.
            raise build_refusal(decision, "home")
        if one.is_totals and (await caller.decide("totals")).allowed:
            return self._add_slash_commands(home_blocks.render_totals(await self._gatherer.totals(one)))
        return self._add_slash_commands(home_blocks.render_home(await self._gatherer.own(one)))

    def _add_slash_commands(self, view: dict[str, Any]) -> dict[str, Any]:
        """Return a Home whose hints work there: people can type only slash commands next to it."""
        return with_slash_commands(view, self._command, self._job_command)

    async def _publish(self, one: Home, view: dict[str, Any]) -> None:
        rendered_digest, view_hash = home_blocks.digest(view), one.view_hash
        is_wanted = one.requested_at is not None
        if rendered_digest != one.rendered_digest:
            message: dict[str, Any] = {"user_id": one.principal.user_id, "view": view}
            if not is_wanted and one.rendered_digest and view_hash:
                message["hash"] = view_hash
            slack, share = self._slack.find_client(one.principal), 1.0 if is_wanted else HOME_SHARE
            try:
                answer = await slack.call(methods.VIEWS_PUBLISH, message, share=share)
            except errors.SlackPermanent as error:
                message["view"] = plain.make_plain_view(view)
                if not is_content_refused(error) or message["view"] == view:
                    raise
                log.warning("slack refused a home", principal=one.principal.key, problem=error.code)
                answer = await slack.call(methods.VIEWS_PUBLISH, message, share=share)
            view_hash = str((answer.data.get("view") or {}).get("hash") or "")
        elif not is_wanted:
            return
        await self._store.write(home_rows.record_published, one, rendered_digest, view_hash)

    async def _postpone(self, one: Home, seconds: float) -> None:
        if one.is_over(await self._store.now()):
            await self._store.write(home_rows.stop_redrawing, one)
        else:
            await self._store.write(home_rows.schedule_retry, one, seconds)

"""People: the inbox, who they are, what they want to hear, what was spoken of, and their Homes."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final
from zoneinfo import ZoneInfo

from bot.domain.moments import zone_of
from bot.domain.notices import NewNotice, News, NoticeKind, Spoken, is_wanted
from bot.domain.people import OPEN_SECONDS, REDRAW_SECONDS, Home, HomeUse, Person, Preferences, Principal
from bot.domain.policy import is_current
from bot.domain.runs import RunState
from bot.store import tables, transaction
from bot.store.transaction import Transaction


def first_sight(tx: Transaction, interaction: str, said_at: float | None = None) -> bool:
    """Write an inbox row; return whether it was new. An empty interaction is always new.

    ``said_at`` is when it was said, if that is known. Raises UsedTwice if the same request wrote it.
    """
    if not interaction:
        return True
    transaction.use(interaction)
    return tables.INBOX.add_new(tx, key=interaction, seen_at=tx.now(), result="", said_at=said_at)


def was_seen(tx: Transaction, interaction: str) -> bool:
    """Return whether an interaction has an inbox row."""
    return bool(interaction) and tables.INBOX.row(tx, key=interaction) is not None


def result_of(tx: Transaction, interaction: str) -> str:
    """Return the id of what an interaction created, "" if none was kept."""
    row = tables.INBOX.row(tx, key=interaction)
    return str(row["result"]) if row else ""


def keep_result(tx: Transaction, interaction: str, result: str) -> None:
    """Keep the id of what an interaction created, for repeated deliveries."""
    if interaction:
        tables.INBOX.change(tx, {"key": interaction}, result=result)


def person(tx: Transaction, principal: Principal) -> Person | None:
    """Return what is known about a person."""
    return tables.PEOPLE.one(tx, principal=principal)


def zone(tx: Transaction, principal: Principal) -> ZoneInfo:
    """Return the time zone that a person has in Slack."""
    return zone_in(person(tx, principal))


def zone_in(found: Person | None) -> ZoneInfo:
    """Return the time zone of somebody as far as they are known."""
    return zone_of(found.time_zone if found is not None else None)


def members(tx: Transaction, place: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return the keys of everybody in a place who may use Usher, with their names, handles and addresses."""
    # What begins with a place comes before what has the character after the colon at its end.
    found = tx.all("members", place=place, beyond=f"{place[:-1]};")
    return [(row["principal"], (row["name"], row["handle"], row["email"] or "")) for row in found]


def question(tx: Transaction, principal: str, seconds: float) -> bool:
    """Note that a person is asked something now; return False if they were in the last ``seconds``."""
    now = tx.now()
    return tx.run("question_member", principal=principal, now=now, before=now - seconds) == 1


def current(tx: Transaction, principal: str) -> Person | None:
    """Return what is known about a person before changing anything for them; None to ask Slack first."""
    found = tables.PEOPLE.one(tx, principal=principal)
    return found if is_current(found, "change", tx.now()) else None


def has_met(tx: Transaction, principal: Principal) -> bool:
    """Return whether a person was introduced to Usher."""
    return tables.CONTACTS.row(tx, principal=principal) is not None


def meet(tx: Transaction, principal: Principal) -> bool:
    """Note that a person is introduced to Usher; return whether it is the first time."""
    return tables.CONTACTS.add_new(tx, principal=principal, met_at=tx.now())


def save(tx: Transaction, people: Sequence[Person]) -> None:
    """Write people; the newer ``seen_at`` wins unless it is in the future."""
    now = tx.now()
    for one in people:
        tx.run("save_person", **tables.PEOPLE.columns(one), now=now)


#: Writes by another process are seen after this many seconds at the latest; this one's own at once.
SECONDS = 2.0
MOST = 5_000


class PeopleCache:
    """Cache people for two seconds of the store's time; that somebody is unknown is never cached."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._people: dict[str, tuple[float, Person]] = {}
        #: Changes on every invalidation, so that a read begun before it isn't cached after it.
        self.mark = 0

    def find(self, principal: Principal) -> Person | None:
        """Return a person read within the last two seconds."""
        found = self._people.get(principal.key)
        if found is None or self._now() - found[0] >= SECONDS:
            return None
        return found[1]

    def keep(self, person: Person | None, mark: int) -> None:
        """Cache a person whose read began at this mark."""
        if person is None or mark != self.mark:
            return
        if len(self._people) >= MOST:
            self._people.clear()
        self._people[person.principal.key] = (self._now(), person)

    def forget(self) -> None:
        """Invalidate everybody: somebody was written."""
        self.mark += 1
        self._people.clear()


#: How a run ends that didn't fail.
_WELL = frozenset({RunState.SUCCEEDED, RunState.CANCELLED})


def preferences(tx: Transaction, principal: Principal) -> Preferences:
    """Return a person's preferences; what they are at first if they never changed them."""
    return tables.PREFERENCES.one(tx, principal=principal) or Preferences()


def save_preferences(tx: Transaction, principal: Principal, wanted: Preferences) -> None:
    """Set a person's preferences."""
    tables.PREFERENCES.put(tx, wanted, principal=principal)


def wants(tx: Transaction, new: NewNotice) -> bool:
    """Return whether a person wants a new notice as a message of its own, by their preferences."""
    return new.kind.topic is None or is_wanted(_news(tx, new), preferences(tx, new.principal))


def _news(tx: Transaction, new: NewNotice) -> News:
    news, workspace_id = News(new.kind), new.body.get("workspace")
    if new.kind.subject == "operation":
        operation = tables.OPERATIONS.row(tx, id=new.subject)
        if operation is None:
            return news
        workspace_id = operation["workspace_id"]
        # What hours start has no card; it is as if it had one that was sent without a sound.
        news = replace(news, has_card=operation["planned_for"] is not None)
    elif new.kind is NoticeKind.JOB_ENDED:
        run = tables.RUNS.row(tx, id=new.subject)
        if run is None:
            return news
        news = replace(news, is_failure=run["state"] not in _WELL)
    row = tables.WORKSPACES.row(tx, id=workspace_id) if workspace_id else None
    if row is not None and new.kind in {NoticeKind.READY, NoticeKind.STOPPED_ELSEWHERE}:
        chosen = row["tells_ready" if new.kind is NoticeKind.READY else "tells_stopped"]
        news = replace(news, chosen=None if chosen is None else bool(chosen))
    return replace(news, has_card=news.has_card or tx.one("has_card", subject=new.subject) is not None)


#: For so many seconds people remember what they spoke of.
KEPT_SECONDS: Final = 900.0
_SEVERAL: Final = 2


def speak(
    tx: Transaction, principal: Principal, channel_id: str, thread_ts: str | None, about: Mapping[str, Any]
) -> None:
    """Remember what an answer is about, in place of what was spoken of there before."""
    key = {"principal": principal.key, "channel_id": channel_id, "thread_ts": thread_ts or ""}
    several = about.get("workspaces", ())
    if len(several) < _SEVERAL:
        # What began since without another answer doesn't change what is kept of it.
        former = spoken(tx, principal, channel_id, thread_ts, has_begun=False)
        about = {
            **about,
            "listed": former.listed,
            "says_english": about.get("says_english") or former.says_english,
        }
    else:
        about = {**about, "listed": several}
    tables.CONVERSATIONS.put(tx, **key, about=dict(about), spoken_at=tx.now())


def spoken(
    tx: Transaction, principal: Principal, channel_id: str, thread_ts: str | None, *, has_begun: bool = True
) -> Spoken:
    """Return what was last spoken of there: in a thread below a card, what the card is about.

    What began since without another answer is spoken of, too, unless ``has_begun`` is False: its card is the
    answer.
    """
    since = tx.now() - KEPT_SECONDS
    place = {"principal": principal.key, "channel_id": channel_id}
    rows = tx.all("spoken", **place, thread_ts=thread_ts or "", since=since)
    row = next(iter(rows), None)
    about = _about(row["about"]) if row is not None else Spoken()
    if thread_ts:
        card = tx.one("card_of_thread", **place, thread_ts=thread_ts)
        if card is not None:
            is_there = row is not None and row["thread_ts"] == thread_ts
            is_run = str(card["kind"]).startswith("job_")
            named = {"runs": (card["about"],)} if is_run else {"workspaces": (card["about"],)}
            return replace(about, **named) if is_there else Spoken(**named)  # type: ignore[arg-type]
        if row is not None and row["thread_ts"] == thread_ts:
            return about
    if not has_begun:
        return about
    since = row["spoken_at"] if row is not None else since
    begun = tx.one("begun_since", **place, since=since)
    if begun is not None:
        return Spoken(
            (begun["workspace_id"],), listed=about.listed, what=begun["verb"], says_english=about.says_english
        )
    run = tx.one("run_since", **place, since=since)
    return Spoken(runs=(run["id"],), listed=about.listed, what="run") if run is not None else about


def _about(text: str) -> Spoken:
    kept: dict[str, Any] = json.loads(text)
    kept |= {key: tuple(value) for key, value in kept.items() if isinstance(value, list)}
    return Spoken(**kept)


def use_home(tx: Transaction, principal: Principal, used: HomeUse) -> None:
    """Note that a person opened their Home or pressed something in it: they wait for a view from now on."""
    tx.run("use_home", principal=principal, now=tx.now(), **asdict(used))


def want(tx: Transaction, principal: Principal) -> None:
    """Have an open Home drawn at once, because its person did something elsewhere that shows in it."""
    now = tx.now()
    tx.run("want_home", principal=principal.key, now=now, since=now - OPEN_SECONDS)


def claim_wanted_homes(tx: Transaction, limit: int, lease: float) -> list[Home]:
    """Lease the Homes that people wait for, those who have waited longest first."""
    now = tx.now()
    claimed = tables.HOMES.found(tx, "claim_wanted_homes", now=now, until=now + lease, limit=limit)
    return sorted(claimed, key=lambda home: (home.wanted_at or 0.0, home.principal.key))


def claim_homes_to_look_at(tx: Transaction, limit: int) -> list[Home]:
    """Return the Homes to look at although nobody waits for them, and set when to look at each again.

    They aren't leased: a view drawn for one carries the version that it replaces, so Slack refuses it if the
    person's own view came first.
    """
    now = tx.now()
    again = now + REDRAW_SECONDS
    found = tables.HOMES.found(tx, "claim_homes_to_look_at", now=now, again=again, limit=limit)
    return sorted(found, key=lambda home: (home.used_at, home.principal.key))


def home_published(tx: Transaction, home: Home, drawn: str, view_hash: str) -> None:
    """Note what Slack was sent for a claimed Home; a later use of it stays wanted."""
    now = tx.now()
    tx.run(
        "home_published",
        principal=home.principal.key,
        uses=home.uses,
        is_wanted=home.wanted_at is not None,
        drawn=drawn,
        view_hash=view_hash,
        look_at=now + REDRAW_SECONDS,
    )


def home_retry(tx: Transaction, home: Home, due_in: float) -> None:
    """Release a wanted Home to be sent again later, or look at another one again then."""
    column = "look_at" if home.wanted_at is None else "leased_until"
    tables.HOMES.change(tx, {"principal": home.principal}, **{column: tx.now() + due_in})


def home_rest(tx: Transaction, home: Home) -> None:
    """Stop redrawing a Home until its person uses it again, which may have happened since the claim."""
    rested = {"look_at": None, "wanted_at": None, "leased_until": 0, "answer": None, "answered_at": None}
    tables.HOMES.change(tx, {"principal": home.principal, "uses": home.uses}, **rested)


def is_news_waiting(tx: Transaction, *, notices: bool, cards: bool) -> bool:
    """Return whether a notice, or a card whose state changed, is due: whichever of them is asked about."""
    now = tx.now()
    if notices and tx.one("due_notice", now=now) is not None:
        return True
    return cards and tx.one("due_card", now=now) is not None

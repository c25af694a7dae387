"""Tests of the catalogue of texts: every problem has a sentence with a next step, in a consistent voice."""

import importlib
import inspect
import re
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain import causes
from bot.domain.failure_causes import Reason
from bot.domain.operations import OperationVerb
from bot.domain.workspaces import State
from bot.messages.texts import (
    answers,
    cards,
    ide,
    notices,
    pages,
    problems,
    refusals,
    requests,
    runs,
    talk,
    times,
)
from bot.messages.texts import courses as courses_texts
from bot.support import errors
from tests.messages.texts import MODULES, declared_texts, every_text, texts_in_place, texts_of_pages
from tests.rigs.golden import check_golden_text
from tests.rigs.verbs import VERBS

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.ProviderError | errors.StoreError | errors.SecretError)
]


def texts(module):
    """Yield every text in a module of the catalogue."""
    for name, value in vars(module).items():
        if name.startswith("_"):
            continue
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, tuple) and all(isinstance(part, str) for part in value):
            yield from ((name, part) for part in value)
        elif isinstance(value, Mapping):
            yield from ((f"{name}.{key}", text) for key, text in value.items() if isinstance(text, str))
            parts = ((key, part) for key, one in value.items() if isinstance(one, tuple) for part in one)
            yield from ((f"{name}.{key}", part) for key, part in parts if isinstance(part, str))


#: Messages in the link page's module that are shown in Slack.
IN_SLACK = {
    "explain_wrong_code",
    "FOREIGN_TEAM",
    "TRIED",
    "TRIED_BY_APPROVAL",
    "TYPED",
    "TYPED_ID",
    "TYPED_ELSE",
    "TYPED_SLACK",
    "TYPED_IN_FIELD",
    "RESTORED",
    "ASK",
    "ASK_NOTE",
    "ASKED",
    "LINKED_ALREADY",
    "REQUEST_NOTE",
    "WITHDRAWN",
    "CONFIRM_APPROVE",
    "APPROVING",
    "DECIDED_ALREADY",
    "GONE",
    "NOT_OPEN",
    "FAILED_PERSON",
    "FAILED_ADMINISTRATOR",
    "BECAUSE",
}
#: Refused links and tokens that are explained in Slack. All others are explained on the link page.
REFUSED_IN_SLACK = {"link.no_address", "link.not_by_token", "link.repeated", "link.unknown_connection"}
OF_USHER = re.compile(r"(?<!\[)\bUsher\b(?! admin)")


def test_usher_says_i_in_slack_and_never_on_a_page():
    for module in (ide, pages):
        for name, text in every_text(module):
            if name.partition(".")[0] not in IN_SLACK:
                assert not re.search(r"\b(I|I'\w+|me|my)\b", text), (name, text)
    for name, text in texts_of_pages():
        assert not re.search(rf"\b(I|I'\w+|me|my)\b|{FOREIGN.pattern}", text), (name, text)
    for module in (answers, pages, cards, courses_texts, notices, problems, requests, runs, talk):
        for name, text in every_text(module):
            if module is not pages or name in IN_SLACK:
                assert not OF_USHER.search(text) or name == "VERSION", (name, text)
    for cause, text in refusals.REFUSALS.items():
        is_on_page = cause.startswith(("link.", "token.")) and cause not in REFUSED_IN_SLACK
        assert not (re.search(r"\b(I|I'\w+|me|my)\b", text) if is_on_page else OF_USHER.search(text)), cause


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_error_has_a_sentence_with_a_next_step(kind):
    error = kind("too small", status=400) if issubclass(kind, errors.ProviderError) else kind("inside")
    told = problems.explain_cause(error, "Saturn Cloud")
    assert "inside" not in told
    assert told.endswith(".")
    assert len(re.findall(r"[.:] [A-ZI]", told)) >= 1 or "keep trying" in told or "moment" in told


def test_the_last_wrong_code_leads_to_a_new_link():
    assert pages.explain_wrong_code(0, "/usher").endswith("Type /usher link in Slack to get a new link.")


def test_an_unknown_cause_is_not_said_as_nothing():
    assert problems.explain_cause("no such word") == problems.CAUSES["internal"]
    assert problems.explain_cause(ValueError("secret")) == problems.CAUSES["internal"]
    assert problems.explain_cause("policy.guest") == problems.CAUSES["guest"]


def test_the_providers_own_message_is_quoted_and_kept_with_the_cause():
    cause = causes.to_cause(errors.InvalidRequest("disk   too\nsmall.", status=422))
    assert cause == "invalid: disk   too\nsmall."
    assert problems.explain_cause(cause, "Saturn Cloud") == (
        "Saturn Cloud refused the request. Saturn Cloud says: “disk too small.” "
        "Change what you asked for, then try again."
    )


def test_our_own_message_is_said_and_quoted_as_nobodys():
    cause = causes.to_cause(errors.Conflict("This session has ended. Start a new one instead."))
    assert causes.get_cause_word(cause) == "conflict"
    assert problems.explain_cause(cause, "Workbench") == "This session has ended. Start a new one instead."


@pytest.mark.parametrize(
    ("kind", "message", "cause"),
    [
        (errors.Forbidden, "Starts are off until 6 PM", "refused: Starts are off until 6 PM"),
        (errors.Forbidden, "Forbidden.", "forbidden"),
        (errors.Forbidden, "You lack the permission to start", "forbidden: You lack the permission to start"),
        (
            errors.Forbidden,
            "Not accessible by personal token",
            "token_lacks: Not accessible by personal token",
        ),
        (errors.Forbidden, "Needs one of the scopes [x]", "token_lacks: Needs one of the scopes [x]"),
        (errors.LimitReached, "Your spending limit is reached", "spent: Your spending limit is reached"),
        (errors.LimitReached, "You have 2 workspaces of 2", "limit: You have 2 workspaces of 2"),
        (errors.NotFound, "This image was retired", "refused: This image was retired"),
        (errors.NotFound, "Not Found", "not_found"),
    ],
    ids=[
        "403-words",
        "403-phrase",
        "403-permission",
        "403-token",
        "403-scope",
        "402-money",
        "402-number",
        "404-words",
        "404-phrase",
    ],
)
def test_cause_of_a_refusal_is_its_words_if_it_has_any(kind, message, cause):
    assert causes.to_cause(kind(message, status=403)) == cause


@pytest.mark.parametrize(
    "kind", [errors.Forbidden, errors.Conflict, errors.InvalidRequest, errors.LimitReached]
)
@pytest.mark.parametrize("message", ["", "HTTP 409", "error 17"])
def test_nothing_that_stands_for_a_message_is_quoted(kind, message):
    said = problems.explain_cause(causes.to_cause(kind(message, status=409)), "Workbench")
    assert said == problems.explain_cause(causes.to_cause(kind()), "Workbench")
    assert "says" not in said


def test_every_reason_is_said_with_what_helps_or_who():
    assert set(problems.REASONS) == set(Reason)
    for one in problems.REASONS.values():
        assert "admin" in one.helps


def test_a_failure_without_a_reason_says_so():
    def said(message="", *, has_page):
        return problems.explain_cause("provider_failed", "Courses", message, has_page=has_page)

    assert said(has_page=True) == "Courses didn't give a reason. Its page there may say more."
    assert said("Strange", has_page=True) == "Courses says: “Strange.” Its page there may say more."
    # No message refers people to a page that doesn't exist.
    assert said(has_page=False) == "Courses didn't give a reason. Ask your Courses admin."
    assert said("Strange", has_page=False) == "Courses says: “Strange.” Ask your Courses admin."
    enough = "There was no room for it on Courses: not enough memory. Try again later or with"
    assert said("Not enough memory on node", has_page=False).startswith(enough)


def test_where_nothing_can_be_asked_better_the_admin_is_asked():
    def said(message):
        return problems.explain_cause(causes.to_cause(errors.Misconfigured(message, status=200)), "Workbench")

    assert said("Launcher is down") == (
        "Workbench, or your account there, isn't set up for that. Workbench says: “Launcher is down.” "
        "Ask your Workbench admin."
    )
    assert said("The profile of alice is misconfigured").endswith("ask your Workbench admin to check it.")


def test_a_message_that_helps_nobody_is_not_kept():
    assert causes.to_cause(errors.Unreachable("connection refused by 10.0.0.1")) == "unreachable"
    assert causes.to_cause(errors.CredentialRefused("bad token")) == "credential_refused"


def test_a_long_message_is_cut():
    assert len(causes.to_cause(errors.LimitReached("x" * 5000))) < 400


def test_a_message_with_braces_is_only_text():
    assert "{title} {0}" in problems.explain_cause("limit: {title} {0}", "Saturn Cloud")


@pytest.mark.parametrize("module", [problems, cards, notices, answers, runs, courses_texts])
def test_the_voice(module):
    """Check for exclamation marks, stray or double spaces, and straight quotes, except in commands."""
    found = {name: re.sub(r"`[^`]*`", "`…`", text) for name, text in texts(module)}
    assert found
    wrong = {name: text for name, text in found.items() if re.search(r'(?<!marked )!|^\s|\s$|  |"', text)}
    assert wrong == {}


#: Matches phrases that no native speaker would write, or for which Usher has another word.
FOREIGN = re.compile(
    r"\bat \{title\}|\bcall(ed|ing)? off\b|\banew\b|who(ever)? (runs|set) me|administrators? of mine"
    r"|\bYou get a (direct )?message|\bI (look|tell|make|go on|keep looking|take you)\b|\bthe way in\b"
    r"|\bcome true\b|\bgoes on\b|\bI know no\b|\bmeanwhile\b|\bThere is: |\bfor good, with all\b"
)


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith(".times")])
def test_nothing_sounds_translated(name):
    module = importlib.import_module(name)
    told = dict(every_text(module))
    assert {place: text for place, text in told.items() if FOREIGN.search(text)} == {}


def test_texts_in_place_have_the_voice_of_the_catalogue():
    told = {place: re.sub(r"`[^`]*`", "`…`", text) for place, text in texts_in_place()}
    assert len(told) > 200
    wrong = re.compile(rf'{FOREIGN.pattern}|{OF_USHER.pattern}|(?<!marked )!|  |"')
    assert {place: text for place, text in told.items() if wrong.search(text)} == {}


def test_no_word_of_a_verb_sounds_translated():
    assert {place: text for place, text in declared_texts() if FOREIGN.search(text)} == {}


def test_no_entry_of_help_is_empty_or_ends_as_a_sentence():
    for verb, entry in [one for verbs in VERBS.values() for one in verbs.items()]:
        assert entry.usage.startswith(verb)
        assert entry.summary[0].islower()
        assert not entry.summary.endswith(".")
        assert all(sentence.endswith(".") for sentence in entry.more)


def test_every_state_and_every_operation_has_its_words():
    assert set(cards.STATES) == set(State)
    assert set(cards.FORMS) == {*OperationVerb, None}


@pytest.mark.parametrize(
    ("verb", "already"),
    [
        ("start", "starting. I'll message you when it's ready."),
        ("stop", "stopping. I'll message you when it has stopped."),
        ("restart", "restarting. I'll message you when it's ready."),
        ("create", "being created. I'll message you when it's ready."),
        ("suspend", "being suspended. I'll message you when it's done."),
        ("force", "being forced to quit. I'll message you when it has stopped."),
        ("remove", "being removed. I'll message you when it's gone."),
    ],
)
def test_what_is_under_way_is_said_in_the_forms_of_its_operation(verb, already):
    words = cards.FORMS[OperationVerb(verb)].words()
    assert " ".join(answers.JOINED).format(**words, name="x") == f"*x* is already {already}"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-3, "0 s"),
        (0.4, "0 s"),
        (12, "12 s"),
        (60, "1 min"),
        (100, "1 min 40 s"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (86_400, "1 day"),
        (260_000, "3 days"),
    ],
)
def test_lengths_of_time(seconds, said):
    assert times.format_duration(seconds) == said


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-12-29 23:30", "yesterday at 00:30"),
        ("2026-12-31 17:00", "today at 18:00"),
        ("2026-12-31 23:30", "tomorrow at 00:30"),
        ("2026-06-01 12:00", "1 Jun at 14:00"),
        ("2027-02-01 12:00", "1 Feb 2027 at 13:00"),
    ],
)
def test_a_day_of_another_year_says_which(at, said):
    now, then = (datetime.fromisoformat(f"{one}+00:00").timestamp() for one in ("2026-12-31 12:00", at))
    assert times.format_day(then, now, ZoneInfo("Europe/Berlin")) == said
    assert times.format_day_in_utc(then).endswith(" UTC")
    assert f" {at[:4]} at " in times.format_day_in_utc(then)


@pytest.mark.parametrize(
    ("count", "words", "said"),
    [
        (0, ("place",), "0 places"),
        (1, ("place",), "1 place"),
        (1200, ("line",), "1,200 lines"),
        (1, ("person", "people"), "1 person"),
        (2, ("person", "people"), "2 people"),
    ],
)
def test_one_thing_is_not_said_as_several(count, words, said):
    assert times.format_count(count, *words) == said


def test_all_sentences_of_trouble():
    """All explanations as people read them, with a provider's own message if one may be included."""
    told = {word: problems.explain_cause(word, "Saturn Cloud", "too small") for word in problems.CAUSES}
    check_golden_text("problems", told)


@pytest.mark.parametrize(
    "cause",
    [
        *("unreachable", "no_answer", "sent_too_late", "server_failed", "answered_error", "bad_answer"),
        *("untrusted_certificate", "rate_limited", "forbidden", "not_found", "credential_refused"),
    ],
)
def test_explanation_of_a_failed_read_promises_no_other(cause):
    """A read for a single request isn't repeated on its own, and can't have had an effect."""
    said = problems.explain_unread(cause, "Saturn Cloud")
    assert "Saturn Cloud" in said
    assert "keep trying" not in said
    assert "check what happened" not in said
    assert "sent the request" not in said

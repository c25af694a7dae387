"""Handlers are found by scanning, and what the cards' buttons ask for is there."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

from bot.accounts import Accounts as RealAccounts
from bot.manifest import EVENTS
from handlers import discovery, services

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
ADDRESSES = {"open_url", "page_url", "link_url"}


def of_jobs() -> set[str]:
    """Return the buttons that run verbs of jobs."""
    return {f"job_{verb}" for verb in discovery.verbs("job")}


def test_what_was_found():
    assert discovery.routes() == {
        "command job": ["help", "list", "logs", "run", "schedule", "status", "stop"],
        "command workspace": [
            *("about", "add", "alias", "card", "forget", "help", "link", "list", "new", "notify", "open"),
            *(
                "press",
                "remove",
                "restart",
                "resume",
                "start",
                "status",
                "stop",
                "suspend",
                "unlink",
                "whoami",
            ),
        ],
        "action": [
            *("again", "approve", "ask_link", "class_keep", "class_post", "class_press", "class_problems"),
            *("class_stop", "deny", "enter_code", "field", "force", "invite"),
            *("job_again", "job_force", "job_keep_waiting", "job_let_go", "job_look_again", "job_refresh"),
            *("job_start_another", "keep_waiting", "look_again", "make", "refresh", "start_another"),
            "try_again",
        ],
        "view": ["ask_link", "code", "make", "remove"],
        "options": ["field", "workspace"],
        "event": [
            *("app_mention", "app_uninstalled", "message_im", "team_join", "tokens_revoked", "user_change"),
        ],
    }


def test_no_button_has_two_meanings():
    actions = set(discovery.handlers_of(discovery.ACTIONS))
    assert not actions & set(discovery.verbs("workspace"))
    assert not actions & of_jobs()


def test_every_button_that_people_see_has_a_handler():
    seen = set()
    for path in GOLDEN.rglob("*.json"):
        for action_id in re.findall(r'"action_id": "([^"]+)"', path.read_text(encoding="utf-8")):
            seen.add(action_id.partition(":")[0])
    known = {
        *discovery.handlers_of(discovery.ACTIONS),
        *discovery.verbs("workspace"),
        *of_jobs(),
        *ADDRESSES,
        "code",
        "name",
        "username",
    }
    assert seen
    assert seen - known == set()
    assert {"keep_waiting", "try_again", "invite", "unlink", "open_url"} <= seen
    assert {"job_stop", "job_force", "job_logs", "job_again", "job_refresh", "job_list"} <= seen


def test_every_form_that_people_see_has_a_handler():
    forms = [json.loads(path.read_text(encoding="utf-8")) for path in (GOLDEN / "views").glob("*.json")]
    callbacks = {form["callback_id"] for form in forms if "submit" in form}
    assert callbacks == set(discovery.handlers_of(discovery.VIEWS))


def test_every_event_of_the_manifest_has_a_handler():
    assert {use.module for use in EVENTS.values()} == {
        f"{discovery.EVENTS}.{name}" for name in discovery.handlers_of(discovery.EVENTS)
    }


def test_the_real_accounts_do_what_handlers_ask_of_them():
    asked = {name for name in vars(services.Accounts) if not name.startswith("_")}
    assert asked == {"acting", "invite", "confirm_code", "links", "unlink", "sign_in"}
    assert asked - {"sign_in"} <= set(dir(RealAccounts))
    assert "sign_in" in inspect.signature(RealAccounts).parameters

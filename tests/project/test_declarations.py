"""What features declare is counted: what isn't loaded says nothing, so its silence would not be noticed."""

import json
import subprocess
import sys

from tests.project.repository import ROOT

#: By where it is declared, the modules that do, once a process is put together.
DECLARED = {
    "routes.outcome_displays": ["bot.features.home.verbs", "bot.features.home.verbs"],
    "routes.button": ["bot.features.courses.card_verbs"],
    "settings": [
        "bot.support.settings." + name for name in ("assistant", "backups", "installed", "socket", "timers")
    ],
    "checks": [
        *["bot.commands." + name + "_checks" for name in ("installed", "postgres", "socket")],
        "bot.features.assistant.checks",
    ],
    "intents.commands": [*["bot.features.courses.sentences"] * 6, "bot.features.undo.verbs"],
    "intents.forms": ["bot.features.courses.sentences"] * 5,
    "intents.shows": ["bot.features.undo.verbs"] * 4,
    "home.gathered": [
        "bot.features.courses.changes",
        *["bot.features." + name + ".use_cases" for name in ("preferences", "undo", "waitlist")],
    ],
    "home_sections.PARTS": [
        "bot.features.courses.page_messages",
        *[
            "bot.features." + name + ".messages"
            for name in (*["home"] * 5, "preferences", "undo", "waitlist")
        ],
    ],
    "home_sections.WAITING": ["bot.features.approvals.messages", *["bot.features.home.messages"] * 2],
    "home.asked": ["bot.features.approvals.use_cases"],
    "kinds.AnyKind": [
        "bot.domain.failover_losses",
        "bot.domain.notices",
        "bot.domain.timers",
        "bot.features.approvals.model",
        "bot.features.courses.model",
        "bot.features.expiries.model",
        "bot.features.hours.model",
        "bot.features.job_schedules.model",
        "bot.features.waitlist.model",
    ],
    "kinds.UNPOSTED": ["bot.features.courses.model"],
}
#: The verbs of features that have a rule of their own for the policy.
RULED = {
    "anybody": ["card"],
    "named": ["more_answer"],
    "delegates": ["class_change", "class_post", "class_problems", "class_stop"],
    "administrators": ["approve", "totals"],
    "": ["courses", "eta", "home", "settings", "settings_form"],
}
_SCRIPT = """
import json
from bot.domain import message_kinds as kinds, policy
own = set(policy.RULES)
import bot.app, bot.commands.setting_up, bot.reconciler
from bot.features.feature import load
load()
known = set(kinds.list_members(kinds.AnyKind))
from bot.messages.blocks.home_sections import QUESTION_RENDERERS, SECTIONS
from bot.services.home_sections import QUESTION_READERS, SECTION_READERS
from bot.support.settings import Settings
from bot.services.checks import NEEDED_SCOPES, SLACK_CHECKS, STORE_CHECKS
from handlers import intents, routes
found = {}
found["home_sections.PARTS"] = sorted(one.__module__ for one in SECTIONS.values())
found["home_sections.WAITING"] = sorted(one.__module__ for one in QUESTION_RENDERERS.values())
for name in ("outcome_displays", "button"):
    found[f"routes.{name}"] = [one.__module__ for one in getattr(routes, name).get_all().values()]
for name in ("commands", "forms", "shows"):
    found[f"intents.{name}"] = [one.__module__ for one in getattr(intents, name).get_all().values()]
found["home.gathered"] = sorted(one.__module__ for one in SECTION_READERS.values())
found["home.asked"] = sorted(one.__module__ for one in QUESTION_READERS.values())
found["settings"] = sorted(one.__module__ for one in Settings.__bases__)
needs = (*SLACK_CHECKS.values(), *STORE_CHECKS.values(), *NEEDED_SCOPES)
found["checks"] = sorted({one.__module__ for one in needs})
ruled = {}
for verb in sorted(policy.RULES.keys() - own):
    ruled.setdefault(policy.RULES[verb].whose, []).append(verb)
found["kinds.AnyKind"] = sorted({type(kind).__module__ for kind in known})
found["kinds.UNPOSTED"] = sorted(type(kind).__module__ for kind in kinds.UNPOSTED)
print(json.dumps([found, ruled]))
"""


def test_every_declaration_is_there_once_a_process_is_put_together():
    asked = [sys.executable, "-B", "-c", _SCRIPT]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [DECLARED, RULED]

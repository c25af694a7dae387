"""What features declare is counted: what isn't loaded says nothing, so its silence would not be noticed."""

import json
import subprocess
import sys

from tests.project.repository import ROOT

#: By where it is declared, the modules that do, once a process is put together.
DECLARED = {
    "followers.FOUND": ["bot.store.hours"],
    "followers.REPLACED": ["bot.store.hours"],
    "followers.MERGED": ["bot.store.classes", "bot.store.hours"],
    "followers.UNLINKED": ["bot.store.hours", "bot.store.lessons", "bot.store.waits"],
    "followers.SETTLED": ["bot.store.approvals"],
    "followers.GONE": ["bot.store.hours"],
    "followers.PLANNED": ["bot.store.hours"],
    "followers.AGREED": ["bot.store.classes"],
    "followers.POSTPONED": ["bot.store.lessons"],
    "followers.NEEDED_AFTER": ["bot.store.hours"],
    "followers.IS_ON": ["bot.store.hours"],
    "followers.WITHDRAWN": ["bot.store.classes"],
    "followers.LEFT": ["bot.store.hours"],
    "followers.FREED": ["bot.store.waits"],
    "followers.DONE": ["bot.store.homes"],
    "operations.FOLLOWERS": ["bot.store.hours", "bot.store.waits"],
    "notices.WANTED": ["bot.store.preferences"],
    "workspaces.BEFORE": ["bot.services.waits"],
    "routes.FINISHING": ["handlers.acts"],
    "helping.EXPLAINED": ["handlers.talking"],
    "acts.PUT_BACK": ["bot.services.hours", "bot.store.waits"],
    "followers.RESTORED": ["bot.store.hours", "bot.store.waits"],
    "linking.ASKED": ["handlers.approvals"],
    "routes.shown": ["handlers.home", "handlers.home"],
    "routes.button": ["handlers.class_card"],
    "settings": [
        "bot.support.settings." + name for name in ("assistant", "backups", "installed", "socket", "timers")
    ],
    "checks": ["bot.upkeep." + name + "_checks" for name in ("assistant", "installed", "postgres", "socket")],
    "lists.LINES": ["bot.messages.blocks.classes", "bot.messages.blocks.hours"],
    "home.OFFERED": ["bot.messages.blocks.courses"],
    "home.gathered": ["bot.services." + name for name in ("acts", "lessons", "preferences", "waits")],
    "home.PARTS": [
        "bot.messages.blocks." + name for name in ("acts", "courses", *["home"] * 5, "preferences", "waits")
    ],
    "home.WAITING": ["bot.messages.blocks.approvals", *["bot.messages.blocks.home"] * 2],
    "home.asked": ["bot.services.approvals"],
    "gather.ROWS": ["bot.services.class_facts", "bot.services.gather", "bot.services.gather"],
    "gather.ADDED": [
        *["bot.services.approvals"] * 5,
        *["bot.services.class_facts"] * 15,
        *["bot.services.gather"] * 6,
        "bot.services.leavers",
        "bot.services.timers",
        "bot.services.waits",
    ],
    "gather.EXTENDED": ["bot.services.class_facts", "bot.services.hours_context"],
    "kit.GONE": ["bot.messages.blocks.classes", "bot.messages.blocks.runs"],
    "outcomes.ENDS": ["bot.messages.blocks.classes"],
    "kinds.AnyKind": [
        "bot.domain.approvals",
        "bot.domain.classes",
        "bot.domain.expiries",
        "bot.domain.hours",
        "bot.domain.losses",
        "bot.domain.notices",
        "bot.domain.room",
        "bot.domain.schedules",
        "bot.domain.timers",
    ],
    "kinds.UNPOSTED": ["bot.domain.classes"],
}
#: The verbs of features that have a rule of their own for the policy.
RULED = {
    "anybody": ["card"],
    "named": ["more_answer"],
    "trainers": ["class_change", "class_post", "class_problems", "class_stop"],
    "administrators": ["approve", "totals"],
    "": ["courses", "eta", "home", "settings", "settings_form"],
}
_SCRIPT = """
import json
# Whatever opens a database knows all that may be told.
from bot.domain import kinds, policy
known = set(kinds.declared(kinds.AnyKind))
own = set(policy.RULES)
import bot.app, bot.commands.setting_up, bot.reconciler
from bot import services
from bot.messages import blocks
from bot.messages.blocks import home, kit, lists, outcomes
from bot.services import gather, workspaces
from bot.services.home import PARTS, WAITING
from bot.support.settings import Settings
from bot.upkeep.checks import IN_STORE, NEEDED, ON_SLACK
from bot.support import modules
from bot.store import acts, followers, notices, operations
from handlers import helping, linking, routes
routes.load()
modules.load(services)
modules.load(blocks)
found = {}
for room in (
    followers, operations, notices, workspaces, routes, helping, linking, home, lists, gather, kit, outcomes
):
    for name, value in vars(room).items():
        declared = list(value.values()) if isinstance(value, dict) else value
        if name.isupper() and isinstance(declared, list) and declared and all(map(callable, declared)):
            key = room.__name__.rpartition(".")[2] + "." + name
            found[key] = sorted(one.__module__ for one in declared)
found["acts.PUT_BACK"] = sorted(one.__module__ for one in acts.PUT_BACK.values())
found["followers.RESTORED"] = sorted(hold.__module__ for _, hold in followers.RESTORED.values())
for name in ("shown", "button"):
    found[f"routes.{name}"] = [one.__module__ for one in getattr(routes, name).found.values()]
found["home.gathered"] = sorted(one.__module__ for one in PARTS.values())
found["home.asked"] = sorted(one.__module__ for one in WAITING.values())
found["settings"] = sorted(one.__module__ for one in Settings.__bases__)
found["checks"] = sorted({one.__module__ for one in (*ON_SLACK.values(), *IN_STORE.values(), *NEEDED)})
ruled = {}
for verb in sorted(policy.RULES.keys() - own):
    ruled.setdefault(policy.RULES[verb].whose, []).append(verb)
assert known == set(kinds.declared(kinds.AnyKind))
found["kinds.AnyKind"] = sorted({type(kind).__module__ for kind in known})
found["kinds.UNPOSTED"] = sorted(type(kind).__module__ for kind in kinds.UNPOSTED)
print(json.dumps([found, ruled]))
"""


def test_every_declaration_is_there_once_a_process_is_put_together():
    asked = [sys.executable, "-B", "-c", _SCRIPT]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [DECLARED, RULED]

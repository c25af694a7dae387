"""The verbs of both commands, as declared in the code."""

from bot.messages.verb import list_verbs

COMMANDS = ("workspace", "job")
VERBS = {command: list_verbs(command) for command in COMMANDS}
OPERATIONS = frozenset(name for name, verb in VERBS["workspace"].items() if verb.is_operation)

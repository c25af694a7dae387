"""Checks of the settings: the problems with each setting, and where its value comes from."""

from collections.abc import Sequence
from typing import Final

from bot.services.checks import Check
from bot.support.settings import REMOVED_SETTINGS, VARIABLES
from bot.support.settings.field import find_advice

_CORRECT_VALUE: Final = "Correct or remove it: `usher docs settings` lists the values each one takes."
#: The command that fixes a file's permissions. If the description of a problem already contains this command,
#: no other advice is given.
_SAYS_IT: Final = "chmod 600"
_REMOVE_UNKNOWN: Final = "Remove it, or correct its name: `usher docs settings` lists them all."


def check_settings(
    problems: Sequence[str], unknown: Sequence[str], removed: Sequence[str] = (), exposed: str = ""
) -> list[Check]:
    """Return a check for each problem with the settings, or a single passing check if there are none.

    ``exposed`` says what other users of the machine can do with the settings file, and how to prevent that.
    """
    checks = [Check("settings", False, problem, _setting_advice(problem)) for problem in problems]
    checks += [
        Check("settings", False, f"{name}: there is no such setting, so it does nothing", _REMOVE_UNKNOWN)
        for name in unknown
    ]
    for name in removed:
        found = f"{name}: this setting was removed, so it does nothing"
        checks.append(Check("settings", True, found, REMOVED_SETTINGS[name], is_warning=True))
    if exposed:
        checks.append(Check("settings", False, exposed))
    return checks or [Check("settings", True, "all there")]


def _setting_advice(problem: str) -> str:
    if _SAYS_IT in problem:
        return ""
    if "CREDENTIALS_DIRECTORY" in problem:
        return "systemd sets that: run `usher-run doctor` in place of `usher doctor`."
    if "there is no such setting" in problem:
        return "Correct its name, or remove it."
    if problem.startswith("connections."):
        return "Correct it in the connections file: `usher docs connections` lists every key."
    field = VARIABLES.get(problem.split(":", maxsplit=1)[0].split(maxsplit=1)[0])
    return (find_advice(field) if field is not None else "") or _CORRECT_VALUE

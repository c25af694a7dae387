"""Pure functions that check a submitted form against its draft and turn it into a spec.

A spec may contain ``template``, ``workbench``, ``cluster``, ``image``, ``queue``, ``profile``, ``directory``,
``file`` and ``command``, and the ``name=value`` lists ``limits``, ``limit_types``, ``constraints`` and
``environment``. If there is no cluster, the session runs on the server itself, without the launcher.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.domain import forms
from bot.domain.forms import TEMPLATE_NOT_OFFERED, FormProblems, Spec, Value, Values
from bot.providers.posit import offers
from bot.providers.posit.drafts import MAX_SESSION_NAME, Draft, list_constraint_choices, propose_name
from bot.providers.posit.offers import CUSTOM_PROFILE, WorkbenchOffer
from bot.providers.posit.types import ComputeEnv
from bot.providers.words import clean

MAX_TEXT = 500
MAX_COMMAND = 2000
_VARIABLE_PATTERN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MAX_VARIABLES = 100


def build_spec(offer: WorkbenchOffer, drafted: Draft, values: Values) -> Spec:
    """Return the spec for a completed form; raise FormProblems with a sentence for each invalid field."""
    problems: dict[str, str] = {}
    name = _name(offer, drafted, values, problems)
    spec: dict[str, Value] = {}
    if drafted.template is not None:
        spec["template"] = drafted.template.name
    elif forms.text_of(values, "template"):
        problems["template"] = TEMPLATE_NOT_OFFERED
    _choose(spec, drafted, values, problems)
    spec["limits"], spec["limit_types"] = _check_limits(drafted, values, problems)
    spec["constraints"] = _check_constraints(drafted, values, problems)
    for key in ("directory", "file") if drafted.opens_files else ("directory",):
        spec[key] = _check_line(values, key, problems)
    spec["environment"] = _check_environment(values, problems)
    if problems:
        raise FormProblems(problems)
    return Spec(name, {key: value for key, value in spec.items() if value})


def _name(offer: WorkbenchOffer, drafted: Draft, values: Values, problems: dict[str, str]) -> str:
    name = clean(forms.text_of(values, "name"), 10 * MAX_SESSION_NAME)
    if drafted.purpose == "job":
        name = name or propose_name(offer, drafted)
        # Shorten a name that was derived from the command, but never a name that the user chose.
        name = name or clean(forms.text_of(values, "command").strip().partition("\n")[0], MAX_SESSION_NAME)
    taken = offer.names if drafted.purpose == "workspace" else ()
    if wrong := forms.find_name_problem(name, MAX_SESSION_NAME, taken, "session"):
        problems["name"] = wrong
    return name


def _choose(spec: dict[str, Value], drafted: Draft, values: Values, problems: dict[str, str]) -> None:
    """Copy the user's choices to the spec if they are offered and no template sets them."""
    if drafted.purpose == "workspace" and not drafted.session.workbench:
        if not drafted.ide or forms.text_of(values, "ide") not in {"", drafted.ide}:
            problems["ide"] = "That IDE isn't available here. Choose another one."
        spec["workbench"] = drafted.ide
    if drafted.asks_command:
        spec["command"] = _check_command(values, problems)
        if not spec["command"]:
            problems.setdefault("command", "Needs a command.")
    _choose_cluster(spec, drafted, values, problems)


def _choose_cluster(spec: dict[str, Value], drafted: Draft, values: Values, problems: dict[str, str]) -> None:
    cluster, fixed = drafted.cluster, drafted.preset_resources
    if fixed.cluster:
        if cluster is None:
            problems["template"] = "Its cluster isn't available right now. Ask your Usher admin."
    elif drafted.needs_cluster:
        if cluster is None or forms.text_of(values, "cluster") not in {"", cluster.name}:
            problems["cluster"] = "That cluster isn't available here. Choose another one."
        else:
            spec["cluster"] = cluster.name
    if cluster is None:
        return
    chosen: list[tuple[str, str, Iterable[str]]] = [("profile", drafted.profile, drafted.profiles)]
    if not fixed.container_image:
        chosen.append(("image", drafted.image, offers.list_images(cluster)))
    if not fixed.queues:
        chosen.append(("queue", forms.text_of(values, "queue"), cluster.queues))
    for key, value, offered in chosen:
        # Ignore a choice that was made for another cluster if the current cluster has no field for it.
        if forms.text_of(values, key) and list(offered) and forms.text_of(values, key) not in offered:
            problems[key] = f"This cluster has no such {key}. Choose another one."
        elif value in offered and not _is_custom_profile(key, value, cluster):
            spec[key] = value


def _is_custom_profile(key: str, value: str, cluster: ComputeEnv) -> bool:
    """Return whether this is the profile that Usher's form adds for custom limits. Servers don't know it."""
    listed = {one.name for one in cluster.resource_profiles}
    return key == "profile" and value == CUSTOM_PROFILE and value not in listed


def _check_limits(
    drafted: Draft, values: Values, problems: dict[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the limits as ``kind=value`` strings, and the types that the server gives for their values."""
    limits, typed = [], []
    for field, limit in drafted.limits.items():
        text = _check_line(values, field, problems)
        if problem := limit.find_problem(text):
            problems[field] = problem
        elif text:
            limits.append(f"{limit.name}={limit.to_request(text)}")
            typed += [f"{limit.name}={limit.value_type}"] if limit.value_type else []
    return tuple(limits), tuple(typed)


def _check_constraints(drafted: Draft, values: Values, problems: dict[str, str]) -> tuple[str, ...]:
    listed = {choice.value for choice in list_constraint_choices(drafted.cluster)}
    if drafted.preset_resources.placement_constraints:
        return ()
    chosen = forms.texts_of(values, "constraints")
    typed = {key: _check_line(values, field, problems) for field, key in drafted.places.items()}
    every = (*chosen, *(f"{key}={text}" for key, text in typed.items() if text))
    names = [one.partition("=")[0] for one in every]
    if not set(chosen) <= listed:
        problems["constraints"] = "That placement isn't available on this cluster. Choose again."
    elif len(set(names)) < len(names):
        problems["constraints"] = "Choose one value for each kind of placement."
    return every


def _check_line(values: Values, name: str, problems: dict[str, str]) -> str:
    text = forms.text_of(values, name)
    if len(text) > MAX_TEXT:
        problems[name] = f"At most {MAX_TEXT} characters."
    elif any(not letter.isprintable() for letter in text):
        problems[name] = "Needs to be one line without invisible characters."
    return text


def _check_command(values: Values, problems: dict[str, str]) -> str:
    text = forms.text_of(values, "command").replace("\r\n", "\n")
    if len(text) > MAX_COMMAND:
        problems["command"] = f"At most {MAX_COMMAND} characters."
    elif any(not letter.isprintable() and letter not in "\n\t" for letter in text):
        problems["command"] = "Needs to have no invisible characters."
    return text


def _check_environment(values: Values, problems: dict[str, str]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for line in forms.text_of(values, "environment").splitlines():
        name, equals, value = line.strip().partition("=")
        name = name.strip()
        if not name and not equals:
            continue
        if not equals or not _VARIABLE_PATTERN.fullmatch(name):
            problems["environment"] = (
                f"Put one variable on each line, as NAME=value. This isn't one: {clean(line, 40)}"
            )
        elif name in found:
            problems["environment"] = f"{name} is there twice."
        found[name] = value.strip()
    if len(found) > MAX_VARIABLES:
        problems["environment"] = f"At most {MAX_VARIABLES} variables."
    return tuple(f"{name}={value}" for name, value in found.items())

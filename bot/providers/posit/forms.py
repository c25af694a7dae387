"""The form of a draft: its fields, with the choices that remain; pure.

What the server proposes is sent as the server wrote it, so a form that is submitted unchanged is always
accepted.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain import forms
from bot.domain.forms import Choice, Form, name_field
from bot.providers.posit import offers, types
from bot.providers.posit.drafts import LIMITS, MAX_SESSION_NAME, Draft, constraint_choices, proposed_name
from bot.providers.posit.offers import Offer
from bot.providers.posit.specs import MAX_COMMAND, MAX_TEXT
from bot.providers.posit.types import ResourceLimit

ANYWHERE = "Where it should run. Leave it empty to run anywhere."


def form_of(offer: Offer, drafted: Draft) -> Form:
    """Return the form of a draft; without fields if nothing can be launched."""
    is_nowhere = drafted.needs_cluster and drafted.cluster is None
    if not drafted.templates and (is_nowhere or (drafted.purpose == "workspace" and not drafted.ide)):
        return Form(())
    fields = [*_first(drafted), *_naming(offer, drafted), *_where(drafted), *_with(drafted), *_rest(drafted)]
    return Form(tuple(fields))


def _first(drafted: Draft) -> list[forms.Field]:
    found = []
    if drafted.templates:
        choices = tuple(Choice(template.name, template.title) for template in drafted.templates)
        hint = "Prepared settings. Leave it empty to choose everything yourself."
        chosen = drafted.template.name if drafted.template is not None else ""
        found.append(
            forms.Field(
                "template",
                "Template",
                "choice",
                choices,
                chosen,
                optional=True,
                hint=hint,
                has_dependents=True,
            )
        )
    if drafted.purpose == "workspace" and not drafted.session.workbench:
        found.append(
            forms.Field("ide", "IDE", "choice", _choices(drafted.ides), drafted.ide, has_dependents=True)
        )
    if drafted.asks_command:
        hint = "As in a shell, for example: Rscript train.R"
        found.append(forms.Field("command", "Command", "long_text", hint=hint, max_length=MAX_COMMAND))
    return found


def _naming(offer: Offer, drafted: Draft) -> list[forms.Field]:
    hint = "Defaults to the command." if drafted.asks_command else ""
    is_job = drafted.purpose == "job"
    return [name_field(proposed_name(offer, drafted), MAX_SESSION_NAME, optional=is_job, hint=hint)]


def _where(drafted: Draft) -> list[forms.Field]:
    cluster, fixed = drafted.cluster, drafted.fixed
    found = []
    if drafted.needs_cluster and not fixed.cluster:
        names = _choices(one.name for one in drafted.clusters)
        initial = cluster.name if cluster is not None else ""
        found.append(forms.Field("cluster", "Cluster", "search", names, initial, has_dependents=True))
    if cluster is None:
        return found
    images = offers.images(cluster)
    if images and not fixed.container_image:
        found.append(forms.Field("image", "Image", "search", _choices(images), drafted.image, optional=True))
    if cluster.queues and not fixed.queues:
        found.append(forms.Field("queue", "Queue", "search", _choices(cluster.queues), optional=True))
    return found


def _with(drafted: Draft) -> list[forms.Field]:
    found = []
    if drafted.profiles:
        listed = drafted.cluster.resource_profiles if drafted.cluster is not None else ()
        labels = {one.name: one.label for one in listed} | {offers.CUSTOM_PROFILE: "My own limits"}
        choices = tuple(Choice(name, labels.get(name) or name) for name in drafted.profiles)
        found.append(
            forms.Field("profile", "Resources", "search", choices, drafted.profile, has_dependents=True)
        )
    found += [_limit(field, limit) for field, limit in drafted.limits.items()]
    choices = constraint_choices(drafted.cluster)
    if choices and not drafted.fixed.placement_constraints:
        found.append(forms.Field("constraints", "Placement", "multi_search", choices, (), optional=True))
    for field, key in drafted.places.items():
        label = offers.spoken(key)
        found.append(forms.Field(field, label, "text", optional=True, hint=ANYWHERE, max_length=MAX_TEXT))
    return found


def _limit(field: str, limit: ResourceLimit) -> forms.Field:
    label = limit.label or (LIMITS[limit.name][1] if limit.name in LIMITS else offers.spoken(limit.name))
    if not limit.is_number:
        return forms.Field(field, label, "text", initial=limit.proposed, optional=True, max_length=MAX_TEXT)
    number = types.number_of(limit.proposed)
    return forms.Field(
        field,
        label,
        "number",
        initial="" if number is None else types.plain(number),
        optional=True,
        hint="" if limit.most is None else f"At most {types.plain(limit.most)}.",
        minimum=0,
        maximum=limit.most,
    )


def _rest(drafted: Draft) -> list[forms.Field]:
    found = []
    if not (drafted.session.working_directory or drafted.job.working_directory):
        found.append(
            forms.Field(
                "directory",
                "Working directory",
                "text",
                optional=True,
                hint="Defaults to your home directory.",
                max_length=MAX_TEXT,
            )
        )
    if drafted.opens_files and not drafted.session.open_file:
        found.append(forms.Field("file", "File to open", "text", optional=True, max_length=MAX_TEXT))
    found.append(
        forms.Field(
            "environment",
            "Environment variables",
            "long_text",
            optional=True,
            hint="One per line: NAME=value. They aren't encrypted, so don't put secrets here.",
            is_remembered=False,
        )
    )
    return found


def _choices(names: Iterable[str]) -> tuple[Choice, ...]:
    return tuple(Choice(name, name) for name in names)

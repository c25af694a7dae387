"""The form for a draft: its fields, with the choices that remain. Pure functions.

A field's initial value is written exactly as the server wrote it, so the server accepts an unchanged form.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain import forms
from bot.domain.forms import Choice, Form, name_field
from bot.providers.posit import offers, types
from bot.providers.posit.drafts import LIMITS, MAX_SESSION_NAME, Draft, list_constraint_choices, propose_name
from bot.providers.posit.offers import WorkbenchOffer
from bot.providers.posit.specs import MAX_COMMAND, MAX_TEXT
from bot.providers.posit.types import ResourceLimit

ANYWHERE = "Where it should run. Leave it empty to run anywhere."


def build_form(offer: WorkbenchOffer, drafted: Draft) -> Form:
    """Return the form for a draft; it has no fields if nothing can be launched."""
    is_nowhere = drafted.needs_cluster and drafted.cluster is None
    if not drafted.templates and (is_nowhere or (drafted.purpose == "workspace" and not drafted.ide)):
        return Form(())
    fields = [
        *_build_first_fields(drafted),
        name_field(
            propose_name(offer, drafted),
            MAX_SESSION_NAME,
            optional=drafted.purpose == "job",
            hint="Defaults to the command." if drafted.asks_command else "",
        ),
        *_build_location_fields(drafted),
        *_build_resource_fields(drafted),
        *_build_last_fields(drafted),
    ]
    return Form(tuple(fields))


def _build_first_fields(drafted: Draft) -> list[forms.Field]:
    found = []
    if drafted.templates:
        choices = tuple(Choice(template.name, template.offer_label) for template in drafted.templates)
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
            forms.Field("ide", "IDE", "choice", _to_choices(drafted.ides), drafted.ide, has_dependents=True)
        )
    if drafted.asks_command:
        hint = "As in a shell, for example: Rscript train.R"
        found.append(forms.Field("command", "Command", "long_text", hint=hint, max_length=MAX_COMMAND))
    return found


def _build_location_fields(drafted: Draft) -> list[forms.Field]:
    cluster, fixed = drafted.cluster, drafted.preset_resources
    found = []
    if drafted.needs_cluster and not fixed.cluster:
        names = _to_choices(one.name for one in drafted.clusters)
        initial = cluster.name if cluster is not None else ""
        found.append(forms.Field("cluster", "Cluster", "search", names, initial, has_dependents=True))
    if cluster is None:
        return found
    images = offers.list_images(cluster)
    if images and not fixed.container_image:
        found.append(
            forms.Field("image", "Image", "search", _to_choices(images), drafted.image, optional=True)
        )
    if cluster.queues and not fixed.queues:
        found.append(forms.Field("queue", "Queue", "search", _to_choices(cluster.queues), optional=True))
    return found


def _build_resource_fields(drafted: Draft) -> list[forms.Field]:
    found = []
    if drafted.profiles:
        listed = drafted.cluster.resource_profiles if drafted.cluster is not None else ()
        labels = {one.name: one.label for one in listed} | {offers.CUSTOM_PROFILE: "My own limits"}
        choices = tuple(Choice(name, labels.get(name) or name) for name in drafted.profiles)
        found.append(
            forms.Field("profile", "Resources", "search", choices, drafted.profile, has_dependents=True)
        )
    found += [_build_limit_field(field, limit) for field, limit in drafted.limits.items()]
    choices = list_constraint_choices(drafted.cluster)
    if choices and not drafted.preset_resources.placement_constraints:
        found.append(forms.Field("constraints", "Placement", "searches", choices, (), optional=True))
    for field, key in drafted.places.items():
        label = offers.format_key(key)
        found.append(forms.Field(field, label, "text", optional=True, hint=ANYWHERE, max_length=MAX_TEXT))
    return found


def _build_limit_field(field: str, limit: ResourceLimit) -> forms.Field:
    label = limit.label or (LIMITS[limit.name][1] if limit.name in LIMITS else offers.format_key(limit.name))
    if not limit.is_number:
        return forms.Field(
            field, label, "text", initial=limit.default_text, optional=True, max_length=MAX_TEXT
        )
    number = types.parse_number(limit.default_text)
    return forms.Field(
        field,
        label,
        "number",
        initial="" if number is None else types.format_number(number),
        optional=True,
        hint="" if limit.max_value is None else f"At most {types.format_number(limit.max_value)}.",
        minimum=0,
        maximum=limit.max_value,
    )


def _build_last_fields(drafted: Draft) -> list[forms.Field]:
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


def _to_choices(names: Iterable[str]) -> tuple[Choice, ...]:
    return tuple(Choice(name, name) for name in names)

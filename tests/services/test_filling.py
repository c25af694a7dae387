"""Tests that flags become values of a provider's form, with Workbench's form on the local clusters."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.forms import Field, Form, Spec
from bot.messages.blocks.forms import format_flag as shown_flag
from bot.messages.blocks.forms import format_flag_problem
from bot.providers.posit import drafts, forms, specs
from bot.providers.posit.offers import WorkbenchOffer
from bot.providers.posit.types import ComputeEnvs
from bot.services import creation
from bot.services.creation import Flag
from handlers.requests.command_line import parse_command_line
from tests.messages.card_facts import ALICE
from tests.project.repository import ROOT

SEED = json.loads((ROOT / "playground/posit/default_seed.json").read_text(encoding="utf-8"))
OFFER = WorkbenchOffer(
    ComputeEnvs.from_json({key: SEED[key] for key in ("clusters", "workbenches") if key in SEED})
)


def form_of(values):
    return forms.build_form(OFFER, drafts.build_draft(OFFER, "job", values, ALICE, ()))


def filled(line):
    told = parse_command_line(f"job run {line}", {})
    return creation.apply_flags(form_of, [*told.flags, Flag("command", told.tail or "")])


def spec(line):
    result = filled(line)
    assert (result.problems, result.unknown) == ({}, [])
    return specs.build_spec(OFFER, drafts.build_draft(OFFER, "job", result.values, ALICE, ()), result.values)


@pytest.mark.parametrize(
    ("line", "made"),
    [
        ("-- Rscript train.R", {"cluster": "Local"}),
        ("--cluster Local --cpus 2 -- Rscript train.R", {"cluster": "Local"}),
        (
            "--cluster slurm --cores 2 --mem 2000 --partition gpu --dir ~/a -- Rscript train.R",
            {
                "cluster": "Slurm",
                "limits": ("cpuCount=2", "memory=2000", "gpuCount=0"),
                "queue": "gpu",
                "directory": "~/a",
            },
        ),
        (
            "--cluster Kubernetes --processors 2 --container ghcr.io/acme/gpu:2024.12 -- Rscript train.R",
            {"cluster": "Kubernetes", "limits": ("cpuCount=2", "memory=2048", "NVIDIA GPUs=0")}
            | {"image": "ghcr.io/acme/gpu:2024.12", "profile": "custom"},
        ),
    ],
)
def test_a_line_is_what_the_form_would_have_made(line, made):
    assert spec(line) == Spec("Rscript train.R", {"command": "Rscript train.R", **made})


def test_what_is_empty_stays_empty():
    assert filled("--cluster Slurm --memory= -- ls").values["memory"] == ""


def test_a_flag_of_another_choice_names_that_choice():
    result = filled("--cpus 2 --image x -- ls")
    assert [flag.name for flag in result.unknown] == ["cpus", "image"]
    assert creation.find_enabling_choices(form_of, result, result.unknown[0]) == [("cluster", "Slurm")]
    assert creation.find_enabling_choices(form_of, result, result.unknown[1]) == [("cluster", "Kubernetes")]


def test_fields_are_known_by_name_label_and_synonym_in_this_order():
    form = Form(
        (
            Field("dir", "Folder", "text"),
            Field("limit_NVIDIA-gpu", "NVIDIA GPUs", "number"),
            Field("container_image", "What to run it in", "text"),
        )
    )

    def meant(name):
        found = creation.find_field(form, name)
        return None if found is None else found.name

    assert [meant(name) for name in ("dir", "FOLDER", "cwd", "working-directory")] == ["dir"] * 4
    assert meant("nvidia-GPU") == meant("nvidia-gpus") == "limit_NVIDIA-gpu"
    assert meant("image") == "container_image"
    assert meant("rockets") is None
    assert [shown_flag(one.name) for one in form.fields] == [
        "`--dir`",
        "`--NVIDIA-gpu`",
        "`--container-image`",
    ]


def test_of_many_choices_some_are_named():
    long = Form((Field("zone", "Zone", "search", forms._to_choices(f"z{number}" for number in range(20))),))
    result = creation.apply_flags(lambda _: long, [Flag("zone", "x")])
    assert format_flag_problem(result.problems["zone"]).startswith("`x` isn't available. For example: `z0`, ")
    empty = Form((Field("zone", "Zone", "search"),))
    result = creation.apply_flags(lambda _: empty, [Flag("zone", "x")])
    assert "nothing to choose" in format_flag_problem(result.problems["zone"])


@given(
    st.lists(
        st.builds(
            Flag,
            st.sampled_from(["cluster", "cpus", "image", "profile", "queue", "env", "placement", "nonsense"]),
            st.one_of(st.none(), st.sampled_from(["Local", "Slurm", "Kubernetes", "custom", "2", "", "a,b"])),
        ),
        max_size=8,
    )
)
def test_any_flags_come_to_an_end(flags):
    result = creation.apply_flags(form_of, flags)
    known = {one.name for one in result.form.fields}
    assert set(result.values) | set(result.problems) <= known | {"cluster", "profile", "template"}
    for flag in result.unknown:
        creation.find_enabling_choices(form_of, result, flag)

"""Tests of forms for sessions and jobs, and of the values that they result in."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from bot.domain.forms import FormProblems, Spec, Values
from bot.domain.people import Principal
from bot.providers.posit import drafts, forms, launches, specs
from bot.providers.posit.launches import WorkbenchTemplate
from bot.providers.posit.offers import WorkbenchOffer
from bot.providers.posit.provider import PositProvider, PositSettings
from bot.providers.posit.types import ComputeEnvs
from tests.providers.posit.answers import ANSWER, BOTH

ALICE, BOB = Principal(None, "T1", "UALICE"), Principal(None, "T1", "UBOB")
CLUSTERS = [
    ANSWER["clusters"][0],
    {**ANSWER["clusters"][1], "workbenches": {"JupyterLab": BOTH, "RStudio": BOTH}},
    {
        "name": "Slurm",
        "queues": ["short", "long"],
        "resourceLimits": [{"type": "cpuCount", "maxValue": "64"}],
    },
]
SNAPSHOT = WorkbenchOffer(
    ComputeEnvs.from_json({**ANSWER, "clusters": CLUSTERS}), ("RStudio", "RStudio 2", "notes")
)
TEMPLATES = (
    WorkbenchTemplate.model_validate(
        {
            "name": "gpu",
            "title": "GPU notebook",
            "session": {
                "workbench": "JupyterLab",
                "working_directory": "/course",
                "launch_parameters": {
                    "cluster": "Kubernetes",
                    "container_image": "r:5",
                    "default_image": "r:4",
                    "resource_limits": [{"name": "memory", "value": "4096"}],
                    "placement_constraints": [{"name": "zone", "value": "b"}],
                    "aws_role_arn": "arn",
                },
                "start_hooks": [{"exe": "/bin/on"}],
                "stop_hooks": [{"exe": "/bin/off"}],
                "environment": {"TEAM": "ml"},
            },
            "who": ["UALICE"],
        }
    ),
    WorkbenchTemplate.model_validate(
        {
            "name": "nightly",
            "title": "Nightly report",
            "job": {
                "cluster": "Local",
                "exe": "/bin/bash",
                "args": ["-c", "R -f report.R"],
                "tags": ["nightly"],
                "apply_config_settings": False,
            },
        }
    ),
)


def drafted(purpose, values: Values, principal=ALICE, templates=TEMPLATES, snapshot=SNAPSHOT):
    offer = TypeAdapter(WorkbenchOffer).validate_python(json.loads(json.dumps(to_jsonable_python(snapshot))))
    return offer, drafts.build_draft(offer, purpose, values, principal, templates)


def form(purpose="workspace", principal=ALICE, templates=TEMPLATES, snapshot=SNAPSHOT, **values):
    return forms.build_form(*drafted(purpose, values, principal, templates, snapshot))


def spec(purpose="workspace", principal=ALICE, templates=TEMPLATES, **values):
    offer, draft = drafted(purpose, values, principal, templates)
    return specs.build_spec(offer, draft, values)


def problems(purpose="workspace", principal=ALICE, templates=TEMPLATES, **values) -> dict[str, str]:
    with pytest.raises(FormProblems) as caught:
        spec(purpose, principal, templates, **values)
    assert all(sentence.endswith(".") or ": " in sentence for sentence in caught.value.problems.values())
    return caught.value.problems


def names(shown) -> list[str]:
    return [field.name for field in shown.fields]


def values_of(shown, name: str) -> list[str]:
    field = shown.field(name)
    return [choice.value for choice in field.choices]


def test_a_form_asks_for_what_the_chosen_cluster_has():
    shown = form()
    assert names(shown) == [
        "template",
        "ide",
        "name",
        "cluster",
        "directory",
        "file",
        "environment",
    ]
    assert values_of(shown, "ide") == ["RStudio", "JupyterLab", "Positron"]
    assert shown.field("cluster").initial == "Local"  # the server's default is not listed
    shown = form(ide="JupyterLab")
    assert names(shown) == [
        "template",
        "ide",
        "name",
        "cluster",
        "image",
        "queue",
        "profile",
        "constraints",
        "place_node",
        "directory",
        "environment",
    ]
    assert shown.field("cluster").initial == "Kubernetes"
    assert (shown.field("image").initial, values_of(shown, "image")) == ("r:5", ["r:4", "r:5"])
    assert values_of(shown, "constraints") == ["zone=a", "zone=b"]


def test_limits_are_asked_for_where_no_profile_says_them():
    shown = form(ide="JupyterLab", profile="custom")
    cpus, memory = shown.field("cpus"), shown.field("memory")
    assert (cpus.kind, cpus.initial, cpus.maximum, cpus.hint) == ("number", "2", 8.0, "At most 8.")
    assert (memory.initial, memory.maximum) == ("512", 4096.0)
    assert "cpus" not in names(form(ide="JupyterLab", profile="small"))
    assert "cpus" in names(form(cluster="Slurm"))


def test_a_name_that_is_free_is_proposed():
    assert form().field("name").initial == "RStudio 3"
    assert form(ide="JupyterLab").field("name").initial == "JupyterLab"


def test_what_is_not_offered_any_more_is_dropped():
    shown = form(ide="VS Code", cluster="Moon", image="x", profile="y")
    assert shown.field("ide").initial == "RStudio"
    assert shown.field("cluster").initial == "Local"


def test_fields_that_others_depend_on_redraw_the_form():
    shown = form(ide="JupyterLab")
    assert {field.name for field in shown.fields if field.has_dependents} == {
        "template",
        "ide",
        "cluster",
        "profile",
    }
    assert {field.name for field in shown.fields if not field.is_remembered} == {"name", "environment"}


def test_where_nothing_is_offered_there_is_no_field():
    nothing = WorkbenchOffer(ComputeEnvs(clusters=(), workbenches={}))
    assert form(templates=(), snapshot=nothing).fields == ()
    assert form("job", templates=(), snapshot=nothing).fields == ()


def test_a_spec_holds_what_was_chosen_and_nothing_else():
    assert spec(name="paper") == Spec("paper", {"workbench": "RStudio", "cluster": "Local"})
    assert spec(
        ide="JupyterLab",
        name=" deep  work ",
        cluster="Kubernetes",
        image="r:4",
        queue="long",
        profile="custom",
        cpus="0.5",
        memory="2048.0",
        constraints=("zone=a",),
        directory="~/course",
        file="~/a.R",
        environment="A=1\n\n B = two words=x \nC=",
    ) == Spec(
        "deep work",
        {
            "workbench": "JupyterLab",
            "cluster": "Kubernetes",
            "image": "r:4",
            "queue": "long",
            "profile": "custom",
            "limits": ("cpuCount=0.5", "memory=2048"),
            "limit_types": ("memory=int",),
            "constraints": ("zone=a",),
            "directory": "~/course",
            "environment": ("A=1", "B=two words=x", "C="),
        },
    )
    assert spec(name="n", file="~/a.R").text("file") == "~/a.R"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": "notes"}, "name"),
        ({"name": "n", "ide": "VS Code"}, "ide"),
        ({"name": "n", "cluster": "Moon"}, "cluster"),
        ({"name": "n", "ide": "JupyterLab", "image": "x"}, "image"),
        ({"name": "n", "cluster": "Slurm", "queue": "x"}, "queue"),
        ({"name": "n", "ide": "JupyterLab", "profile": "x"}, "profile"),
        ({"name": "n", "cluster": "Slurm", "cpus": "65"}, "cpus"),
        ({"name": "n", "cluster": "Slurm", "cpus": "-1"}, "cpus"),
        ({"name": "n", "cluster": "Slurm", "cpus": "two"}, "cpus"),
        ({"name": "n", "ide": "JupyterLab", "constraints": ("zone=c",)}, "constraints"),
        ({"name": "n", "ide": "JupyterLab", "constraints": ("zone=a", "zone=b")}, "constraints"),
        ({"name": "n", "directory": "x" * 501}, "directory"),
        ({"name": "n", "directory": "a\u202eb"}, "directory"),
        ({"name": "n", "environment": "no equals sign"}, "environment"),
        ({"name": "n", "environment": "1A=x"}, "environment"),
        ({"name": "n", "environment": "A=1\nA=2"}, "environment"),
        ({"name": "n", "environment": "\n".join(f"A{n}=1" for n in range(101))}, "environment"),
        ({"name": "n", "template": "nightly"}, "template"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(values, field):
    assert list(problems(**values)) == [field]


def test_many_problems_are_said_at_once():
    assert set(problems(name="notes", cluster="Moon", environment="x")) == {"name", "cluster", "environment"}


def test_a_template_asks_only_for_the_rest():
    shown = form(template="gpu")
    assert names(shown) == ["template", "name", "queue", "environment"]
    assert shown.field("name").initial == "JupyterLab"
    made = spec(template="gpu", name="deep", queue="long", environment="TEAM=mine\nA=1")
    assert made == Spec("deep", {"template": "gpu", "queue": "long", "environment": ("TEAM=mine", "A=1")})
    told = launches.build_session_launch(made, launches.find_template(TEMPLATES, made), "ws_0123456789abcdef")
    assert told["launch_parameters"] == {
        "name": "deep [89abcdef]",
        "cluster": "Kubernetes",
        "placement_constraints": [{"name": "zone", "value": "b"}],
        "resource_limits": [{"name": "memory", "type": "memory", "value": "4096"}],
        "queues": ["long"],
        "container_image": "r:5",
        "default_image": "r:4",
        "aws_role_arn": "arn",
    }
    assert (told["workbench"], told["working_directory"], told["name"]) == ("JupyterLab", "/course", "deep")
    assert (told["start_hooks"], told["stop_hooks"]) == ([{"exe": "/bin/on"}], [{"exe": "/bin/off"}])
    assert told["environment"] == [{"name": "TEAM", "value": "ml"}, {"name": "A", "value": "1"}]


def test_a_template_is_for_whom_it_names():
    assert values_of(form(), "template") == ["gpu"]
    assert "template" not in names(form(principal=BOB))
    assert list(problems(principal=BOB, name="n", template="gpu")) == ["template"]


def test_what_was_made_from_a_template_is_not_made_again_for_others():
    told = {"name": "posit", "provider": "posit", "title": "Workbench", "base_url": "https://w.test"}
    settings = PositSettings.model_validate({**told, "linking": ["token"], "templates": TEMPLATES})
    provider = PositProvider(settings, None)
    assert not provider.is_withheld(Spec("n", {"template": "gpu"}), ALICE)
    assert provider.is_withheld(Spec("n", {"template": "gpu"}), BOB)
    assert not provider.is_withheld(Spec("n", {"template": "nightly"}), BOB)
    assert not provider.is_withheld(Spec("n"), BOB)


def test_a_template_whose_cluster_is_away_says_so():
    gone = (
        TEMPLATES[0].model_copy(
            update={
                "session": TEMPLATES[0].session.model_copy(
                    update={
                        "launch_parameters": TEMPLATES[0].session.launch_parameters.model_copy(
                            update={"cluster": "Moon"}
                        )
                    }
                )
            }
        ),
    )
    assert list(problems(templates=gone, template="gpu", name="n")) == ["template"]


def test_a_job_is_asked_for_and_launched():
    shown = form("job")
    assert names(shown) == ["template", "command", "name", "cluster", "directory", "environment"]
    assert values_of(shown, "template") == ["nightly"]
    made = spec("job", command="Rscript train.R", cluster="Slurm", queue="long", cpus="2")
    assert made == Spec(
        "Rscript train.R",
        {
            "command": "Rscript train.R",
            "cluster": "Slurm",
            "queue": "long",
            "limits": ("cpuCount=2",),
        },
    )
    launch = launches.build_job_launch(made, None, "job_0123456789abcdef")
    assert launch["apply_config_settings"] is None
    assert {name: value for name, value in launch["job"].items() if value is not None} == {
        "name": "Rscript train.R",
        "cluster": "Slurm",
        "command": "Rscript train.R",
        "tags": ["usher-89abcdef"],
        "resource_limits": [{"name": "cpuCount", "type": "cpuCount", "value": "2"}],
        "resourceLimits": [{"name": "cpuCount", "type": "cpuCount", "value": "2"}],
        "queues": ["long"],
    }
    assert list(problems("job")) == ["name", "command"]
    assert len(spec("job", command="x" * 300).name) <= 64


def test_a_job_of_a_template_needs_nothing_more():
    made = spec("job", template="nightly")
    assert made == Spec("Nightly report", {"template": "nightly"})
    launch = launches.build_job_launch(made, launches.find_template(TEMPLATES, made), "k")
    assert launch["apply_config_settings"] is False
    job = launch["job"]
    assert (job["exe"], job["args"], job["command"]) == ("/bin/bash", ["-c", "R -f report.R"], None)
    assert job["tags"] == ["nightly", "usher-0000000k"]


def test_fields_of_many_words_go_in_both_spellings():
    fields = {"directory": "/work", "image": "r:4", "queue": "long", "profile": "small"}
    pairs = {"limits": ("cpuCount=2",), "constraints": ("zone=a",), "environment": ("A=1",)}
    made = Spec("n", {"cluster": "Kubernetes", "command": "Rscript train.R", **fields, **pairs})
    job = launches.build_job_launch(made, None, "k")["job"]
    both = {
        "working_directory": "/work",
        "resource_profile": "small",
        "placement_constraints": [{"name": "zone", "value": "a"}],
        "resource_limits": [{"name": "cpuCount", "type": "cpuCount", "value": "2"}],
    }
    for name, value in both.items():
        first, second = name.split("_")
        assert job[name] == job[f"{first}{second.title()}"] == value
    assert (job["container_image"], job["container"]) == ("r:4", {"image": "r:4"})
    assert (job["queues"], job["environment"]) == (["long"], [{"name": "A", "value": "1"}])


@pytest.mark.parametrize("name", ["a", "x" * 64, "[89abcdef]", "ends [12345678]"])
def test_a_mark_is_known_again_and_tells_keys_apart(name):
    marks = {launches.build_mark(Spec(name), key) for key in ("ws_0123456789abcdef", "ws_00000000")}
    assert len(marks) == 2
    assert all(launches.is_mark(mark) and len(mark) <= 63 for mark in marks)
    assert not launches.is_mark("plain")


WORDS = st.sampled_from(
    [
        "",
        "RStudio",
        "JupyterLab",
        "Local",
        "Kubernetes",
        "custom",
        "small",
        "gpu",
        "nightly",
        "r:4",
        "zone=a",
        "2",
    ]
)
FIELDS = ["template", "ide", "name", "cluster", "image", "queue", "profile", "cpus", "memory", "constraints",
          "directory", "file", "environment", "command"]  # fmt: skip
VALUES = st.dictionaries(
    st.sampled_from(FIELDS), WORDS | st.text(max_size=8) | st.lists(WORDS, max_size=3).map(tuple)
)


@given(st.sampled_from(["workspace", "job"]), VALUES)
def test_any_filling_is_a_spec_or_has_problems_at_fields(purpose, values):
    offer, draft = drafted(purpose, values)
    shown = forms.build_form(offer, draft)
    assert len({field.name for field in shown.fields}) == len(shown.fields)
    try:
        made = specs.build_spec(offer, draft, values)
    except FormProblems as wrong:
        assert set(wrong.problems) <= {*FIELDS}  # noqa: PT017 - most fillings are wrong, some are not
        assert all(wrong.problems.values())  # noqa: PT017 - the same
        return
    assert Spec.from_json(json.loads(json.dumps(made.as_json()))) == made
    template = launches.find_template(TEMPLATES, made)
    if purpose == "workspace":
        told = launches.build_session_launch(made, template, "k")
        assert told["workbench"]
        assert told["launch_parameters"]["cluster"]
    else:
        job = launches.build_job_launch(made, template, "k")["job"]
        assert job["cluster"]
        assert job["exe"] or job["command"]

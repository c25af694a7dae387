"""Tests that the alerts and the dashboard fit the metrics, the documentation and Prometheus."""

import json
import re

import pytest
import yaml

from bot.commands.pages import find_section
from tests.project.repository import ROOT
from tests.rigs.prometheus import RULES, exported, promtool

RULE_GROUP = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]
DASHBOARD = json.loads((ROOT / "deploy/grafana/usher.json").read_text(encoding="utf-8"))
PANELS = DASHBOARD["panels"]
#: Labels that Prometheus itself adds to each series.
_ADDED = {"job", "instance"}
_NAMES = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_STRINGS = re.compile(r'"[^"]*"')
_SELECTED = re.compile(r"\b(usher_\w+)(?:\{([^}]*)\})?")
_GROUPED = re.compile(r"\b(?:by|without) \(([^)]*)\)")


def expressions() -> list[str]:
    """Return every expression of the alerts and the panels."""
    return [rule["expr"] for rule in RULE_GROUP] + [
        target["expr"] for panel in PANELS for target in panel.get("targets", [])
    ]


def labels_of(matchers: str) -> set[str]:
    return set(_NAMES.findall(_STRINGS.sub("", matchers)))


@pytest.mark.parametrize("expression", expressions())
def test_every_expression_uses_metrics_and_labels_that_exist(expression):
    known = {name: labels | _ADDED for name, _, labels in exported()}
    used = _SELECTED.findall(expression)
    assert {name for name, _ in used} <= known.keys()
    for name, matchers in used:
        assert labels_of(matchers) <= known[name], name
    offered = set().union(*(known[name] for name, _ in used), _ADDED)
    for grouped in _GROUPED.findall(expression):
        assert labels_of(grouped) <= offered
    for opens, closes in ("()", "{}", "[]"):
        assert expression.count(opens) == expression.count(closes)


def test_the_labels_that_are_shown_exist():
    for rule in RULE_GROUP:
        shown = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        grouped = _GROUPED.findall(rule["expr"])
        assert shown <= (labels_of(grouped[0]) if grouped else _ADDED | {"check"}), rule["alert"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "there is none yet"), (90_000, "the one before it is 1d 1h 0m 0s old")],
    ids=["first", "later"],
)
def test_backup_alert_says_how_old_the_last_one_is(tmp_path, seconds, said):
    (rule,) = (one for one in RULE_GROUP if one["alert"] == "UsherBackup")
    annotations = {**rule["annotations"], "summary": f"The nightly backup failed; {said}"}
    fired = {"exp_labels": {**rule["labels"], "job": "usher"}, "exp_annotations": annotations}
    series = {"series": 'usher_outage_seconds{job="usher",kind="backup"}', "values": f"{seconds}x20"}
    checked = {"eval_time": "20m", "alertname": "UsherBackup", "exp_alerts": [fired]}
    test = {"interval": "1m", "input_series": [series], "alert_rule_test": [checked]}
    path = tmp_path / "alerts_test.yml"
    path.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "tests": [test]}), encoding="utf-8")
    promtool("test", "rules", str(path))


def test_counters_are_used_as_rates_or_as_never_and_nothing_else_is():
    counters = {name for name, kind, _ in exported() if kind == "counter" or name.endswith("_bucket")}
    for expression in expressions():
        rated = set(re.findall(r"\b(?:rate|increase)\((usher_\w+)", expression))
        rated |= set(re.findall(r"\bsum by \(job\) \((usher_\w+_total)\) == 0", expression))
        assert rated == {name for name, _ in _SELECTED.findall(expression)} & counters, expression


def test_every_alert_leads_to_its_part_of_the_manual():
    page = (ROOT / "docs/incidents.md").read_text(encoding="utf-8")
    for rule in RULE_GROUP:
        path, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert path == "usher docs incidents"
        assert find_section(page, anchor), anchor
        assert rule["alert"] in page
        assert rule["labels"]["severity"] in {"critical", "warning"}


def test_no_panel_hides_another_and_each_asks_the_chosen_prometheus():
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]
    (chosen,) = DASHBOARD["templating"]["list"]
    assert (chosen["name"], chosen["type"], chosen["query"]) == ("datasource", "datasource", "prometheus")


def test_promtool_accepts_the_alerts():
    assert f"{len(RULE_GROUP)} rules found" in promtool("check", "rules", str(RULES))


def test_promtool_accepts_the_expressions_of_the_dashboard(tmp_path):
    panels = [{"record": f"panel:{number}", "expr": one} for number, one in enumerate(expressions())]
    path = tmp_path / "panels.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": panels}]}), encoding="utf-8")
    assert f"{len(panels)} rules found" in promtool("check", "rules", str(path))


def test_promtool_accepts_the_configuration_of_the_manual(tmp_path):
    page = (ROOT / "docs/operate.md").read_text(encoding="utf-8")
    (config,) = re.findall(r"^```yaml\n(rule_files:.+?)^```", page, flags=re.MULTILINE | re.DOTALL)
    assert [one["job_name"] for one in yaml.safe_load(config)["scrape_configs"]] == ["usher"]
    (tmp_path / "usher-alerts.yml").write_bytes(RULES.read_bytes())
    (tmp_path / "usher-metrics-token").write_text("canary", encoding="utf-8")
    path = tmp_path / "prometheus.yml"
    path.write_text(config.replace("/etc/prometheus", str(tmp_path)), encoding="utf-8")
    assert f"{len(RULE_GROUP)} rules found" in promtool("check", "config", str(path))

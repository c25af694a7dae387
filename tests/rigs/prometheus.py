"""The parts of Prometheus that tests need: exported metrics, scrapes of a bot, and promtool."""

import json
import re
import subprocess
from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate
from pathlib import Path

import aiohttp
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bot.store.counts import Figures
from bot.web.health import _COUNTED_ROWS, Metrics
from tests.project.repository import ROOT
from tests.rigs import programs

RULES = ROOT / "deploy/prometheus/alerts.yml"
#: Interval between scrapes that the rules assume, and Prometheus's timeout for a scrape, both in seconds.
EVERY, PATIENCE = 15, 10.0


def exported() -> set[tuple[str, str, frozenset[str]]]:
    """Return all metrics that are exported once each has been counted, with their types and labels."""
    metrics = Metrics()
    metrics.spooled_bytes.set_function(lambda: 0)
    metrics.count_reads("hub")
    metrics.note_claim("hub", 0.01)
    metrics.count_failure("hub", "Refused")
    metrics.accepted_requests.inc()
    metrics.request_refused("age")
    figures = Figures(
        dict.fromkeys(_COUNTED_ROWS, 1), 1.0, {"hub": 1.0}, {"worker": 1}, {("hub", "gpu"): (1, 1.0)}
    )
    families = text_string_to_metric_families(metrics.render({"store": True}, figures).decode())
    return {
        (sample.name, family.type, frozenset(sample.labels))
        for family in families
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def promtool(*words: str) -> str:
    """Run promtool and return its output. Fail with the output if promtool reports an error."""
    command = [programs.require("promtool"), *words]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


class Scrapes:
    """Scrapes bots as Prometheus would. For the rules, the scrapes are 15 seconds apart."""

    def __init__(self) -> None:
        self._taken: list[dict[str, float]] = []

    async def take(self, *ports: int) -> None:
        """Scrape the process at each port. A process that doesn't answer counts as down."""
        found: dict[str, float] = {}
        for port in ports:
            found |= await _scraped(f"127.0.0.1:{port}")
        self._taken.append(found)

    def last(self, name: str, **labels: str) -> float | None:
        """Return a metric's value in the last scrape, from whichever process exports it."""
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        matches = (
            value
            for series, value in self._taken[-1].items()
            if re.match(rf"{name}\b", series) and all(one in series for one in wanted)
        )
        return next(matches, None)

    def stays(self, seconds: float = 150.0) -> None:
        """Repeat the last scrape for this many seconds."""
        self._taken += [self._taken[-1]] * int(seconds // EVERY)

    def fire(self, alerts: Collection[str], folder: Path, *, healthy: int = 1) -> None:
        """Fail unless exactly these alerts fire at the last scrape, and none in the first ``healthy``."""
        ends = (len(self._taken) - 1) * EVERY
        _expect(self._series(), EVERY, {(healthy - 1) * EVERY: (), ends: alerts}, folder)

    def _series(self) -> list[Mapping[str, str]]:
        names = sorted(set().union(*self._taken))
        return [{"series": name, "values": " ".join(self._values(name))} for name in names]

    def _values(self, name: str) -> list[str]:
        """Return a series' values. Once the metric is missing from a scrape, the series is stale."""
        values, was_there = [], False
        for taken in self._taken:
            is_there = name in taken
            values.append(repr(taken[name]) if is_there else "stale" if was_there else "_")
            was_there = is_there
        return values


def fire_after(counted: Mapping[str, Sequence[float]], alerts: Collection[str], folder: Path) -> None:
    """Fail unless exactly these alerts fire after hours with the given increases of the counters."""
    half, parts = 1800, 2
    series = []
    for name, hours in counted.items():
        grown = accumulate((hour / parts for hour in hours for _ in range(parts)), initial=0.0)
        series.append({"series": name, "values": " ".join(map(repr, grown))})
    ends = max(len(hours) for hours in counted.values()) * parts * half
    _expect(series, half, {ends: alerts}, folder)


def _expect(
    series: Sequence[Mapping[str, str]], every: int, alerts: Mapping[int, Collection[str]], folder: Path
) -> None:
    """Fail unless the rules, evaluated every ``every`` seconds, fire the given alerts at the given times."""
    query = 'count by (alertname) (ALERTS{alertstate="firing"})'
    test = {
        "rule_files": [str(RULES)],
        "evaluation_interval": f"{every}s",
        "tests": [
            {
                "interval": f"{every}s",
                "input_series": list(series),
                "promql_expr_test": [
                    {
                        "expr": query,
                        "eval_time": f"{at}s",
                        "exp_samples": [
                            {"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(names)
                        ],
                    }
                    for at, names in alerts.items()
                ],
            }
        ],
    }
    path = folder / "alerts_test.yml"
    path.write_text(yaml.safe_dump(test), encoding="utf-8")
    promtool("test", "rules", str(path))


async def _scraped(instance: str) -> dict[str, float]:
    up, found = f'up{{job="usher",instance="{instance}"}}', {}
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            text = await (await session.get(f"http://{instance}/metrics")).text()
    except (aiohttp.ClientError, TimeoutError):
        return {up: 0.0}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = {"job": "usher", "instance": instance, **sample.labels}
            pairs = ",".join(f"{key}={json.dumps(value)}" for key, value in labels.items())
            found[f"{sample.name}{{{pairs}}}"] = sample.value
    return {up: 1.0, **found}

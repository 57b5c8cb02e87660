"""The examples of how the service is run name verbs, options and settings that there are."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path

import pytest
import typer.main
import yaml
from prometheus_client import generate_latest

from gridmap.api.observing import Metrics
from gridmap.cli import app
from gridmap.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "docs" / "deploy"
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
UNITS = sorted(DEPLOY.glob("*.service"))
SETTINGS = {f"GRIDMAP_{name.upper()}" for name in Settings.model_fields}


def refuse_unknown(words: list[str]) -> None:
    verb, *rest = words
    known = {name for parameter in COMMANDS[verb].params for name in parameter.opts}
    assert {word for word in rest if word.startswith("-")} <= known, words


def test_the_containers_run_verbs_that_there_are():
    commands = {name: service["command"] for name, service in COMPOSE["services"].items() if "command" in service}

    assert set(commands) == {"tables", "service", "worker"}
    for command in commands.values():
        refuse_unknown(command)


def test_the_containers_set_settings_that_there_are():
    named = set(COMPOSE["x-gridmap"]["environment"])

    assert named <= SETTINGS
    assert {"GRIDMAP_DATABASE_URL", "GRIDMAP_JOB_WORKERS"} <= named


def test_empty_settings_of_the_containers_are_no_settings(monkeypatch: pytest.MonkeyPatch):
    for name, value in COMPOSE["x-gridmap"]["environment"].items():
        if str(value).endswith(":-}"):
            monkeypatch.setenv(name, "")

    config = Settings()

    assert not config.base_url
    assert not config.trusted_proxies
    assert not (config.metrics_key and config.metrics_key.get_secret_value())


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_the_units_run_verbs_that_there_are(path: Path):
    unit = configparser.ConfigParser(strict=False, interpolation=None, allow_no_value=True)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(path.read_text(encoding="utf-8"))

    for key in ("ExecStartPre", "ExecStart"):
        if unit.has_option("Service", key):
            program, *words = shlex.split(unit["Service"][key])
            assert Path(program).name == "gridmap"
            refuse_unknown(words)
    assert unit["Service"]["User"] == "gridmap"


def test_the_image_runs_without_rights_and_ends_when_told_to():
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()

    assert len([line for line in lines if line.startswith("FROM ")]) == 2
    assert "USER gridmap" in lines
    assert lines.index("USER gridmap") > max(row for row, line in enumerate(lines) if line.startswith("RUN "))
    assert 'ENTRYPOINT ["gridmap"]' in lines


def test_every_metric_is_documented():
    metrics = Metrics()
    metrics.requests.labels("GET", "/", 200).inc()
    written = generate_latest(metrics.registry).decode()
    there = set(re.findall(r"^# TYPE (\w+)", written, re.MULTILINE)) | {"gridmap_jobs"}
    page = (ROOT / "docs/guide/operations.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(gridmap_\w+)` \|", page, re.MULTILINE))

    assert {name for name in there if not name.endswith("_created")} == documented

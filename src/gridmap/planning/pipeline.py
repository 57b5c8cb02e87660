"""From inputs to a plan: partition, demand, coverage, grids, assignment, gaps, and what they say."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version

import h3
import numpy as np
import pyproj
import shapely

from gridmap.domain.inputs import PlanInputs
from gridmap.domain.plan import Plan
from gridmap.domain.plan_settings import PlanSettings
from gridmap.planning.checks import check_inputs, check_settings
from gridmap.planning.deciding import decide
from gridmap.planning.findings.indicators import indicators
from gridmap.planning.findings.remarks import remarks
from gridmap.planning.findings.shortfalls import grid_report
from gridmap.planning.rules import evaluate
from gridmap.planning.tables.plan_frames import geographic_frames, table_frames

Progress = Callable[[str, float], None]


def build_plan(settings: PlanSettings, inputs: PlanInputs, progress: Progress | None = None) -> Plan:
    """Make a plan: equal settings and inputs give an equal plan, whatever the order of their rows.

    Parameters
    ----------
    progress : called with the name of a stage and the share of it that is done, 0 to 1

    Raises
    ------
    InputError
        If the inputs are not what ``PlanInputs`` asks for.
    PlanError
        If areas of the lowest level overlap or leave gaps between them, or a village has more grids than its codes
        can number.
    ProofFailed
        If the partition could not be proved.
    """
    stages = Stages(progress)
    check_settings(settings.grids)
    check_inputs(inputs)
    given = inputs.facilities.sort_values("facility_id", kind="stable").reset_index(drop=True)
    decisions = decide(settings, inputs, given, stages)
    with stages("frames"):
        frames, tables = geographic_frames(decisions, given), table_frames(decisions)
    with stages("indicators"):
        figures, rules = indicators(decisions), evaluate(decisions)
    report = {
        "warnings": [*inputs.warnings, *remarks(decisions)],
        "timings_s": stages.timings_s,
        "versions": versions(),
        "demand": {key: figures["demand"][key] for key in ("unit", "total", "source", "stands_in")},
        **grid_report(decisions),
    }
    return Plan(
        settings=settings,
        **frames,
        **tables,
        indicators=figures,
        rules=rules,
        certificate=decisions.certificate,
        report=report,
    )


class Stages:
    """Stages of a run: tells how far it is, and keeps how long each took."""

    def __init__(self, progress: Progress | None) -> None:
        self.timings_s: dict[str, float] = {}
        self._progress = progress

    @contextmanager
    def __call__(self, stage: str) -> Iterator[Callable[[float], None]]:
        """Run a stage; what it yields takes the share done within it."""

        def tell(share: float) -> None:
            if self._progress:
                self._progress(stage, share)

        tell(0.0)
        start = time.perf_counter()
        yield tell
        self.timings_s[stage] = time.perf_counter() - start
        tell(1.0)


def versions() -> dict[str, str]:
    """Versions of what a plan depends on."""
    return {
        "gridmap": version("gridmap"),
        "numpy": np.__version__,
        "shapely": shapely.__version__,
        "geos": shapely.geos_version_string,
        "pyproj": pyproj.__version__,
        "h3": h3.__version__,
    }

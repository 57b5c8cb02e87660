"""Plan one folder in every mode, one table row each: what came of it and what it took.

    python benchmarks/plan_modes.py DIRECTORY… [--keep OUT]

Each DIRECTORY holds a ``plan.toml``, such as ``data/samples`` or what ``benchmarks/real_ground.py`` makes. Deviations
are from the demand each grid was to hold. With ``--keep`` every plan is written, to be looked at.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gridmap import Plan, build_plan, read_plan_file, read_plan_inputs, write_plan
from gridmap.domain.plan_settings import PlanSettings

#: Settings of ``[grids]`` by the name of the row.
MODES: dict[str, dict[str, Any]] = {
    "villages as they are": {},
    "cells, 355 grids, free": {"base": "cell", "within": "county", "count": 355, "mode": "free"},
    "villages, one per outlet, anchored": {"one_per": "outlet", "mode": "anchored"},
    "villages in the country, blocks in town, by demand": {
        "urban_base": "block",
        "target_demand": 4000,
        "mode": "anchored",
    },
    "cells, one per outlet, anchored": {"base": "cell", "within": "county", "one_per": "outlet", "mode": "anchored"},
    "cells, by capacity, anchored": {
        "base": "cell",
        "within": "county",
        "one_per": "outlet",
        "mode": "anchored",
        "targets": "capacity",
    },
    "cells, 40 grids, free": {"base": "cell", "within": "county", "count": 40, "mode": "free"},
    "cells, nearest outlet": {"base": "cell", "within": "county", "mode": "nearest"},
    "blocks, by demand, free": {"base": "block", "within": "county", "target_demand": 12000, "mode": "free"},
}


def with_grids(settings: PlanSettings, grids: dict[str, Any]) -> PlanSettings:
    """Give the plan other ``[grids]``."""
    return PlanSettings.model_validate({**settings.model_dump(), "grids": grids})


def row(mode: str, plan: Plan, cpu_s: float, wall_s: float) -> str:
    """One line of the table."""
    grids = plan.grids
    off = np.abs(grids["deviation"].to_numpy(dtype=float))
    known = off[~np.isnan(off)]
    worst = f"{known.max():.1%}" if len(known) else "–"
    within = f"{(known <= plan.settings.grids.tolerance).mean():.0%}" if len(known) else "–"
    drawn_round = [rule for rule in plan.rules if rule.rule == "one_outlet_inside_anchored"]
    astray = len(drawn_round[0].broken_by) if drawn_round and drawn_round[0].checked else "–"
    return (
        f"| {mode} | {len(grids)} | {worst} | {within} | {int((grids['parts'] > 1).sum())} | {astray} | "
        f"{grids['compactness'].mean():.2f} | {len(plan.report['shortfalls'])} | {cpu_s:.1f} | {wall_s:.1f} |"
    )


def main(arguments: Sequence[str]) -> int:
    """Parse, plan, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, nargs="+")
    parser.add_argument("--keep", type=Path, help="folder to write the plans to")
    parser.add_argument("--only", help="the one mode to plan")
    given = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    for directory in given.directory:
        settings = read_plan_file(directory / "plan.toml")
        inputs = read_plan_inputs(settings, directory)
        print(f"\n{settings.plan.name}, {len(inputs.facilities)} facilities\n")
        print(
            "| mode | grids | worst deviation | within tolerance | in parts | without own outlet | mean compactness |"
            " shortfalls | CPU s | wall s |"
        )
        print("|---|---|---|---|---|---|---|---|---|---|")
        for mode, grids in MODES.items():
            if given.only and given.only != mode:
                continue
            cpu, wall = time.process_time(), time.perf_counter()
            plan = build_plan(with_grids(settings, grids), inputs)
            print(row(mode, plan, time.process_time() - cpu, time.perf_counter() - wall), flush=True)
            if given.keep:
                write_plan(plan, given.keep / directory.name / mode.replace(", ", "-").replace(" ", "_"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

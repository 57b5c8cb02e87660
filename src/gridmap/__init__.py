"""gridmap: exact, certified service grids for bank outlets.

The public Python API; everything else may change.
"""

from __future__ import annotations

from gridmap.domain.inputs import Demand, PlanInputs
from gridmap.domain.plan import Plan, RuleResult
from gridmap.domain.plan_settings import PlanSettings
from gridmap.errors import GridmapError, InputError, PlanError, StoreError
from gridmap.exports.plan_directory import load_plan, write_plan
from gridmap.frames import Partition, fix, partition, read_areas, repair_areas, validate
from gridmap.geometry.validation import Report
from gridmap.inputs import read_plan_file, read_plan_inputs
from gridmap.planning.pipeline import build_plan

__all__ = [
    "Demand",
    "GridmapError",
    "InputError",
    "Partition",
    "Plan",
    "PlanError",
    "PlanInputs",
    "PlanSettings",
    "Report",
    "RuleResult",
    "StoreError",
    "build_plan",
    "fix",
    "load_plan",
    "partition",
    "read_areas",
    "read_plan_file",
    "read_plan_inputs",
    "repair_areas",
    "validate",
    "write_plan",
]

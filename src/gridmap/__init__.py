"""gridmap: exact, certified service grids for bank outlets.

The public Python API; everything else may change.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gridmap.domain.inputs import Demand, PlanInputs
    from gridmap.domain.plan import Plan, RuleResult
    from gridmap.domain.plan_settings import PlanSettings
    from gridmap.errors import GridmapError, InputError, PlanError, StoreError
    from gridmap.exports.plan_directory import load_plan, write_plan
    from gridmap.frames import Partition, fix, partition, read_areas, repair_areas, validate
    from gridmap.geometry.validation import Report
    from gridmap.inputs import read_plan_file, read_plan_inputs
    from gridmap.planning.explaining.explain import explain
    from gridmap.planning.explaining.explanation import Explanation
    from gridmap.planning.pipeline import build_plan

# Imported when first asked for: ``python -m gridmap.verify`` must need nothing but the standard library, and
# ``gridmap --help`` need not wait for GDAL.
_HOME = {
    "Demand": "gridmap.domain.inputs",
    "PlanInputs": "gridmap.domain.inputs",
    "Plan": "gridmap.domain.plan",
    "RuleResult": "gridmap.domain.plan",
    "PlanSettings": "gridmap.domain.plan_settings",
    "GridmapError": "gridmap.errors",
    "InputError": "gridmap.errors",
    "PlanError": "gridmap.errors",
    "StoreError": "gridmap.errors",
    "load_plan": "gridmap.exports.plan_directory",
    "write_plan": "gridmap.exports.plan_directory",
    "Partition": "gridmap.frames",
    "fix": "gridmap.frames",
    "partition": "gridmap.frames",
    "read_areas": "gridmap.frames",
    "repair_areas": "gridmap.frames",
    "validate": "gridmap.frames",
    "Report": "gridmap.geometry.validation",
    "read_plan_file": "gridmap.inputs",
    "read_plan_inputs": "gridmap.inputs",
    "build_plan": "gridmap.planning.pipeline",
    "explain": "gridmap.planning.explaining.explain",
    "Explanation": "gridmap.planning.explaining.explanation",
}

__all__ = [
    "Demand",
    "Explanation",
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
    "explain",
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


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""Read and check what users bring: areas, facilities, demand, lines, carved grounds, staff, plan files."""

from __future__ import annotations

from gridmap.inputs.areas import AreaRead, read_areas
from gridmap.inputs.carved import read_dedicated, read_locked
from gridmap.inputs.demand import read_demand
from gridmap.inputs.facilities import FacilityRead, read_facilities
from gridmap.inputs.lines import read_lines
from gridmap.inputs.pieces import read_pieces
from gridmap.inputs.plan_file import read_plan_file
from gridmap.inputs.plan_inputs import read_plan_inputs
from gridmap.inputs.points import PointRead, read_points
from gridmap.inputs.previous import read_previous
from gridmap.inputs.staff import read_staff

__all__ = [
    "AreaRead",
    "FacilityRead",
    "PointRead",
    "read_areas",
    "read_dedicated",
    "read_demand",
    "read_facilities",
    "read_lines",
    "read_locked",
    "read_pieces",
    "read_plan_file",
    "read_plan_inputs",
    "read_points",
    "read_previous",
    "read_staff",
]

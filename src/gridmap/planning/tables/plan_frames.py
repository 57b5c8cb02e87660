"""All frames of a plan, by the names they have in it."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from gridmap.planning.decisions import Decisions
from gridmap.planning.tables.frames import (
    area_frame,
    assignment_frame,
    cell_frame,
    facility_frame,
    gap_frame,
    grid_frame,
    jurisdiction_frame,
)
from gridmap.planning.tables.level_frame import level_frame
from gridmap.planning.tables.organisation_frame import organisation_frame
from gridmap.planning.tables.staff_frame import staff_frame
from gridmap.planning.tables.unit_frame import unit_frame


def geographic_frames(decisions: Decisions, given: gpd.GeoDataFrame) -> dict[str, gpd.GeoDataFrame]:
    """Frames with geometry.

    Parameters
    ----------
    given : facilities as ``PlanInputs`` holds them, by ascending identifier
    """
    return {
        "areas": area_frame(decisions),
        "cells": cell_frame(decisions),
        "grids": grid_frame(decisions),
        "facilities": facility_frame(decisions, given),
        "gaps": gap_frame(decisions),
        "jurisdictions": jurisdiction_frame(decisions, given),
        "units": unit_frame(decisions),
        "levels": level_frame(decisions),
        "organisation": organisation_frame(decisions),
    }


def table_frames(decisions: Decisions) -> dict[str, pd.DataFrame]:
    """Frames without geometry."""
    return {"assignments": assignment_frame(decisions), "staff": staff_frame(decisions)}

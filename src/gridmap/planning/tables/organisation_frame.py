"""The organisational hierarchy as a frame: who is responsible for which ground."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from gridmap.geometry.lattice import Geometries
from gridmap.planning.decisions import Decisions
from gridmap.planning.land.dissolve import dissolve
from gridmap.planning.responsibility.organisation import Organisation, organisation
from gridmap.planning.tables.frame_columns import geographic, looked_up, text


def organisation_frame(decisions: Decisions) -> gpd.GeoDataFrame:
    """Nodes of the organisation, widest level first, then by identifier; WGS 84 degrees on the lattice.

    Columns: ``node_id``, ``kind`` (``head_office``, ``branch``, ``outlet``, ``person``), ``name``, ``parent_id``
    (missing for head offices), ``grids`` (count), ``area_m2``, ``demand``, ``capacity`` (in the unit of demand, NaN
    where unknown), ``geometry``: the ground of all grids a node holds, an empty multi-polygon where it holds none.
    ``area_m2`` and ``demand`` are sums over the grids, and exact: what the outlets below a branch or head office hold
    adds up to its own figures bit for bit. People share grids, so theirs need not.
    """
    plan, groups = decisions.settings.plan, decisions.grid_groups
    primary = decisions.assignment.primary
    tree = organisation(decisions.facilities, primary, decisions.staffing, plan.institution, plan.name)
    return geographic(
        grounds(decisions.grids.shape, tree),
        node_id=text(tree.ids),
        kind=text(kind.value for kind in tree.kind),
        name=text(tree.names),
        parent_id=looked_up(tree.ids, tree.parent),
        grids=tree.grids,
        area_m2=tree.total(groups.area_m2),
        demand=tree.total(groups.demand),
        capacity=tree.capacity,
    )


def grounds(shape: Geometries, tree: Organisation) -> Geometries:
    """(k,) polygons or multipolygons, lattice frame: the ground each node holds."""
    holding, group = np.unique(tree.node, return_inverse=True)
    found = np.full(len(tree), shapely.MultiPolygon(), dtype=object)
    found[holding] = dissolve(shape[tree.grid], group.reshape(-1), len(holding))
    return found

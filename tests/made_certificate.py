"""The plan made by hand with a certificate of its own cells, so that it can be proved in a moment."""

from __future__ import annotations

from dataclasses import replace

from gridmap.domain.plan import Plan
from gridmap.geometry.certificate import certificate, prove
from gridmap.geometry.chain import cancel, edges_of
from gridmap.geometry.lattice import geometries_to_units


def certified(plan: Plan) -> Plan:
    """Give a plan the certificate of its cells; of its levels it states nothing."""
    proofs = []
    for code, cells in plan.cells.groupby("area_code"):
        edges = edges_of(geometries_to_units(cells.geometry.to_numpy()))
        proofs.append(prove(str(code), len(cells), len(edges), cancel(edges), 0.0))
    return replace(plan, certificate=certificate(proofs, plan.settings.partition.resolution))

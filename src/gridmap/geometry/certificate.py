"""The machine-checkable proof that pieces tile their areas: what it states and how it is written.

For each area it gives the counts of the directed edges of its pieces, how many cancel, and a digest of those left over;
``gridmap.verify`` recomputes all of it from the exported file alone. Digests are SHA-256 over ASCII lines: of an area,
its left-over edges ``x1 y1 x2 y2`` in lattice units, sorted; of the whole, one line an area, sorted by code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gridmap.errors import Place, ProofFailed
from gridmap.geometry.chain import Edges, twice_area
from gridmap.geometry.lattice import LATTICE_DEG, to_degrees, unpack

VERSION = 1


@dataclass(frozen=True, slots=True)
class AreaProof:
    """What the certificate says of one area; see the module of ``gridmap.verify`` for each figure's meaning."""

    area_code: str
    pieces: int
    edges: int
    boundary_edges: int
    twice_area: int
    boundary_digest: str
    max_boundary_shift_m: float

    def line(self) -> str:
        """Line of this area in the digest of the whole."""
        return (
            f"{self.area_code} {self.pieces} {self.edges} {self.boundary_edges} "
            f"{self.twice_area} {self.boundary_digest}\n"
        )

    def as_dict(self) -> dict[str, Any]:
        """Entry of this area in ``certificate.json``."""
        return {
            "area_code": self.area_code,
            "pieces": self.pieces,
            "edges": self.edges,
            "interior_edges_cancelled": self.edges - self.boundary_edges,
            "boundary_edges": self.boundary_edges,
            # A string: it passes what JSON readers keep of a number.
            "twice_area": str(self.twice_area),
            "boundary_digest": self.boundary_digest,
            "max_boundary_shift_m": round(self.max_boundary_shift_m, 6),
        }


def prove(area_code: str, pieces: int, edges: int, left_over: Edges, max_boundary_shift_m: float) -> AreaProof:
    """State what was found of one area.

    Parameters
    ----------
    pieces : rows of the area in the export
    edges : directed edges of all their rings
    left_over : those that did not cancel
    """
    return AreaProof(
        area_code, pieces, edges, len(left_over), twice_area(left_over), digest(left_over), max_boundary_shift_m
    )


def certificate(proofs: Iterable[AreaProof], resolution: int) -> dict[str, Any]:
    """``certificate.json`` as interfaces fix it; areas by code."""
    ordered = sorted(proofs, key=lambda proof: proof.area_code)
    whole = hashlib.sha256("".join(proof.line() for proof in ordered).encode())
    return {
        "version": VERSION,
        "areas": [proof.as_dict() for proof in ordered],
        "lattice_deg": LATTICE_DEG,
        "resolution": resolution,
        "digest": whole.hexdigest(),
        "verdict": "exact",
    }


def unproved(code: str | None, packed: int) -> ProofFailed:
    """Error that names the packed point where a proof failed."""
    lon, lat = to_degrees(unpack(np.array([packed])))[0]
    return ProofFailed("geometry.unproved", Place(code=code), lon=f"{lon:.7f}", lat=f"{lat:.7f}")


def digest(left_over: Edges) -> str:
    """SHA-256 over the lines ``x1 y1 x2 y2`` of edges, sorted."""
    # Packed points sort as (x, y) does.
    order = np.lexsort((left_over.end, left_over.start))
    rows = np.concatenate([unpack(left_over.start[order]), unpack(left_over.end[order])], axis=1)
    lines = ("%d %d %d %d\n" * len(rows)) % tuple(rows.ravel().tolist())
    return hashlib.sha256(lines.encode()).hexdigest()

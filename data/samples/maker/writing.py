"""Writing that gives the same bytes each time: fixed order, fixed decimals, one feature a line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import shapely

from gridmap.geometry.lattice import UNITS_PER_DEGREE, to_units
from maker.county import Polygon
from maker.ground import Labels, Points, to_degrees

Properties = Mapping[str, str | int]


def write_text(path: Path, text: str, encoding: str = "utf-8") -> None:
    """Write with bare line feeds on every system."""
    path.write_bytes(text.encode(encoding))


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]], encoding: str = "utf-8") -> None:
    """CSV; degrees come in as floats and are written with six decimals, as map services give them."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(header)
    for row in rows:
        table.writerow([f"{value:.6f}" if isinstance(value, float) else value for value in row])
    write_text(path, text.getvalue(), encoding)


def write_polygons(path: Path, name: str, features: Iterable[tuple[Properties, Polygon]]) -> None:
    """GeoJSON of lattice-frame polygons: shells counter-clockwise, every ring from its least vertex, seven decimals."""
    _write_features(path, name, ((properties, _polygon_text(polygon)) for properties, polygon in features))


def write_lines(path: Path, name: str, features: Iterable[tuple[Properties, Points]]) -> None:
    """GeoJSON of lines given in plane kilometres."""
    _write_features(path, name, ((properties, _line_text(line_km)) for properties, line_km in features))


def _write_features(path: Path, name: str, features: Iterable[tuple[Properties, str]]) -> None:
    lines = [
        f'{{"type":"Feature","properties":{json.dumps(dict(properties), ensure_ascii=False)},"geometry":{geometry}}}'
        for properties, geometry in features
    ]
    head = f'{{"type":"FeatureCollection","name":"{name}","features":[\n'
    write_text(path, head + ",\n".join(lines) + "\n]}\n")


def _line_text(line_km: Points) -> str:
    units = to_units(to_degrees(line_km)).astype(np.int64)
    return f'{{"type":"LineString","coordinates":{_positions(units)}}}'


def _polygon_text(polygon: Polygon) -> str:
    parts = []
    for part in shapely.get_parts(polygon):
        shell, *holes = (_from_least(shapely.get_coordinates(ring)) for ring in (part.exterior, *part.interiors))
        parts.append([shell, *sorted(holes, key=lambda ring: ring[0].tolist())])
    parts.sort(key=lambda rings: rings[0][0].tolist())
    texts = ["[" + ",".join(_positions(ring) for ring in rings) + "]" for rings in parts]
    if len(texts) == 1:
        return f'{{"type":"Polygon","coordinates":{texts[0]}}}'
    return f'{{"type":"MultiPolygon","coordinates":[{",".join(texts)}]}}'


def _from_least(ring: Points) -> Labels:
    """Turn a closed ring so that it starts at its least vertex; direction kept."""
    open_ring = ring[:-1].astype(np.int64)
    first = int(np.lexsort(open_ring.T[::-1])[0])
    turned = np.roll(open_ring, -first, axis=0)
    return np.concatenate([turned, turned[:1]])


def _positions(units: Labels) -> str:
    """Whole lattice units as degrees with seven decimals, digit for digit (the county lies north and east of 0)."""
    parts = (f"[{_decimal(x)},{_decimal(y)}]" for x, y in units.tolist())
    return "[" + ",".join(parts) + "]"


def _decimal(units: int) -> str:
    return f"{units // UNITS_PER_DEGREE}.{units % UNITS_PER_DEGREE:07d}"

"""Tiles of PostGIS, encoded by the database: no object here for a feature."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Double, FromClause, Select, bindparam, func, select
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from gridmap.domain.layers import LAYER_BY_NAME
from gridmap.store.models import FID, GEOMETRY, SRID
from gridmap.store.reading.layers import LayerReader
from gridmap.store.tiles.attributes import CELLS, OF_AGGREGATES, attributes_of, has_polygons, selected
from gridmap.store.tiles.scale import Sums
from gridmap.store.tiles.scheme import BUFFER, EXTENT, Tile
from gridmap.store.tiles.sums import hexagons

# The number of Web Mercator's system, not its name: that would be looked up for every row. What is too small to be
# drawn takes the place of a unit in the middle of what of it lies in the tile.
_ENCODED = """
SELECT ST_AsMVT(features, '{layer}', {extent}, 'shape'{identifier}) FROM (
  SELECT {columns}, coalesce(
    ST_AsMVTGeom(ST_Transform({shape}, 3857), {envelope}, {extent}, {buffer}, true),
    (SELECT {least} FROM (SELECT
        greatest({low}, least({high}, floor(((ST_XMin(cut) + ST_XMax(cut)) / 2 - ST_XMin(tile)) / unit_m))) AS x,
        greatest({low}, least({high}, floor((ST_YMax(tile) - (ST_YMin(cut) + ST_YMax(cut)) / 2) / unit_m))) AS y
      FROM (SELECT ST_Transform(ST_Intersection(found.geometry, {box}), 3857) AS cut, {envelope} AS tile,
        (ST_XMax({envelope}) - ST_XMin({envelope})) / {extent} AS unit_m OFFSET 0) AS inside) AS place)
  ) AS shape FROM ({rows}) AS found
) AS features
"""
#: Cells are small; of large polygons only what is in the tile is transformed, with vertices half a unit apart.
_WHOLE = "found.geometry"
_NEAR = "ST_RemoveRepeatedPoints(ST_ClipByBox2D(found.geometry, {box}), %(tile_half_unit)s)"
_SQUARE = "ST_ForcePolygonCCW(ST_MakeEnvelope(x, y, x + 1, y + 1))"
_POINT = "ST_MakePoint(x, y)"
_ENVELOPE = "ST_TileEnvelope(%(tile_zoom)s, %(tile_column)s, %(tile_row)s)"
_BOX = f"ST_MakeEnvelope(%(tile_west)s, %(tile_south)s, %(tile_east)s, %(tile_north)s, {SRID})"
_SIDES = ("tile_west", "tile_south", "tile_east", "tile_north")
_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]

_Statement = tuple[str, Mapping[str, Any]]


class PostgisTiles:
    """Layers of one tile."""

    def __init__(self, reader: LayerReader, tile: Tile) -> None:
        self._reader, self._reach = reader, reader.reach
        half_unit_deg = 180 / EXTENT / (1 << tile.zoom)
        values = (tile.zoom, tile.column, tile.row, half_unit_deg, *tile.box)
        names = ("tile_zoom", "tile_column", "tile_row", "tile_half_unit", *_SIDES)
        self._tile = dict(zip(names, values, strict=True))

    def of_layer(self, name: str) -> bytes:
        """Encode the features of a layer."""

        def rows() -> Select[Any]:
            source = self._reader.source(LAYER_BY_NAME[name])
            areas = self._reader.source(LAYER_BY_NAME["areas"])
            return (
                select(*selected(name, source, areas), source.c[GEOMETRY]).where(_meets(source)).order_by(source.c[FID])
            )

        names = [one.name for one in attributes_of(name)]
        return self._encoded(name, (), rows, [FID, *names], has_polygons(name))

    def of_sums(self, sums: Sums) -> bytes:
        """Encode the hexagons that stand for cells."""

        def rows() -> Select[Any]:
            found = hexagons(self._reader, sums, *(bindparam(side, 0.0, Double) for side in _SIDES)).subquery()
            return select(found).where(_meets(found)).order_by(found.c.cell_id)

        return self._encoded(CELLS, sums, rows, [one.name for one in OF_AGGREGATES], True)

    def _encoded(
        self, layer: str, variant: object, rows: Callable[[], Select[Any]], columns: list[str], is_polygon: bool
    ) -> bytes:
        def statement() -> _Statement:
            compiled = rows().compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
            text = _ENCODED.format(
                layer=layer,
                identifier=", 'fid'" if FID in columns else "",
                columns=", ".join(f"found.{name}" for name in columns),
                rows=compiled.string,
                envelope=_ENVELOPE,
                box=_BOX,
                shape=_NEAR.format(box=_BOX) if is_polygon and layer != CELLS else _WHOLE,
                least=_SQUARE if is_polygon else _POINT,
                extent=EXTENT,
                buffer=BUFFER,
                low=-BUFFER,
                high=EXTENT + BUFFER - 1,
            )
            return text, dict(compiled.params)

        found = self._reader.run(("tile", layer, variant, self._reach), statement, self._tile)
        return bytes(found[0][0] or b"")


def _meets(source: FromClause) -> Any:
    return func.ST_Intersects(
        source.c[GEOMETRY], func.ST_MakeEnvelope(*(bindparam(side, 0.0, Double) for side in _SIDES), SRID)
    )

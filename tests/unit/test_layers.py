"""The layers say of every frame of a plan what is in it, no more and no less."""

from __future__ import annotations

import tomllib
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from gridmap.domain.layers import LAYERS, ColumnType, GeometryType, Layer
from gridmap.domain.plan import GEOGRAPHIC_FRAMES, TABLES, Plan
from gridmap.domain.plan_settings import PlanSettings
from gridmap.inputs import read_plan_inputs
from gridmap.planning.pipeline import build_plan

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "samples"
SHAPES = {GeometryType.POINT: {"Point"}, GeometryType.POLYGON: {"Polygon", "MultiPolygon"}}


@pytest.fixture(scope="module")
def county() -> Plan:
    """Plan the sample county with coarse cells."""
    given = tomllib.loads((SAMPLES / "plan.toml").read_text(encoding="utf-8"))
    settings = PlanSettings.model_validate({**given, "partition": {"resolution": 7}})
    return build_plan(settings, read_plan_inputs(settings, SAMPLES))


def type_of(column: pd.Series) -> ColumnType:
    if pd.api.types.is_bool_dtype(column.dtype) and column.dtype != object:
        return ColumnType.BOOLEAN
    if pd.api.types.is_integer_dtype(column.dtype):
        return ColumnType.INTEGER
    if pd.api.types.is_float_dtype(column.dtype):
        return ColumnType.NUMBER
    return ColumnType.TEXTS if any(isinstance(value, list) for value in column) else ColumnType.TEXT


def test_the_layers_are_the_frames_in_their_order():
    assert [layer.name for layer in LAYERS] == [*GEOGRAPHIC_FRAMES, *TABLES]
    assert {layer.name for layer in LAYERS if layer.geometry is None} == set(TABLES)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_a_layer_has_the_columns_of_its_frame(layer: Layer, county: Plan):
    frame = getattr(county, layer.name)
    assert len(frame)
    columns = [name for name in frame.columns if name != "geometry"]
    assert [(column.name, column.type) for column in layer.columns] == [
        (name, type_of(frame[name])) for name in columns
    ]


@pytest.mark.parametrize("layer", [layer for layer in LAYERS if layer.key], ids=lambda layer: layer.name)
def test_the_key_of_a_layer_names_one_row(layer: Layer, county: Plan):
    frame = getattr(county, layer.name)
    assert not frame[list(layer.key)].isna().any(axis=None)
    assert not frame.duplicated(list(layer.key)).any()


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_a_layer_has_geometries_of_its_type(layer: Layer, county: Plan):
    frame = getattr(county, layer.name)
    if layer.geometry is None:
        assert not isinstance(frame, gpd.GeoDataFrame)
    else:
        assert set(frame.geometry.geom_type) <= SHAPES[layer.geometry]

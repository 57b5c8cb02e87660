"""A plan's files read together: what must fit together, and what is only worth a word."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from gridmap.domain.inputs import PlanInputs
from gridmap.domain.kinds import AreaLevel
from gridmap.domain.plan_settings import PlanSettings
from gridmap.errors import DuplicateId, InvalidGeometry, OutOfPlace, UnreadableFile
from gridmap.inputs import read_plan_inputs

OUTLETS = "id,kind,lon,lat\nW1,branch,111.05,30.05\n"
DEVICES = "id,kind,lon,lat\nD1,atm,111.15,30.05\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    county = gpd.GeoDataFrame({"code": ["420506"]}, geometry=[shapely.box(111.0, 30.0, 111.2, 30.1)], crs=4326)
    county.to_file(tmp_path / "county.gpkg")
    gpd.GeoDataFrame(
        {"code": ["420506001001", "420506001002"], "name": ["甲", "乙"], "class": ["111", "220"]},
        geometry=[shapely.box(111.0, 30.0, 111.1, 30.1), shapely.box(111.1, 30.0, 111.2, 30.1)],
        crs=4326,
    ).to_file(tmp_path / "villages.gpkg")
    (tmp_path / "outlets.csv").write_text(OUTLETS)
    (tmp_path / "devices.csv").write_text(DEVICES)
    (tmp_path / "people.csv").write_text("lon,lat,people\n111.05,30.05,100\n")
    return tmp_path


def settings(**changed: object) -> PlanSettings:
    tables: dict[str, object] = {
        "plan": {"name": "x"},
        "areas": {"village": {"path": "villages.gpkg", "settlement": "class"}, "county": {"path": "county.gpkg"}},
        "facilities": {"outlets": {"path": "outlets.csv"}, "devices": {"path": "devices.csv"}},
        "demand": {"path": "people.csv"},
    }
    return PlanSettings.model_validate({**tables, **changed})


def read(folder: Path, **changed: object) -> PlanInputs:
    return read_plan_inputs(settings(**changed), folder)


def test_everything_is_read(folder):
    told: list[float] = []
    inputs = read_plan_inputs(settings(), folder, progress=lambda _, share: told.append(share))
    assert list(inputs.areas) == [AreaLevel.COUNTY, AreaLevel.VILLAGE]
    villages = inputs.areas[AreaLevel.VILLAGE]
    assert villages["settlement"].tolist() == ["urban", "rural"]
    assert villages["level"].tolist() == ["village", "village"]
    assert inputs.areas[AreaLevel.COUNTY]["settlement"].tolist() == [None]
    assert inputs.facilities["facility_id"].tolist() == ["W1", "D1"]
    assert isinstance(inputs.facilities, gpd.GeoDataFrame)
    assert inputs.demand is not None
    assert inputs.demand.value.tolist() == [100.0]
    assert inputs.warnings == ()
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_only_areas_are_needed(folder):
    inputs = read(folder, facilities={}, demand=None)
    assert len(inputs.facilities) == 0
    assert inputs.facilities.crs.to_epsg() == 4326
    assert list(inputs.facilities.columns) == list(read(folder).facilities.columns)
    assert inputs.demand is None


def test_an_id_that_stands_among_outlets_and_devices_names_both(folder, refused):
    (folder / "devices.csv").write_text(DEVICES.replace("D1", "W1"))
    with refused(DuplicateId, "devices.csv, row 2", "outlets.csv, row 2", "W1"):
        read(folder)


def test_an_outlet_in_the_sea_is_refused(folder, refused):
    (folder / "outlets.csv").write_text(OUTLETS + "W2,branch,124.0,28.0\n")
    with refused(OutOfPlace, "outlets.csv, row 3", "code W2", "km from the nearest area"):
        read(folder)


def test_a_facility_beyond_the_border_is_worth_a_word(folder):
    (folder / "devices.csv").write_text(DEVICES + "D2,atm,111.3,30.05\n")
    warning = read(folder).warnings[0]
    assert "devices.csv: 1 facilities" in warning
    assert "D2" in warning
    # 0.1 degree of longitude at 30° north.
    assert "9.6 km" in warning
    (folder / "devices.csv").write_text(DEVICES + "D2,atm,112.2,30.05\n")
    assert "check their coordinates and datum" in read(folder).warnings[0]


def test_a_facility_on_the_border_is_inside(folder):
    (folder / "devices.csv").write_text(DEVICES + "D2,atm,111.2,30.05\n")
    assert read(folder).warnings == ()


def test_codes_that_do_not_belong_together_are_worth_a_word(folder):
    county = gpd.GeoDataFrame({"code": ["420507"]}, geometry=[shapely.box(111.0, 30.0, 111.2, 30.1)], crs=4326)
    county.to_file(folder / "county.gpkg")
    assert "2 village codes begin with no county code given" in read(folder).warnings[0]


def test_codes_that_are_no_codes_are_not_compared(folder):
    county = gpd.GeoDataFrame({"code": ["Yiling"]}, geometry=[shapely.box(111.0, 30.0, 111.2, 30.1)], crs=4326)
    county.to_file(folder / "county.gpkg")
    assert read(folder).warnings == ()


def test_a_class_code_the_profile_does_not_know(folder):
    inputs = read(folder, profile={"settlement_of_code": {"111": "urban"}})
    assert inputs.areas[AreaLevel.VILLAGE]["settlement"].tolist() == ["urban", None]
    assert "220" in inputs.warnings[0]


# Roads, barriers, carved grounds, staff, the plan before.


@pytest.fixture
def more(folder: Path) -> dict[str, object]:
    """Write a file for each other table of the plan file; return those tables."""
    road = shapely.LineString([(111.0, 30.05), (111.2, 30.05)])
    pond = shapely.box(111.01, 30.01, 111.02, 30.02)
    columns = {"id": ["Z1"], "grid_code": ["420506001001601"], "class": ["primary"]}
    for name, shape in (("roads", road), ("rivers", pond), ("malls", pond), ("locked", pond), ("before", pond)):
        gpd.GeoDataFrame(columns, geometry=[shape], crs=4326).to_file(folder / f"{name}.gpkg")
    (folder / "staff.csv").write_text("id,role,employment\nP1,manager,full_time\n")
    return {
        "roads": {"path": "roads.gpkg"},
        "barriers": {"path": "rivers.gpkg"},
        "dedicated": {"path": "malls.gpkg"},
        "locked": {"path": "locked.gpkg"},
        "staff": {"path": "staff.csv"},
        "previous": {"path": "before.gpkg"},
    }


def test_every_table_of_the_plan_file_is_read(folder, more):
    told: list[tuple[str, float]] = []
    inputs = read_plan_inputs(settings(**more), folder, progress=lambda *said: told.append(said))
    assert inputs.roads is not None
    assert inputs.roads.class_of.tolist() == ["primary"]
    assert inputs.barriers is not None
    assert inputs.barriers.source == "rivers.gpkg"
    assert shapely.is_closed(inputs.barriers.geometry).all()
    assert inputs.dedicated is not None
    assert inputs.dedicated.ids == ("Z1",)
    assert inputs.locked is not None
    assert inputs.locked.ids == ("420506001001601",)
    assert inputs.staff is not None
    assert inputs.staff.ids == ("P1",)
    assert inputs.previous is not None
    assert inputs.previous.codes == ("420506001001601",)
    assert inputs.warnings == ()
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    for name in ("roads.gpkg", "rivers.gpkg", "malls.gpkg", "locked.gpkg", "staff.csv", "before.gpkg"):
        assert any(name in message for message, _ in told)


@pytest.mark.parametrize("section", ["roads", "barriers", "dedicated", "locked", "staff", "previous"])
def test_what_a_table_names_must_be_there(folder, refused, section):
    with refused(UnreadableFile, "nowhere.gpkg", "no such file"):
        read(folder, **{section: {"path": "nowhere.gpkg"}})


@pytest.mark.parametrize("section", ["roads", "barriers", "previous"])
def test_a_file_that_lies_elsewhere_is_worth_a_word_or_refused(folder, refused, section):
    def write(west: float) -> None:
        square = shapely.box(west, 30.0, west + 0.1, 30.1)
        drawn = square.boundary if section == "roads" else square
        frame = gpd.GeoDataFrame({"grid_code": ["420506001001001"]}, geometry=[drawn], crs=4326)
        frame.to_file(folder / "there.gpkg")

    write(111.3)
    warning = read(folder, **{section: {"path": "there.gpkg"}}).warnings[0]
    assert "there.gpkg: none of its features (1)" in warning
    # 0.1 degree of longitude at 30° north.
    assert "10 km away" in warning
    write(121.3)
    with refused(OutOfPlace, "there.gpkg", "nearer", "datum"):
        read(folder, **{section: {"path": "there.gpkg"}})
    write(111.15)
    assert read(folder, **{section: {"path": "there.gpkg"}}).warnings == ()


def test_warnings_of_every_file_are_kept(folder, more):
    (folder / "staff.csv").write_text("id,role\nP1,manager\n")
    (folder / "codes.csv").write_text("grid_code\n420506001001601\n")
    warnings = read(folder, **{**more, "previous": {"path": "codes.csv"}}).warnings
    assert [warning.split(":")[0] for warning in warnings] == ["staff.csv", "codes.csv"]


def test_improper_rings_of_carved_grounds_are_refused_or_untangled(folder, more, refused):
    bow_tie = shapely.Polygon([(111.01, 30.01), (111.02, 30.02), (111.02, 30.01), (111.01, 30.02)])
    gpd.GeoDataFrame({"id": ["Z1"]}, geometry=[bow_tie], crs=4326).to_file(folder / "malls.gpkg")
    with refused(InvalidGeometry, "malls.gpkg", "Z1", "--repair"):
        read(folder, **more)
    repaired = read_plan_inputs(settings(**more), folder, repair=True)
    assert repaired.dedicated is not None
    assert shapely.is_valid(repaired.dedicated.geometry).all()
    assert "malls.gpkg" in repaired.warnings[0]

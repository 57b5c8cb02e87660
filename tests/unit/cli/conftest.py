"""What every verb is tried on: the command line, areas clean and dirty, and a plan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import pytest
import shapely

from gridmap import cli

CODES = ["990101001001", "990101001002", "990101001003"]
BOXES = [shapely.box(west, 30.0, east, 30.1) for west, east in ((111.0, 111.1), (111.1, 111.2), (111.2, 111.3))]
PLAN_FILES = {
    "plan.toml": """
[plan]
name = "三村网格"
[areas.village]
path = "villages.geojson"
[facilities.outlets]
path = "outlets.csv"
[facilities.devices]
path = "devices.csv"
[partition]
resolution = 7
""",
    "outlets.csv": "id,name,kind,lon,lat\nW1,东塆支行,branch,111.05,30.05\nW2,西漷支行,branch,111.25,30.05\n",
    "devices.csv": "id,kind,lon,lat\nD1,rural_cash_point,111.15,30.05\n",
}


class Ran(NamedTuple):
    status: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process."""

    def ran(*arguments: object) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert "Traceback" not in said.err, said.err
        return Ran(int(ended.value.code or 0), said.out, said.err)

    return ran


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDMAP_LANGUAGE", "en")


@pytest.fixture
def plan_files() -> dict[str, str]:
    """Text of a plan of ``villages.geojson``, and of the other files it names."""
    return PLAN_FILES


@pytest.fixture
def villages(tmp_path: Path, plan_files: dict[str, str]) -> Path:
    """Three villages in a file, with all that a plan needs beside it."""
    path = tmp_path / "villages.geojson"
    gpd.GeoDataFrame({"area_code": CODES}, geometry=BOXES, crs=4326).to_file(path)
    for name, content in plan_files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def names() -> Callable[[Path], list[str]]:
    """List the names of what lies in a folder."""
    return lambda folder: sorted(path.name for path in folder.iterdir())


@pytest.fixture
def dirty(tmp_path: Path) -> Path:
    """Write areas with a gap of 0.3 m between north and south-west, an overlap of 0.4 m of north and south-east."""
    metre = 1 / 111_320
    path = tmp_path / "dirty.geojson"
    squares = [
        shapely.box(111.0, 30.1, 111.2, 30.2),
        shapely.box(111.0, 30.0, 111.1, 30.1 - 0.3 * metre),
        shapely.box(111.1, 30.0, 111.2, 30.1 + 0.4 * metre),
        shapely.box(110.9, 30.0, 111.0, 30.2),
    ]
    codes = ["north", "south-west", "south-east", "west"]
    gpd.GeoDataFrame({"code": codes}, geometry=squares, crs=4326).to_file(path, COORDINATE_PRECISION=9)
    return path

"""A plan on disk is the plan: every frame equal, and nothing half-written, whatever happens."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely

from gridmap.domain.plan import GEOGRAPHIC_FRAMES, TABLES, Plan
from gridmap.errors import UnreadableFile, UsageError
from gridmap.exports import plan_directory
from gridmap.exports.plan_directory import FILES, check_output_directory, load_plan, write_plan


@pytest.fixture(scope="module")
def written(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("plans") / "out"
    write_plan(plan, directory)
    return directory


def everything_in(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_every_file_of_the_directory_is_there_and_named(plan: Plan, tmp_path: Path) -> None:
    paths = write_plan(plan, tmp_path / "new" / "out")
    assert [path.name for path in paths] == list(FILES)
    assert sorted(path.name for path in (tmp_path / "new" / "out").iterdir()) == sorted(FILES)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["out"]


@pytest.mark.parametrize("name", GEOGRAPHIC_FRAMES)
def test_every_geographic_frame_comes_back_equal_and_bit_for_bit(plan: Plan, written: Path, name: str) -> None:
    before, after = getattr(plan, name), getattr(load_plan(written), name)
    pd.testing.assert_frame_equal(
        pd.DataFrame(after.drop(columns="geometry")), pd.DataFrame(before.drop(columns="geometry"))
    )
    assert list(after.columns) == list(before.columns)
    assert after.crs == before.crs
    assert shapely.to_wkb(after.geometry).tolist() == shapely.to_wkb(before.geometry).tolist()


def test_all_that_is_no_frame_comes_back_equal(plan: Plan, written: Path) -> None:
    after = load_plan(written)
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(after, name), getattr(plan, name))
    assert after.settings == plan.settings
    assert after.rules == plan.rules
    assert after.certificate == plan.certificate
    assert after.report == plan.report
    assert after.indicators == plan.indicators


def test_a_plan_without_gaps_and_with_nothing_assigned_comes_back(
    make_plan: Callable[..., Plan], tmp_path: Path
) -> None:
    plan = make_plan(rings=1, gaps=False)
    write_plan(plan, tmp_path / "out")
    after = load_plan(tmp_path / "out")
    pd.testing.assert_frame_equal(pd.DataFrame(after.gaps), pd.DataFrame(plan.gaps), check_index_type=False)


def test_a_loaded_plan_written_again_gives_the_same_geojson(written: Path, tmp_path: Path) -> None:
    write_plan(load_plan(written), tmp_path / "again")
    for name in ("cells.geojson", "grids.geojson", "gaps.geojson", "certificate.json", "report.json", "index.html"):
        assert (tmp_path / "again" / name).read_bytes() == (written / name).read_bytes(), name


def test_an_earlier_plan_is_replaced_and_the_user_s_own_files_stay(plan: Plan, tmp_path: Path) -> None:
    directory = tmp_path / "out"
    write_plan(plan, directory)
    (directory / "map.qgz").write_text("mine")
    (directory / "report.md").write_text("stale")
    write_plan(plan, directory)
    assert (directory / "map.qgz").read_text() == "mine"
    assert (directory / "report.md").read_text() != "stale"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_empty_directory_is_used_and_a_foreign_one_refused_untouched(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write_plan(plan, tmp_path / "empty")
    assert (tmp_path / "empty" / "index.html").exists()
    foreign = tmp_path / "photos"
    foreign.mkdir()
    (foreign / "report.json").write_text('{"made_by": "somebody else"}')
    with pytest.raises(UsageError, match="not made by gridmap"):
        check_output_directory(foreign)
    with pytest.raises(UsageError, match="not made by gridmap"):
        write_plan(plan, foreign)
    assert [path.name for path in foreign.iterdir()] == ["report.json"]


def test_a_file_in_the_way_is_refused(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(UsageError, match="cannot write here"):
        write_plan(plan, tmp_path / "out")


@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError(28, "No space left on device")])
@pytest.mark.parametrize("earlier", [True, False])
def test_a_break_leaves_all_as_it_was(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException, earlier: bool
) -> None:
    directory = tmp_path / "out"
    if earlier:
        write_plan(plan, directory)
    before = everything_in(directory) if earlier else None

    def broken(*_: object) -> None:
        raise fault

    monkeypatch.setattr(plan_directory, "write_page", broken)
    with pytest.raises((KeyboardInterrupt, plan_directory.GridmapError)):
        write_plan(plan, directory)
    assert (everything_in(directory) if directory.exists() else None) == before
    assert [path.name for path in tmp_path.iterdir()] == (["out"] if earlier else [])


def test_a_break_while_directories_change_places_restores_the_earlier_one(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "out"
    write_plan(plan, directory)
    before = everything_in(directory)
    rename = Path.rename

    def interrupted(self: Path, target: Path) -> Path:
        if ".partial-" in self.name:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_plan(plan, directory)
    assert everything_in(directory) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_mounted_directory_gets_its_files_one_by_one(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "out"
    directory.mkdir()
    identity = directory.stat().st_ino
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == directory)
    write_plan(plan, directory)
    assert directory.stat().st_ino == identity
    assert sorted(path.name for path in directory.iterdir()) == sorted(FILES)


def test_report_json_holds_what_the_docs_list(written: Path) -> None:
    document = json.loads((written / "report.json").read_text())
    assert document["made_by"] == "gridmap"
    wanted = {"settings", "indicators", "rules", "warnings", "timings_s", "versions", "demand"}
    assert wanted <= document.keys()
    assert document["columns"]["grids"]["officer_ids"] == "list"


def test_what_is_no_plan_is_named(written: Path, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"report\.json is missing"):
        load_plan(tmp_path)
    for name in ("report.json", "certificate.json"):
        (tmp_path / name).write_bytes((written / name).read_bytes())
    with pytest.raises(UnreadableFile, match=r"plan\.gpkg is missing"):
        load_plan(tmp_path)
    (tmp_path / "plan.gpkg").write_text("not a database")
    with pytest.raises(UnreadableFile, match="cannot be read"):
        load_plan(tmp_path)
    (tmp_path / "report.json").write_text("{")
    with pytest.raises(UnreadableFile, match=r"report\.json"):
        load_plan(tmp_path)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: document["columns"].update(sites={"site_id": "str"}),
        lambda document: document["columns"]["cells"].update(no_such_column="str"),
        lambda document: document["columns"]["cells"].update(cell_id="float64"),
        lambda document: document["settings"].update(no_such_key=1),
        lambda document: document.pop("rules"),
    ],
)
def test_a_spoilt_report_is_named_and_no_traceback(
    written: Path, tmp_path: Path, spoil: Callable[[dict[str, Any]], Any]
) -> None:
    for name in ("report.json", "certificate.json", "plan.gpkg"):
        (tmp_path / name).write_bytes((written / name).read_bytes())
    document = json.loads((tmp_path / "report.json").read_text())
    spoil(document)
    (tmp_path / "report.json").write_text(json.dumps(document))
    with pytest.raises(UnreadableFile, match="this part of a plan cannot be read"):
        load_plan(tmp_path)


def test_coordinates_off_the_lattice_survive_in_the_geopackage(plan: Plan, tmp_path: Path) -> None:
    exact = plan.facilities.set_geometry(shapely.points(np.pi + np.arange(5) / 3, np.e + np.arange(5) / 7), crs=4326)
    moved = Plan(**{**{name: getattr(plan, name) for name in plan.__dataclass_fields__}, "facilities": exact})
    write_plan(moved, tmp_path / "out")
    assert (
        shapely.to_wkb(load_plan(tmp_path / "out").facilities.geometry).tolist()
        == shapely.to_wkb(exact.geometry).tolist()
    )

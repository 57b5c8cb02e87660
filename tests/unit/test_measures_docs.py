"""The guides of measures and what-ifs show files that can be read, and name what is there."""

from __future__ import annotations

import re
from pathlib import Path

from gridmap.domain.kinds import FacilityKind
from gridmap.inputs.presets import read_presets
from gridmap.inputs.scenarios import read_scenarios
from gridmap.planning.access.distributions import DISTANCE_BINS_M
from gridmap.planning.access.places import place_frame
from gridmap.planning.access.standing import Standing
from gridmap.planning.what_ifs.changes import Close, Move, Open, Reach

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide"


def example(page: str, tmp_path: Path) -> Path:
    (text,) = re.findall(r"```toml title=.*?\n(.*?)```", (GUIDE / page).read_text("utf-8"), re.DOTALL)
    file = tmp_path / "example.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_presets_that_come_along_are_the_documented_ones(tmp_path):
    text = (GUIDE / "measures.md").read_text("utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(read_presets())
    own = read_presets(example("measures.md", tmp_path))["half_hour_walk"]
    assert (own.test, own.share, own.radius_m) == ("reach", 0.9, [(2500, 2500)])


def test_the_scenarios_of_the_guide_can_be_read(tmp_path):
    first, second = read_scenarios(example("what-ifs.md", tmp_path)).values()
    assert (first.changes, first.datum) == ((Close("W001"),), "wgs84")
    assert (second.after, second.datum) == ("close_west", "gcj02")
    assert second.changes == (
        Open(111.31, 30.78, FacilityKind.ATM, "A1", "Market ATM"),
        Open(111.33, 30.76, FacilityKind.ATM),
        Move("D0002", 111.30, 30.75),
        Reach("branch", 1500, 6000),
    )


def test_the_columns_and_bins_are_the_documented_ones(plan):
    text = (GUIDE / "measures.md").read_text("utf-8")
    columns = list(place_frame(Standing.of(plan)).columns)
    listed = text.split("and for each kind:")[1].split("Rows of an institution")[0]
    assert [name for name in re.findall(r"`(\w+)`", listed) if name != "all"] == columns
    assert "bins up to 500 m, 1, 1.5, 2, 3, 5 and 10 km" in text
    assert DISTANCE_BINS_M == (500, 1000, 1500, 2000, 3000, 5000, 10_000)

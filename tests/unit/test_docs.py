"""The documentation names every key, setting, verb, column and public name there is, and none that is not."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args

import geopandas as gpd
import pytest
import shapely
import typer.main
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import gridmap
from gridmap.cli import app
from gridmap.domain.inputs import PlanInputs
from gridmap.domain.kinds import AreaLevel
from gridmap.domain.plan import GEOGRAPHIC_FRAMES, Plan
from gridmap.domain.plan import TABLES as TABLE_FRAMES
from gridmap.domain.plan_settings import (
    DEFAULT_RADIUS_M,
    DEFAULT_SETTLEMENT_OF_CODE,
    FacilitySource,
    GridSection,
    PlanSettings,
)
from gridmap.inputs import read_facilities, read_plan_inputs
from gridmap.planning.districting.task import Reason
from gridmap.planning.pipeline import build_plan
from gridmap.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "data" / "samples"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("data/**/*.md")])
GRID_EXAMPLES = re.findall(r"```toml\n(.*?)```", (ROOT / "docs/guide/grids.md").read_text("utf-8"), re.DOTALL)
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def sections(text: str) -> dict[str, str]:
    """Text of each second-level section by its heading."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(text: str) -> dict[str, list[str]]:
    """Rows of the tables by the names in backticks in their first cell."""
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            found.update(dict.fromkeys(re.findall(r"`([^`]+)`", cells[0]), cells[1:]))
    return found


def tables_of(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Tables of the plan file by their heading: ``areas.LEVEL``, ``facilities.outlets``, ``partition``."""
    keys_of_its_own = False
    for name, field in model.model_fields.items():
        kinds = [kind for kind in (field.annotation, *get_args(field.annotation)) if isinstance(kind, type)]
        inner = next((kind for kind in kinds if issubclass(kind, BaseModel)), None)
        if inner is None:
            keys_of_its_own = True
        else:
            levels = ".LEVEL" if dict in kinds or getattr(field.annotation, "__origin__", None) is dict else ""
            yield from tables_of(inner, f"{prefix}{name}{levels}.")
    if keys_of_its_own:
        yield prefix.removesuffix("."), model


TABLES = dict(tables_of(PlanSettings))


def default_as_documented(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if default is None:
        return "–"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, str):
        return f'`"{default}"`'
    return "see below" if isinstance(default, dict) and default else f"`{default}`"


def test_the_tables_of_the_plan_file_were_found() -> None:
    assert {"plan", "areas.LEVEL", "facilities.outlets", "demand", "staff", "coverage", "profile"} <= set(TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_the_reference_lists_every_key_with_its_default(table: str) -> None:
    heading = next(
        (heading for heading in sections(page("docs/reference/plan-file.md")) if f"`[{table}]`" in heading), None
    )
    assert heading is not None, f"no section for [{table}]"
    documented = rows(sections(page("docs/reference/plan-file.md"))[heading])

    assert {key: cells[0] for key, cells in documented.items()} == {
        key: default_as_documented(field) for key, field in TABLES[table].model_fields.items()
    }


def test_the_reference_describes_no_table_that_is_not_there() -> None:
    headings = " ".join(sections(page("docs/reference/plan-file.md")))

    assert set(re.findall(r"`\[([\w.]+)\]`", headings)) == set(TABLES)


def test_the_default_radii_and_classes_are_the_documented_ones() -> None:
    text = page("docs/reference/plan-file.md")
    blocks = {
        name: tomllib.loads(block) for name in ("radius_m", "settlement_of_code") for block in toml_blocks(text, name)
    }

    assert blocks["radius_m"]["coverage"]["radius_m"] == {
        kind: list(map(int, r)) for kind, r in DEFAULT_RADIUS_M.items()
    }
    assert blocks["settlement_of_code"]["profile"]["settlement_of_code"] == DEFAULT_SETTLEMENT_OF_CODE
    guide = rows(page("docs/guide/coverage.md"))
    for kind, (urban, rural) in DEFAULT_RADIUS_M.items():
        assert guide[kind][1:] == [f"{urban:,.0f} m", f"{rural:,.0f} m"]


def toml_blocks(text: str, containing: str) -> list[str]:
    return [block for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL) if f".{containing}]" in block]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_plan_file_shown_is_one_that_is_read(path: Path) -> None:
    for block in re.findall(r"```toml\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
        given = tomllib.loads(block)
        given.setdefault("plan", {"name": "x"})
        given.setdefault("areas", {"county": {"path": "x"}})
        for source in given.get("facilities", {}).values():
            source.setdefault("path", "x")
        PlanSettings.model_validate(given)


def test_the_reference_lists_every_setting_with_its_default() -> None:
    documented = rows(page("docs/reference/settings.md"))
    expected = {f"GRIDMAP_{name.upper()}": field.default for name, field in Settings.model_fields.items()}

    assert set(documented) == set(expected)
    for name, default in expected.items():
        if default is not None:
            assert documented[name][0] == f"`{default}`", name


def test_the_reference_has_every_verb_with_every_option() -> None:
    by_verb = sections(page("docs/reference/cli.md"))

    assert {f"gridmap {verb}" for verb in COMMANDS} == {
        heading.strip("`") for heading in by_verb if heading.startswith("`gridmap ")
    }
    for verb, command in COMMANDS.items():
        documented = set(rows(by_verb[f"`gridmap {verb}`"]))
        there = {
            name
            for parameter in command.params
            for name in (parameter.opts if parameter.param_type_name == "option" else [parameter.metavar])
        }
        assert documented == there, verb


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_page_shows_a_verb_that_is_not_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    shell = re.findall(r"```(?:sh|yaml)\n(.*?)```", text, re.DOTALL)
    code = shell + re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    verbs = {verb for block in code for verb in re.findall(r"(?:^|\s)gridmap ([a-z]+)\b", block)}

    assert verbs <= {*COMMANDS}


@pytest.fixture(scope="module")
def smallest_plan() -> Plan:
    """One village of a few cells and one branch, as the readers would hand them over."""
    village = gpd.GeoDataFrame(
        {"area_code": ["990101001001"], "name": ["塆子村"], "level": ["village"], "settlement": ["rural"]},
        geometry=[shapely.box(111.30, 30.80, 111.31, 30.81)],
        crs="EPSG:4326",
    )
    read = read_facilities(FacilitySource(path="outlets.csv"), SAMPLES, outlets=True)
    settings = PlanSettings.model_validate({"plan": {"name": "x"}, "areas": {"village": {"path": "x"}}})
    return build_plan(settings, PlanInputs({AreaLevel.VILLAGE: village}, read.facilities.head(1)))


@pytest.mark.parametrize("frame", [*GEOGRAPHIC_FRAMES, *TABLE_FRAMES])
def test_the_reference_lists_the_columns_that_are_written(frame: str, smallest_plan: Plan) -> None:
    documented = set(rows(sections(page("docs/reference/output.md"))[f"`{frame}`"]))

    assert documented == set(getattr(smallest_plan, frame).columns) - {"geometry"}


def test_the_reference_lists_every_rule_in_its_order(smallest_plan: Plan) -> None:
    assert list(rows(page("docs/reference/rules.md"))) == [rule.rule for rule in smallest_plan.rules]


def test_the_guide_to_grids_lists_every_reason_and_every_setting() -> None:
    text = page("docs/guide/grids.md")

    assert list(rows(sections(text)["What cannot be met, and how it is said"]))[1:] == [
        reason.value for reason in Reason
    ]
    assert {key for key in GridSection.model_fields if f"`{key}" not in text and f"\n{key} = " not in text} == {"seed"}


@pytest.mark.parametrize(
    "number", [0, *(pytest.param(number, marks=pytest.mark.slow) for number in range(1, len(GRID_EXAMPLES)))]
)
def test_every_example_of_the_guide_to_grids_runs_on_the_sample_county(number: int, tmp_path: Path) -> None:
    given = tomllib.loads((SAMPLES / "plan.toml").read_text(encoding="utf-8"))
    example = tomllib.loads(GRID_EXAMPLES[number])
    if "previous" in example:
        # The example names the folder of an earlier run.
        codes = tmp_path / "codes.csv"
        codes.write_text("grid_code\n990101001001001\n990101001001777\n", encoding="utf-8")
        example["previous"]["path"] = str(codes)
    settings = PlanSettings.model_validate({**given, "grids": {}, **example, "partition": {"resolution": 7}})
    plan = build_plan(settings, read_plan_inputs(settings, SAMPLES))

    assert plan.cells["demand"].sum() == plan.grids["demand"].sum() == 534_216
    assert not [warning for warning in plan.report["warnings"] if "not used" in warning]
    assert all(rule.holds for rule in plan.rules if rule.rule in ("grids_do_not_overlap", "levels_nested"))


def test_the_reference_lists_every_public_name() -> None:
    text = page("docs/reference/python-api.md")

    assert {name for name in gridmap.__all__ if f"`{name}" not in text and f"gridmap.{name}" not in text} == set()


@pytest.mark.parametrize("name", [name for name in gridmap.__all__ if is_dataclass(getattr(gridmap, name))])
def test_the_reference_lists_every_field_of_a_public_value(name: str) -> None:
    text = page("docs/reference/python-api.md")
    entry = re.search(rf"^`{name}`\n: (.*?)\n\n", text, re.MULTILINE | re.DOTALL)
    described = entry[1] if entry else next(line for line in text.splitlines() if f"`{name}` (" in line)

    assert {
        field.name
        for field in fields(getattr(gridmap, name))
        if not field.name.startswith("_") and not re.search(rf"\b{field.name}\b", described)
    } == set()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_link_is_broken(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        linked = (path.parent / name).resolve() if name else path
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, target


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def test_both_readmes_have_the_same_sections_and_commands() -> None:
    english, chinese = page("README.md"), page("README.zh-CN.md")

    assert len(sections(english)) == len(sections(chinese))
    blocks = [
        [re.sub(r"\s*#.*", "", block) for block in re.findall(r"```\w+\n(.*?)```", text, re.DOTALL)]
        for text in (english, chinese)
    ]
    assert blocks[0] == blocks[1]


def test_the_readmes_start_with_the_two_commands() -> None:
    for name in ("README.md", "README.zh-CN.md"):
        first_block = re.findall(r"```sh\n(.*?)```", page(name), re.DOTALL)[0]
        assert [line.split("#")[0].strip() for line in first_block.splitlines()] == ["make demo", "make test"]


def test_no_page_names_an_absolute_path_of_a_machine() -> None:
    found: dict[str, Any] = {
        str(path): re.findall(r"/(?:home|root|tmp)/\w+", path.read_text("utf-8")) for path in PAGES
    }

    assert not any(found.values()), found

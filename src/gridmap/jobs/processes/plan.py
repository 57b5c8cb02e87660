"""``plan``: the whole job on uploads, kept as a draft version of a plan."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import Field

from gridmap import catalogue
from gridmap.domain.access import Scope
from gridmap.domain.inputs import PlanInputs
from gridmap.domain.plan import Plan
from gridmap.domain.plan_settings import FileSource, PlanSettings
from gridmap.errors import NotAllowed, Place, UsageError
from gridmap.inputs.plan_file import checked
from gridmap.jobs.processes.checking import faults_placed
from gridmap.jobs.processes.process import Asker, Inputs, Made, Output, Process, Run
from gridmap.jobs.processes.sources import PREFIX, Staging, record_of
from gridmap.planning.checks import check_settings
from gridmap.progress import Told
from gridmap.store.protocols import VersionInfo
from gridmap.store.repository import Repository
from gridmap.store.sql import Also, check_plan_id

_SECTIONS = ("demand", "dedicated", "locked", "roads", "barriers", "staff", "previous")
#: Share of the whole that is done where each stage begins; measured on the sample county at resolution 9.
_BEGINS = {
    "partition": 0.15,
    "demand": 0.45,
    "coverage": 0.47,
    "grids": 0.55,
    "assignment": 0.83,
    "gaps": 0.84,
    "proof": 0.85,
    "frames": 0.89,
    "indicators": 0.93,
    "storing": 0.94,
}


class PlanRunInputs(Inputs):
    """Which plan gets a new version, and the tables of its plan file, each ``path`` an upload."""

    plan: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    settings: dict[str, Any]
    repair: bool = False
    tolerance: float = Field(1.0, ge=0.001, le=1000)


def check(inputs: PlanRunInputs, asker: Asker) -> None:
    """Refuse tables that no plan can be made with, paths, uploads that are not there, and institutions out of reach."""
    check_plan_id(inputs.plan)
    with faults_placed("settings"):
        settings = checked(PlanSettings, _with_uploads(inputs.settings))
        for where, source in sources_of(settings):
            record_of(_upload_of(where, source), f"{where}.path", asker)
        check_settings(settings.grids)
    if not asker.identity.scope.has_institution(settings.plan.institution or None):
        raise NotAllowed("jobs.institution_out_of_reach", institution=settings.plan.institution or "–")


def run(inputs: PlanRunInputs, run: Run) -> Made:
    """Make the plan."""
    from gridmap.exports.sentences import summary_lines
    from gridmap.exports.summary import findings_document
    from gridmap.frames import repair_inputs
    from gridmap.inputs import read_plan_inputs
    from gridmap.planning.pipeline import build_plan

    settings, staging = _staged(inputs.settings, run)
    reading: Told = lambda stage, share: run.tell(stage, share * _BEGINS["partition"])  # noqa: E731
    read = read_plan_inputs(settings, staging.folder, repair=inputs.repair, progress=reading)
    _require_reach(read, run.identity.scope)
    if inputs.repair:
        read = repair_inputs(read, settings, inputs.tolerance)
    made = build_plan(settings, read, _of_the_whole(run.tell))
    run.tell(catalogue.text("jobs.storing"), _BEGINS["storing"])
    summary = {
        "lines": summary_lines(made),
        "indicators": made.indicators,
        **findings_document(made),
        "warnings": made.report["warnings"],
    }
    message = {lang: summary_lines(made, None, lang)[0] for lang in catalogue.LANGUAGES}
    return Made(message, {"summary": summary}, save=_saving(inputs.plan, made, run))


def _saving(plan_id: str, made: Plan, run: Run) -> Callable[[Also], VersionInfo]:
    plans = Repository(run.store, run.identity)
    return lambda also: plans.add_version(plan_id, made, also)


def sources_of(settings: PlanSettings) -> Iterator[tuple[str, FileSource]]:
    """Yield every file that a plan reads, and the table that names it."""
    yield from ((f"areas.{level}", source) for level, source in settings.areas.items())
    for name in ("outlets", "devices"):
        facilities = getattr(settings.facilities, name)
        if facilities is not None:
            yield f"facilities.{name}", facilities
    for name in _SECTIONS:
        section = getattr(settings, name)
        if section is not None:
            yield name, section


def _with_uploads(given: dict[str, Any]) -> dict[str, Any]:
    """Tables whose paths are texts: ``{"upload": ID, "layer": NAME}`` becomes ``upload:ID`` and a layer."""
    tables = copy.deepcopy(given)
    areas, facilities = tables.get("areas"), tables.get("facilities")
    nested = [table for tree in (areas, facilities) if isinstance(tree, dict) for table in tree.values()]
    for table in (*nested, *(tables.get(name) for name in _SECTIONS)):
        path = table.get("path") if isinstance(table, dict) else None
        if isinstance(path, dict) and set(path) <= {"upload", "layer"} and isinstance(path.get("upload"), str):
            table["path"] = f"{PREFIX}{path['upload'].removeprefix(PREFIX)}"
            if path.get("layer") is not None:
                table.setdefault("layer", path["layer"])
    return tables


def _upload_of(where: str, source: FileSource) -> str:
    if not source.path.startswith(PREFIX):
        raise UsageError("jobs.path_is_no_upload", Place(field=f"{where}.path"), value=source.path[:80])
    return source.path.removeprefix(PREFIX)


def _staged(given: dict[str, Any], run: Run) -> tuple[PlanSettings, Staging]:
    """Name files in a folder of the run's by its settings, as a plan file beside them would have them."""
    tables, staging = _with_uploads(given), Staging(run)
    for where, source in sources_of(checked(PlanSettings, tables)):
        file = staging.path(_upload_of(where, source), f"settings.{where}.path")
        table = tables
        for part in where.split("."):
            table = table[part]
        table["path"] = file.relative_to(staging.folder).as_posix()
    return checked(PlanSettings, tables), staging


def _require_reach(read: PlanInputs, scope: Scope) -> None:
    beyond = sorted({code for frame in read.areas.values() for code in frame["area_code"] if not scope.has_area(code)})
    if beyond:
        raise NotAllowed("jobs.areas_out_of_reach", count=len(beyond), codes=", ".join(beyond[:5]))


def _of_the_whole(tell: Told) -> Told:
    """Turn shares of stages into shares of the whole."""
    names = list(_BEGINS)

    def told(stage: str, share: float) -> None:
        begin, end = (_BEGINS[names[names.index(stage) + step]] for step in (0, 1))
        tell(stage, begin + share * (end - begin))

    return told


PROCESS = Process("plan", "1.0.0", PlanRunInputs, (Output("version"), Output("summary")), check, run)

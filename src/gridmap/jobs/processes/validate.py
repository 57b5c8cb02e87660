"""``validate``: prove that the pieces of an upload tile areas, or their own outline, or list each fault."""

from __future__ import annotations

from pydantic import Field

from gridmap import catalogue
from gridmap.jobs.processes.process import Asker, Inputs, Made, Output, Process, Run
from gridmap.jobs.processes.sources import Source, Staging, record_of


class ValidateInputs(Inputs):
    """What is checked, and against what."""

    file: Source
    areas: Source | None = None
    id_column: str | None = Field(None, min_length=1)
    code_column: str | None = Field(None, min_length=1)


def check(inputs: ValidateInputs, asker: Asker) -> None:
    """Refuse uploads that are not there."""
    record_of(inputs.file.upload_id, "file", asker)
    if inputs.areas is not None:
        record_of(inputs.areas.upload_id, "areas", asker)


def run(inputs: ValidateInputs, run: Run) -> Made:
    """Look at the pieces."""
    from gridmap import frames
    from gridmap.exports.findings import as_text, write_findings
    from gridmap.inputs import read_pieces

    staging = Staging(run)
    file = staging.path(inputs.file.upload_id, "file")
    run.tell(catalogue.text("cli.reading", file=file.name), 0.0)
    pieces = read_pieces(file, layer=inputs.file.layer)
    ground = None
    if inputs.areas is not None:
        below = staging.path(inputs.areas.upload_id, "areas")
        run.tell(catalogue.text("cli.reading", file=below.name), 0.2)
        ground = read_pieces(below, layer=inputs.areas.layer)
    run.tell(catalogue.text("jobs.proving"), 0.3)
    report = frames.validate(pieces, ground, id_column=inputs.id_column, code_column=inputs.code_column)
    (run.folder / "findings.json").write_text(write_findings(report, "json", file.name), encoding="utf-8")
    message = {
        lang: as_text(report, file.name, lang).splitlines()[0].removeprefix("gridmap: ") for lang in catalogue.LANGUAGES
    }
    return Made(message, {}, {"findings": ("findings.json", "application/json")})


PROCESS = Process("validate", "1.0.0", ValidateInputs, (Output("findings"),), check, run)

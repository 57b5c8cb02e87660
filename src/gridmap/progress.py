"""Progress of a long run: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

from gridmap import catalogue

#: Takes the name of a stage and the share of it that is done, 0 to 1.
Told = Callable[[str, float], None]


@contextmanager
def progress_on(stream: TextIO) -> Iterator[Told]:
    """Yield what a run tells its progress to."""
    if not stream.isatty():
        yield _lines(stream)
        return
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(file=stream), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def tell(stage: str, share: float) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage_name(stage), total=1.0)
            bars.update(tasks[stage], completed=share)

        yield tell


def _lines(stream: TextIO) -> Told:
    told: set[str] = set()

    def tell(stage: str, _share: float) -> None:
        if stage not in told:
            told.add(stage)
            stream.write(f"{stage_name(stage)} …\n")
            stream.flush()

    return tell


def stage_name(stage: str) -> str:
    """Wording of a stage of the pipeline; other stages come worded."""
    key = f"cli.stage_{stage}"
    return catalogue.text(key) if key in catalogue.entries() else stage

"""Check inputs of a process: whatever is wrong is named by its place, before a job is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from gridmap.errors import InputError, NotAllowed, Place, UsageError
from gridmap.inputs.plan_file import checked
from gridmap.jobs.processes.process import Asker, Inputs, Process

M = TypeVar("M", bound=Inputs)


def checked_inputs(process: Process, given: Any, asker: Asker) -> Inputs:
    """Check inputs of a process.

    Raises
    ------
    UsageError
        If they are none it can run with; its place names the key.
    """
    if not isinstance(given, dict):
        raise UsageError("jobs.inputs_are_no_object", Place(field="inputs"))
    with faults_placed("inputs"):
        inputs = checked(process.inputs, given)
        process.check(inputs, asker)
    return inputs


@contextmanager
def faults_placed(where: str) -> Iterator[None]:
    """Say of every fault of the user's that it lies under a key of the request; its words stay."""
    try:
        yield
    except NotAllowed:
        raise
    except InputError as fault:
        field = fault.place.field if fault.place else None
        place = replace(fault.place or Place(), field=f"{where}.{field}" if field else where)
        raise UsageError(fault.key, place, **fault.values) from fault

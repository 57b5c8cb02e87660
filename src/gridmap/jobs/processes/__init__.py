"""Processes that can be asked for, by their identifiers."""

from __future__ import annotations

from gridmap.jobs.processes import partition, plan, validate
from gridmap.jobs.processes.process import Process

PROCESSES: dict[str, Process] = {one.id: one for one in (partition.PROCESS, plan.PROCESS, validate.PROCESS)}

__all__ = ["PROCESSES", "Process"]

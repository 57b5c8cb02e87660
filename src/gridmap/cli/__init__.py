"""The command line: parse, call, print."""

from __future__ import annotations

from gridmap.cli import coverage, differences, explanations, partitions, plans, services, siting, stores, users
from gridmap.cli.options import help_of
from gridmap.cli.program import app, main

#: Verbs in the order in which ``gridmap --help`` lists them, each with an example.
_VERBS = (
    ("demo", plans.demo, "gridmap demo -o out"),
    ("plan", plans.plan, "gridmap plan plan.toml -o out"),
    ("explain", explanations.explain, "gridmap explain out --lon 111.31 --lat 30.78 --datum gcj02"),
    ("coverage", coverage.coverage, "gridmap coverage out --close W001 --open 111.31,30.78,atm -o what-if"),
    ("site", siting.site, "gridmap site out --kind atm -n 5 -o sites"),
    ("diff", differences.diff, "gridmap diff out-2025 out-2026"),
    ("partition", partitions.partition, "gridmap partition villages.geojson -r 9 -o cells.geojson --datum gcj02"),
    ("validate", partitions.validate, "gridmap validate cells.geojson --areas villages.geojson --format sarif"),
    ("import", stores.import_plan, "gridmap import out --id yiling --publish"),
    ("export", stores.export_plan, "gridmap export yiling -o out"),
    ("serve", services.serve, "gridmap serve --port 8000 --database sqlite:///plans.sqlite"),
    ("worker", services.worker, "gridmap worker --count 2"),
    ("user", users.user, "gridmap user add wang --role planner --area 990101001"),
    ("db", stores.db, "gridmap db upgrade --database postgresql://gridmap@localhost/plans"),
)
for _name, _verb, _example in _VERBS:
    app.command(_name, help=help_of(_name), epilog=_example)(_verb)

__all__ = ["app", "main"]

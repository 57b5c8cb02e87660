"""Responsibility grids beside METIS, GerryChain and spopt, and beside the proved optimum where it can be had.

    python benchmarks/territory.py [--instances county-40 …] [--methods gridmap …] [--write FOLDER]
    python benchmarks/territory.py --small [50]
    python benchmarks/territory.py --seeds 6 [--instances county-355-free …]
    python benchmarks/territory.py --elsewhere

Each method divides the same units in a process of its own, which may use four minutes of CPU and 12 GB; a process
that runs into either ends, and the table says so. CPU seconds run from arrays to districts, imports left out, a small
division done before; peak memory includes imports and units. The score is counted here, from borders and areas, not by
any of them.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from gridmap.planning.districting.task import Task, UnitGraph
from territory_exact import between_m, optimum
from territory_instances import INSTANCES, elsewhere, small
from territory_peers import METHODS
from territory_score import score

MOST_CPU_S = 240
MOST_BYTES = 12 * 2**30
#: spopt has no method that balances a sum: it is shown where it ends, and once where most of it does not.
SPOPT_ON = ("villages-20", "villages-20-free", "county-40-free")
GRAPH = [field.name for field in fields(UnitGraph)]


def save(task: Task, path: Path) -> None:
    """Write the arrays of a task."""
    np.savez(path, target=task.target, anchor=task.anchor, **{name: getattr(task.graph, name) for name in GRAPH})


def load(path: Path) -> Task:
    """Read a task that ``save`` wrote."""
    with np.load(path) as stored:
        return Task(UnitGraph(*(stored[name] for name in GRAPH)), stored["target"], stored["anchor"])


def warm() -> Task:
    """Divide a hundred squares in four: what every method does once before it is timed."""
    from territory_instances import equal, square_units

    graph = square_units(10, 10, seed=1)
    return Task(graph, equal(graph, 4), np.full(4, -1, dtype=np.int64), tolerance=0.3)


def run_one(method: str, folder: Path) -> None:
    """Divide the task in ``folder`` with one method: the child process."""
    task, run = load(folder / "task.npz"), METHODS[method].run
    run(warm())
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    used_s = int(time.process_time())
    resource.setrlimit(resource.RLIMIT_CPU, (used_s + MOST_CPU_S, used_s + MOST_CPU_S + 5))
    start = time.process_time()
    label = run(task)
    cpu_s = time.process_time() - start
    np.save(folder / "label.npy", label)
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak_mb = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024
    print(json.dumps({"cpu_s": cpu_s, "peak_mb": peak_mb}))


def measured(method: str, folder: Path) -> dict[str, float] | str:
    """CPU seconds and peak memory of a method, or why it has none."""
    if importlib.util.find_spec(METHODS[method].needs) is None:
        return "not installed"
    # One thread each: the limit is of CPU time, and so is the table.
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", __file__, "--one", method, str(folder)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=alone)
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return "not done in 4 minutes of CPU"
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit {done.returncode}"
        return "more than 12 GB" if "MemoryError" in said else f"gave up: {said[:90]}"
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def compare(instance: str, methods: list[str], written: Path | None) -> None:
    """Print the table of one instance."""
    task = INSTANCES[instance]()
    outlets = int(np.count_nonzero(task.anchor >= 0))
    print(f"\n**{instance}**: {len(task.graph):,} units, {len(task.target)} districts", end="")
    print(f", {outlets} outlets\n" if outlets else ", no outlets given\n")
    print("| method | districts | largest deviation | beyond 5 % | broken | outlets inside | ", end="")
    print("Polsby–Popper mean | least | border km | CPU s | peak MB |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save(task, folder / "task.npz")
        for method in methods:
            if method.startswith("spopt") and instance not in SPOPT_ON:
                continue
            cost = measured(method, folder)
            if isinstance(cost, str):
                print(f"| {method} | {cost} | | | | | | | | | |", flush=True)
                continue
            label = np.load(folder / "label.npy")
            found = score(task, label, knows_outlets=METHODS[method].knows_outlets)
            inside = f"{found.inside} of {outlets}" if outlets else "–"
            print(
                f"| {method} | {found.districts} | {found.deviation:.1%} | {found.outside} | {found.broken} | {inside} "
                f"| {found.mean_compact:.3f} | {found.least_compact:.3f} | {found.border_m / 1000:,.0f} "
                f"| {cost['cpu_s']:.1f} | {cost['peak_mb']:,.0f} |",
                flush=True,
            )
            if written:
                np.save(written / f"{instance}-{method.replace(' ', '_')}.npy", label)


def show_each(tasks: Iterable[tuple[str, Task]]) -> None:
    """Divide tasks with gridmap alone and print a row for each."""
    from gridmap.planning.districting.draw import draw

    print("\n| task | seed | largest deviation | beyond 5 % | broken | outlets inside | ", end="")
    print("Polsby–Popper mean | least | border km | CPU s |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for name, task in tasks:
        start = time.process_time()
        label = draw(task).label
        cpu_s = time.process_time() - start
        found = score(task, label, knows_outlets=True)
        print(
            f"| {name} | {task.seed} | {found.deviation:.2%} | {found.outside} | {found.broken} "
            f"| {found.inside} of {np.count_nonzero(task.anchor >= 0)} | {found.mean_compact:.3f} "
            f"| {found.least_compact:.3f} | {found.border_m / 1000:,.0f} | {cpu_s:.1f} |",
            flush=True,
        )


def compare_small(count: int) -> None:
    """Print, over many small tasks, how far gridmap stays behind the proved optimum."""
    from gridmap.planning.districting.draw import draw

    rows: list[dict[str, Any]] = []
    for number in range(count):
        task = small(number)
        best = optimum(task)
        if best is None:
            continue
        start = time.process_time()
        made = draw(task)
        found = score(task, made.label, knows_outlets=True)
        rows.append(
            {
                "anchored": bool((task.anchor >= 0).any()),
                "cpu_s": time.process_time() - start,
                "within": found.outside == 0,
                "could": best.deviation <= task.tolerance,
                "excess": round(max(found.deviation, task.tolerance) - max(best.deviation, task.tolerance), 9) + 0.0,
                "border": between_m(task.graph, made.label) / best.tolerated_m - 1,
                "broken": found.broken,
                "bound": made.bound <= best.deviation + 1e-9,
            }
        )
    print(f"\n{len(rows)} small tasks of 9 to 25 units\n")
    print("| | tasks | tolerance can be kept | kept | broken | excess deviation mean | worst ", end="")
    print("| longer border mean | worst | at the optimum | bound wrong | CPU s each |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for name, anchored in (("free", False), ("anchored", True)):
        some = [row for row in rows if row["anchored"] == anchored]
        excess = np.asarray([row["excess"] for row in some])
        kept = np.asarray([row["within"] for row in some])
        # Where the balance is worse than need be the border has been bought with it: not compared.
        border = np.asarray([row["border"] for row in some])[excess <= 1e-9]
        print(
            f"| {name} | {len(some)} | {sum(row['could'] for row in some)} | {kept.sum()} "
            f"| {sum(row['broken'] for row in some)} | {excess.mean():.2%} | {excess.max():.2%} | {border.mean():.1%} "
            f"| {border.max():.1%} | {np.count_nonzero(border <= 1e-9)} | {sum(not row['bound'] for row in some)} "
            f"| {np.mean([row['cpu_s'] for row in some]):.2f} |",
            flush=True,
        )


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--instances", nargs="+", choices=INSTANCES, default=list(INSTANCES))
    options.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    options.add_argument(
        "--small", nargs="?", type=int, const=50, metavar="COUNT", help="only: small tasks, the optimum"
    )
    options.add_argument("--seeds", type=int, metavar="COUNT", help="only: gridmap with each of so many seeds")
    options.add_argument("--elsewhere", action="store_true", help="only: gridmap, outlets and counties of no instance")
    options.add_argument("--write", type=Path, metavar="FOLDER", help="keep the district of each unit, to look at")
    options.add_argument("--one", nargs=2, metavar=("METHOD", "FOLDER"), help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.one:
        run_one(chosen.one[0], Path(chosen.one[1]))
    elif chosen.small:
        compare_small(chosen.small)
    elif chosen.elsewhere:
        show_each(elsewhere())
    elif chosen.seeds:
        made = ((name, INSTANCES[name]()) for name in chosen.instances)
        show_each((name, replace(task, seed=seed)) for name, task in made for seed in range(1, chosen.seeds + 1))
    else:
        for instance in chosen.instances:
            compare(instance, chosen.methods, chosen.write)


if __name__ == "__main__":
    main()

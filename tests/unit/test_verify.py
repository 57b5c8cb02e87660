"""The stand-alone verifier: it proves what is exact and names the place of what is not."""

from __future__ import annotations

import hashlib
import itertools
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from gridmap import verify

U = 10_000_000
X0, Y0 = 1_112_000_000, 307_000_000

Ring = list[tuple[int, int]]


def box(x: int, y: int, width: int = 10, height: int = 10) -> Ring:
    return [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]


def feature(code: str, *rings: Ring) -> dict[str, Any]:
    """Draw a feature of one polygon in lattice units about a county's place."""
    coordinates = [[[(X0 + x) / U, (Y0 + y) / U] for x, y in [*ring, ring[0]]] for ring in rings]
    return {
        "type": "Feature",
        "properties": {"area_code": code},
        "geometry": {"type": "Polygon", "coordinates": coordinates},
    }


def certificate_of(features: list[dict[str, Any]]) -> dict[str, Any]:
    """Compute the certificate, slowly, from its definition."""
    areas, lines = [], []
    for code in sorted({f["properties"]["area_code"] for f in features}):
        rows = [f for f in features if f["properties"]["area_code"] == code]
        edges: list[tuple[int, ...]] = []
        for row in rows:
            for k, ring in enumerate(row["geometry"]["coordinates"]):
                points = [(round(x * U), round(y * U)) for x, y in ring]
                area = sum(a[0] * b[1] - b[0] * a[1] for a, b in itertools.pairwise(points))
                points = points if (area > 0) == (k == 0) else points[::-1]
                edges += [(*a, *b) for a, b in itertools.pairwise(points)]
        left = Counter(edges)
        for x1, y1, x2, y2 in edges:
            if left[x1, y1, x2, y2] > 0 and left[x2, y2, x1, y1] > 0:
                left[x1, y1, x2, y2] -= 1
                left[x2, y2, x1, y1] -= 1
        over = sorted(left.elements())
        twice = str(sum(x1 * y2 - x2 * y1 for x1, y1, x2, y2 in over))
        digest = hashlib.sha256("".join(f"{a} {b} {c} {d}\n" for a, b, c, d in over).encode()).hexdigest()
        lines.append(f"{code} {len(rows)} {len(edges)} {len(over)} {twice} {digest}\n")
        areas.append(
            {
                "area_code": code,
                "pieces": len(rows),
                "edges": len(edges),
                "interior_edges_cancelled": len(edges) - len(over),
                "boundary_edges": len(over),
                "twice_area": twice,
                "boundary_digest": digest,
                "max_boundary_shift_m": 0.0,
            }
        )
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    return {"version": 1, "areas": areas, "lattice_deg": 1e-7, "resolution": 8, "digest": digest, "verdict": "exact"}


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Verify features against a certificate (default: their own, recomputed) and areas; gives status and output."""

    def verified(
        features: list[dict[str, Any]],
        certificate: dict[str, Any] | None = None,
        areas: list[dict[str, Any]] | None = None,
    ) -> tuple[int, str]:
        written = {"cells": {"type": "FeatureCollection", "features": features}}
        written["certificate"] = certificate_of(features) if certificate is None else certificate
        written["areas"] = {"type": "FeatureCollection", "features": areas or []}
        for name, content in written.items():
            (tmp_path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
        names = [str(tmp_path / "cells.json"), str(tmp_path / "certificate.json")]
        status = verify.main(names + (["--areas", str(tmp_path / "areas.json")] if areas else []))
        said = capsys.readouterr()
        return status, said.out + said.err

    return verified


def squares() -> list[dict[str, Any]]:
    """Four squares of one area and one of another, edge to edge."""
    return [feature("A", box(x, y)) for x in (0, 10) for y in (0, 10)] + [feature("B", box(20, 0), box(23, 3, 4, 4))]


AREAS = [feature("A", box(0, 0, 20, 20)), feature("B", box(20, 0), box(23, 3, 4, 4))]


def place(x: int, y: int) -> str:
    return f"{(X0 + x) / U:.7f}, {(Y0 + y) / U:.7f}"


def test_an_exact_partition_is_proved(run: Any) -> None:
    assert run(squares())[0] == 0
    status, said = run(squares(), areas=AREAS)
    assert status == 0, said


def test_winding_of_rings_and_order_of_features_do_not_matter(run: Any) -> None:
    features = squares()[::-1]
    certificate = certificate_of(features)
    for row in features:
        row["geometry"]["coordinates"] = [ring[::-1] for ring in row["geometry"]["coordinates"]]
    assert run(features, certificate)[0] == 0


def test_cut_points_one_unit_beside_the_border_are_allowed_and_two_are_not(run: Any) -> None:
    area = [feature("A", [(0, 0), (1000, 1), (1000, 500)])]
    beside = [feature("A", [(0, 0), (500, 1), (1000, 1), (1000, 500)])]
    assert run(beside, areas=area)[0] == 0
    far = [feature("A", [(0, 0), (500, 3), (1000, 1), (1000, 500)])]
    status, said = run(far, areas=area)
    assert status == 1
    assert place(0, 0) in said


def test_a_hole_touching_its_shell_at_a_vertex_and_a_collinear_vertex_are_simple(run: Any) -> None:
    assert run([feature("A", [(0, 0), (5, 0), (10, 0), (10, 10), (0, 10)], [(5, 0), (7, 4), (3, 4)])])[0] == 0


@pytest.mark.parametrize(
    ("plant", "near"),
    [
        pytest.param(lambda fs: fs.append(feature("A", box(10, 10))), None, id="doubled piece"),
        pytest.param(lambda fs: fs.append(feature("B", box(4, 4, 2, 2))), None, id="piece on another area's ground"),
        pytest.param(lambda fs: fs.__setitem__(0, feature("A", box(0, 0, 11, 10))), None, id="overlap of one unit"),
        pytest.param(lambda fs: fs.__setitem__(0, feature("A", box(0, 0, 9, 10))), None, id="gap of one unit"),
        pytest.param(lambda fs: fs.pop(0), None, id="lost piece"),
        pytest.param(lambda fs: fs.append(feature("A", box(90, 90))), None, id="piece outside"),
        pytest.param(
            lambda fs: fs.__setitem__(0, feature("A", [(0, 0), (10, 10), (10, 0), (0, 10)])), (0, 0), id="bow-tie"
        ),
        pytest.param(
            lambda fs: fs.__setitem__(0, feature("A", [(0, 0), (10, 0), (5, 0), (10, 10), (0, 10)])), (5, 0), id="spike"
        ),
        pytest.param(
            lambda fs: fs.__setitem__(0, feature("A", [(0, 0), (10, 0), (10, 10), (5, 0), (0, 10)])),
            (5, 0),
            id="ring touching its own edge",
        ),
        pytest.param(
            lambda fs: fs.__setitem__(0, feature("A", [(0, 0), (5, 5), (10, 0), (10, 10), (5, 5), (0, 10)])),
            (5, 5),
            id="ring touching its own vertex",
        ),
        pytest.param(
            lambda fs: fs.__setitem__(4, feature("B", box(20, 0), box(40, 3, 4, 4))), (40, 3), id="hole outside"
        ),
        pytest.param(
            lambda fs: fs.__setitem__(4, feature("B", box(20, 0), box(22, 3, 4, 4), box(24, 4, 4, 4))),
            None,
            id="holes overlapping",
        ),
    ],
)
def test_a_planted_fault_is_not_proved(run: Any, plant: Any, near: tuple[int, int] | None) -> None:
    exact, features = certificate_of(squares()), squares()
    plant(features)
    status, said = run(features, exact, AREAS)
    assert status == 1
    assert "area" in said
    if near:
        assert place(*near) in said


def test_a_doubled_piece_cannot_hide_behind_a_certificate_made_for_it(run: Any) -> None:
    status, said = run([*squares(), feature("A", box(10, 10))])
    assert status == 1
    assert f"area A: pieces overlap near {place(10, 10)}" in said


def test_two_areas_that_share_ground_are_not_proved(run: Any) -> None:
    status, said = run([feature("A", box(0, 0)), feature("B", box(5, 5))])
    assert status == 1
    assert f"different areas: pieces overlap near {place(5, 5)}" in said


@pytest.mark.parametrize("key", ["pieces", "edges", "boundary_edges", "twice_area", "boundary_digest"])
def test_every_figure_of_the_certificate_is_checked(run: Any, key: str) -> None:
    certificate = certificate_of(squares())
    certificate["areas"][0][key] = "1"
    status, said = run(squares(), certificate)
    assert status == 1
    assert f"area A: {key}" in said


@pytest.mark.parametrize(("key", "value"), [("digest", "0"), ("verdict", "nearly"), ("version", 2), ("lattice_deg", 1)])
def test_the_head_of_the_certificate_is_checked(run: Any, key: str, value: Any) -> None:
    status, said = run(squares(), certificate_of(squares()) | {key: value})
    assert status == 1
    assert key in said


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"features": [{"properties": null, "geometry": null}]}',
        '{"features": [{"properties": {"area_code": "A"}, "geometry": {"type": "Point", "coordinates": [1, 2]}}]}',
        '{"features": [{"properties": {"area_code": "A"}, "geometry": {"type": "Polygon", "coordinates": [[]]}}]}',
        json.dumps({"features": [feature("A", [(0, 0), (1, 1)])]}),
        json.dumps({"features": [feature("A", [(0, 0), (1, 0), (1, 0), (1, 1)])]}),
        json.dumps({"features": squares()}).replace("111.2,", "NaN,"),
        json.dumps({"features": squares()}).replace("111.2,", "1e308,"),
        json.dumps({"features": squares()}).replace("111.2,", "111.20000004,"),
        json.dumps({"features": squares()}).replace("111.2,", '"111.2",'),
        "[" * 100_000,
    ],
)
def test_an_unusable_file_ends_with_status_two_and_one_line(tmp_path: Path, capsys: Any, content: str) -> None:
    (tmp_path / "cells.json").write_text(content, encoding="utf-8")
    (tmp_path / "certificate.json").write_text(json.dumps(certificate_of(squares())), encoding="utf-8")
    assert verify.main([str(tmp_path / "cells.json"), str(tmp_path / "certificate.json")]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("cannot be used: ")
    assert said.err.count("\n") == 1
    assert verify.main([str(tmp_path / "absent.json"), str(tmp_path / "certificate.json")]) == 2


def test_it_runs_on_a_bare_python_and_stays_short(tmp_path: Path) -> None:
    cells, certificate = tmp_path / "cells.geojson", tmp_path / "certificate.json"
    cells.write_text(json.dumps({"features": squares()}), encoding="utf-8")
    certificate.write_text(json.dumps(certificate_of(squares())), encoding="utf-8")
    source = Path(verify.__file__)
    assert len(source.read_text(encoding="utf-8").splitlines()) < 200
    # -I and -S: no site-packages, so neither gridmap nor numpy can be imported.
    ran = subprocess.run([sys.executable, "-I", "-S", source, cells, certificate], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("proved")

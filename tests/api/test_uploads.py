"""Files over HTTP: taken in raw or by form, shown to their owner, removed; what is refused leaves nothing behind."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import httpx
import numpy as np
import pytest
import shapely

from gridmap.api.intake.receiving import checked_name
from gridmap.errors import UsageError
from gridmap.geometry.datum import gcj02_from_wgs84
from live_service import Live

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "samples"
VILLAGES, OUTLETS, PEOPLE = (
    (SAMPLES / name).read_bytes() for name in ("townships.geojson", "outlets.csv", "population.csv")
)
SQLITE = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def put(live: Live, content: bytes, name: str = "a.geojson", **options: object) -> httpx.Response:
    headers = {"Content-Type": "application/octet-stream", **options.pop("headers", {})}
    return live.post("/uploads", params={"name": name, **options}, content=content, headers=headers)


def kept(live: Live) -> list[str]:
    """Files in the data directory."""
    folder = live.service.data_directory
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def nothing_kept(live: Live) -> bool:
    folder = live.service.data_directory
    left = [*(folder / "incoming").glob("*"), *(folder / "uploads").glob("*")]
    return not left and live.json("/uploads")["uploads"] == []


def test_a_file_is_taken_in_shown_previewed_and_removed(live: Live):
    answer = put(live, VILLAGES, "乡镇.geojson")

    assert answer.status_code == 201, answer.text
    told = answer.json()
    path = f"/uploads/{told['id']}"
    assert answer.headers["location"].endswith(path)
    assert (told["name"], told["bytes"], told["owner"]) == ("乡镇.geojson", len(VILLAGES), "local")
    assert told["sha256"] == hashlib.sha256(VILLAGES).hexdigest()
    assert (told["format"], told["format_title"]) == ("geojson", "GeoJSON")
    assert live.json(path) == told
    listed = live.json("/uploads")["uploads"]
    assert [one["id"] for one in listed] == [told["id"]]
    assert "layers" not in listed[0]

    layer = told["layers"][0]
    assert (layer["kind"], layer["features"]) == ("polygons", 12)
    assert layer["suggested_uses"][0]["use"] == "areas"
    assert layer["suggested_uses"][0]["level"] == "township"
    assert layer["suggested_uses"][0]["columns"]["code"] == {"column": "area_code", "found_by": "name"}
    assert layer["faults"] == {"total": 0, "kinds": {}, "listed": []}

    stored = kept(live)
    assert stored == [f"uploads/{told['id']}/.preview.json", f"uploads/{told['id']}/乡镇.geojson"]
    assert (live.service.data_directory / stored[1]).read_bytes() == VILLAGES

    assert live.client.delete(path).status_code == 204
    assert live.get(path).status_code == live.get(f"{path}/preview").status_code == 404
    assert live.client.delete(path).status_code == 404
    assert nothing_kept(live)


@SQLITE
def test_a_preview_is_small_and_in_the_datum_asked_for(live: Live):
    path = f"/uploads/{put(live, VILLAGES).json()['id']}/preview"
    answer = live.get(path)

    assert answer.headers["content-type"] == "application/geo+json"
    assert len(answer.content) < 1_000_000
    shown = gpd.GeoDataFrame.from_features(answer.json()["features"], crs=4326)
    assert 12 <= shapely.get_num_coordinates(shown.geometry).sum() <= 6_000
    true = gpd.read_file(SAMPLES / "townships.geojson")
    assert shown["code"].tolist() == true["area_code"].tolist()
    assert shown["name"].tolist() == true["name"].tolist()
    drawn, given = shown.geometry.to_numpy(), true.geometry.to_numpy()
    assert (shapely.area(shapely.symmetric_difference(drawn, given)) < 0.02 * shapely.area(given)).all()

    moved = gpd.GeoDataFrame.from_features(live.json(path, params={"datum": "gcj02"})["features"], crs=4326)
    east, north = gcj02_from_wgs84(moved.geometry.iloc[0].exterior.coords[:1])[0]
    assert (east, north) == pytest.approx(shown.geometry.iloc[0].exterior.coords[0], abs=2e-7)

    for datum in ("mars", "EPSG:999999", "EPSG:4546"):
        refused = live.get(path, params={"datum": datum})
        assert (refused.status_code, refused.json()["type"].startswith("urn:gridmap:problem:uploads.")) == (400, True)


@SQLITE
def test_a_form_is_as_good_as_a_raw_body(live: Live):
    answer = live.post("/uploads", files={"file": ("网点 表.csv", OUTLETS, "text/csv")})
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["name"], told["sha256"]) == ("网点 表.csv", hashlib.sha256(OUTLETS).hexdigest())
    assert told["layers"][0]["suggested_uses"][0]["use"] == "outlets"


@SQLITE
@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="a.csv"', "a.csv"),
        ("attachment; filename*=UTF-8''%E7%BD%91%E7%82%B9.csv", "网点.csv"),
        ('attachment; filename="网点.csv"'.encode(), "网点.csv"),
        ('attachment; filename="网点.csv"'.encode("gb18030"), "网点.csv"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ("attachment", "upload"),
    ],
)
def test_a_header_may_name_the_file(live: Live, disposition: str | bytes, name: str):
    answer = live.post("/uploads", content=OUTLETS, headers={"Content-Disposition": disposition})
    assert (answer.status_code, answer.json()["name"]) == (201, name)


@SQLITE
def test_faults_are_told_one_by_one_in_the_language_asked_for(live: Live):
    ring = [[111.0, 30.0], [111.1, 30.1], [111.1, 30.0], [111.0, 30.1], [111.0, 30.0]]
    square = [[111.2, 30.0], [111.3, 30.0], [111.3, 30.1], [111.2, 30.1], [111.2, 30.0]]
    shapes = [ring, square, square, [[y, x] for x, y in square], None]
    features = [
        {
            "type": "Feature",
            "properties": {"adcode": code, "name": f"村{number}"},
            "geometry": shape and {"type": "Polygon", "coordinates": [shape]},
        }
        for number, (code, shape) in enumerate(zip(["1", "2", "2", "3", "4"], shapes, strict=True))
    ]
    content = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    told = put(live, content, headers={"Accept-Language": "en"}).json()
    faults = told["layers"][0]["faults"]
    by_kind = {fault["kind"]: fault for fault in faults["listed"]}

    assert faults["total"] == 5
    assert set(by_kind) == {"ring_crosses", "lonlat_swapped", "no_geometry", "ground_twice", "code_twice"}
    assert by_kind["ring_crosses"]["feature"] == 0
    assert by_kind["ring_crosses"]["wgs84"] == pytest.approx([111.05, 30.05])
    assert (by_kind["code_twice"]["code"], by_kind["code_twice"]["name"]) == ("2", "村2")
    assert "crosses itself" in by_kind["ring_crosses"]["message"]

    chinese = live.json(f"/uploads/{told['id']}", headers={"Accept-Language": "zh"})["layers"][0]["faults"]
    assert "自身或其他环相交" in next(one for one in chinese["listed"] if one["kind"] == "ring_crosses")["message"]
    assert [fault["kind"] for fault in chinese["listed"]] == [fault["kind"] for fault in faults["listed"]]


@SQLITE
def test_the_detective_is_asked_with_an_earlier_upload_or_a_plan(published: Live):
    live = published
    areas = put(live, (SAMPLES / "villages.geojson").read_bytes()).json()["id"]
    rows = PEOPLE.decode().splitlines()
    lonlat = gcj02_from_wgs84([[float(cell) for cell in row.split(",")[1:3]] for row in rows[1:]])
    moved = [
        f"{row.split(',')[0]},{lon:.6f},{lat:.6f},{row.split(',')[3]}"
        for row, (lon, lat) in zip(rows[1:], lonlat, strict=True)
    ]
    content = "\n".join([rows[0], *moved]).encode()

    told = put(live, content, "people.csv", reference=areas, datum="cgcs2000", headers={"Accept-Language": "en"}).json()
    datum = told["layers"][0]["datum"]
    assert (datum["stated"], datum["stated_by"], datum["guess"]) == ("cgcs2000", "user", "gcj02")
    assert (datum["certainty"], datum["method"], datum["column"]) == ("certain", "named_areas", "village_code")
    assert datum["evidence"][0] == {"datum": "gcj02", "share": 1.0}
    assert "fits gcj02" in datum["warning"]["message"]
    assert 500 < datum["shift_m"] < 700
    outlines = {name: shapely.geometry.shape(one) for name, one in datum["outlines"].items()}
    (west, south), (east, north) = (outlines[name].centroid.coords[0] for name in ("stated", "guess"))
    shift = np.hypot((east - west) * np.cos(np.radians(30.8)), north - south) * 111_320
    assert shift == pytest.approx(datum["shift_m"], rel=0.05)

    again = live.json(f"/uploads/{told['id']}/datum", params={"reference": areas})
    assert again["layers"][0]["guess"] == "gcj02"
    alone = live.json(f"/uploads/{told['id']}/datum")
    assert (alone["layers"][0]["guess"], alone["layers"][0]["certainty"]) == (None, "cannot_tell")

    # The plan lies elsewhere: next to nothing falls into it, and the detective says that it cannot tell.
    for plan in ("made", "made.areas", "made@1.areas"):
        found = live.json(f"/uploads/{told['id']}/datum", params={"reference": plan})["layers"][0]
        assert found["guess"] is None
        assert found["evidence"][0]["share"] < 0.05
    for reference, status in (("made.cells", 400), ("Nobody!", 400), ("nobody", 404), ("0" * 32, 404)):
        assert live.get(f"/uploads/{told['id']}/datum", params={"reference": reference}).status_code == status
    staff = put(live, (SAMPLES / "staff.csv").read_bytes(), "staff.csv").json()["id"]
    assert live.get(f"/uploads/{told['id']}/datum", params={"reference": staff}).status_code == 400


def test_uploads_of_others_are_not_there(live: Live, account: Callable[..., dict[str, str]]):
    li, wang = account("planner"), account("planner", ("4205",))
    viewer, administrator = account("viewer"), account("administrator")
    told = put(live, OUTLETS, "a.csv", headers=li).json()
    path = f"/uploads/{told['id']}"
    assert told["owner"] == "planner-1"
    for method, where in (("GET", path), ("GET", f"{path}/preview"), ("GET", f"{path}/datum"), ("DELETE", path)):
        answer = live.client.request(method, where, headers=wang)
        unknown = live.client.request(method, where.replace(told["id"], "0" * 32), headers=wang)
        assert (answer.status_code, unknown.status_code) == (404, 404)
        assert answer.text.replace(told["id"], "0" * 32) == unknown.text
        assert live.client.request(method, where, headers=viewer).status_code == 403
        assert live.client.request(method, where).status_code == 401
    used = live.client.post("/uploads", params={"reference": told["id"]}, content=OUTLETS, headers=wang)
    assert used.status_code == 404
    assert put(live, OUTLETS, "a.csv", headers=viewer).status_code == 403
    assert live.client.post("/uploads", content=OUTLETS).status_code == 401
    assert [one["id"] for one in live.json("/uploads", headers=li)["uploads"]] == [told["id"]]
    assert live.json("/uploads", headers=wang)["uploads"] == []
    assert live.json(path, headers=administrator)["id"] == told["id"]
    assert live.client.delete(path, headers=administrator).status_code == 204


@SQLITE
def test_uploads_are_listed_page_by_page(live: Live):
    ids = [put(live, OUTLETS, f"{number}.csv").json()["id"] for number in range(3)]
    first = live.json("/uploads", params={"limit": 2})
    assert [one["id"] for one in first["uploads"]] == ids[:0:-1]
    following = next(one["href"] for one in first["links"] if one["rel"] == "next")
    last = live.client.get(following).json()
    assert [one["id"] for one in last["uploads"]] == ids[:1]
    assert [one["rel"] for one in last["links"]] == ["self"]
    assert live.get("/uploads", params={"limit": 0}).status_code == 400


@SQLITE
def test_what_says_it_is_too_large_is_refused_before_it_comes(serve: Callable[..., Live]):
    live = serve(max_upload_bytes=100_000)
    answer = put(live, b"x" * 100_001)
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:gridmap:problem:uploads.too_large")
    assert put(live, OUTLETS[:200], "a.csv").status_code != 413
    by_form = live.post("/uploads", files={"file": ("a.csv", b"x" * 300_000)})
    assert by_form.status_code == 413
    for one in live.json("/uploads")["uploads"]:
        live.client.delete(f"/uploads/{one['id']}")
    assert nothing_kept(live)


@SQLITE
@pytest.mark.parametrize("form", [False, True])
def test_what_turns_out_too_large_is_refused_as_it_comes(serve: Callable[..., Live], form: bool):
    live = serve(max_upload_bytes=100_000)

    def endless():
        if form:
            yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        for _ in range(200):
            yield b"x" * 10_000

    kind = "multipart/form-data; boundary=b" if form else "application/octet-stream"
    answer = live.client.post("/uploads", content=endless(), headers={"Content-Type": kind})
    assert answer.status_code == 413
    assert nothing_kept(live)


@SQLITE
@pytest.mark.parametrize(
    ("headers", "params"),
    [
        ({"Content-Type": "application/x-www-form-urlencoded"}, {}),
        ({"Content-Type": "multipart/mixed; boundary=b"}, {}),
        ({"Content-Type": "multipart/form-data"}, {}),
        ({"Content-Type": "multipart/form-data; boundary=b"}, {}),
        ({"Content-Encoding": "gzip"}, {}),
        ({}, {"datum": "mars"}),
        ({}, {"encoding": "klingon"}),
        ({}, {"encoding": "\x00"}),
        ({}, {"reference": "../x"}),
        ({}, {"layer": "x"}),
        ({}, {"name": "a\x00.csv"}),
        ({}, {"name": "x" * 256}),
    ],
)
def test_a_request_that_is_none_is_400(live: Live, headers: dict[str, str], params: dict[str, str]):
    answer = live.client.post("/uploads", content=OUTLETS, headers=headers, params=params)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert nothing_kept(live)


@SQLITE
@pytest.mark.parametrize(
    "form",
    [
        b'--b\r\nContent-Disposition: form-data; name="datum"\r\n\r\ngcj02\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n{}\r\n',
        b"--b--\r\n",
        2 * b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n{}\r\n' + b"--b--\r\n",
    ],
    ids=["another field", "no file name", "no end", "nothing", "two files"],
)
def test_a_form_with_anything_but_one_file_is_400(live: Live, form: bytes):
    answer = live.client.post("/uploads", content=form, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert answer.status_code == 400, answer.text
    assert nothing_kept(live)


@pytest.mark.parametrize(
    ("given", "shown"),
    [("a/b.csv", "b.csv"), ("C:\\x\\b.csv", "b.csv"), ("..", "upload"), (None, "upload"), (" 🗺️.kml ", "🗺️.kml")],
)
def test_a_name_is_shown_without_its_path(given: str | None, shown: str):
    assert checked_name(given) == shown


@pytest.mark.parametrize("given", ["a\x00", "a\r\nb", "\x7f", "\ud800", "x" * 256])
def test_a_name_that_is_none_is_refused(given: str):
    with pytest.raises(UsageError):
        checked_name(given)

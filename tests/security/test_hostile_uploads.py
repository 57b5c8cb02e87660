"""Hostile uploads through the real service: each has its status, nothing is kept, nobody is called, it lives on."""

from __future__ import annotations

import io
import os
import socket
import sqlite3
import struct
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import geopandas as gpd
import httpx
import numpy as np
import openpyxl
import pytest
import rasterio
import shapely

from gridmap.settings import Settings
from gridmap.store.sql import SqlStore
from live_service import Live, serving
from store_fixtures import cluster, empty_url, kind, made_tables, made_url, store, url

__all__ = ["cluster", "empty_url", "kind", "made_tables", "made_url", "store", "url"]
pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
SQUARE = shapely.box(111.0, 30.0, 111.1, 30.1)
KML = '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>{}</name><Point><coordinates>111,30'
KML += "</coordinates></Point></Placemark></Document></kml>"
LAUGHS = '<!ENTITY a "lol">' + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))


@pytest.fixture
def serve(store: SqlStore, tmp_path: Path) -> Iterator[Callable[..., Live]]:
    running = []

    def start(**settings: object) -> Live:
        given = {"data_directory": tmp_path / "data", "rate_limit": "", "read_timeout_s": 60.0, **settings}
        running.append(serving(store, Settings(**given)))
        return running[-1].__enter__()

    yield start
    for one in reversed(running):
        one.__exit__(None, None, None)


@pytest.fixture
def live(serve: Callable[..., Live]) -> Live:
    return serve()


def put(live: Live, content: bytes, name: str) -> httpx.Response:
    return live.post("/uploads", params={"name": name}, content=content, headers={"Accept-Language": "en"}, timeout=120)


def assert_nothing_left(live: Live) -> None:
    folder = live.service.data_directory
    assert [*(folder / "incoming").glob("*"), *(folder / "uploads").glob("*")] == []
    assert live.json("/uploads")["uploads"] == []


def assert_refused(live: Live, answer: httpx.Response, status: int, *words: str) -> None:
    """One problem document of this status that gives nothing away; nothing kept; a service that goes on."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    for word in words:
        assert word in answer.json()["detail"], answer.text
    for secret in (tempfile.gettempdir(), "Traceback", "root:", "hunter2", "incoming", "site-packages"):
        assert secret not in answer.text
    assert_nothing_left(live)


def geojson(count: int = 1) -> bytes:
    frame = gpd.GeoDataFrame({"code": [f"42050{n}" for n in range(count)]}, geometry=[SQUARE] * count, crs=4326)
    return frame.to_json().encode()


def zipped(entries: dict[str, bytes | zipfile.ZipInfo], **options: int) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return sink.getvalue()


def written(folder: Path, suffix: str) -> bytes:
    path = folder / f"whole.{suffix}"
    frame = gpd.GeoDataFrame({"code": ["420506", "420507"]}, geometry=[SQUARE, SQUARE.buffer(0.01)], crs=4326)
    frame.to_parquet(path) if suffix == "parquet" else frame.to_file(path)
    return path.read_bytes()


@pytest.mark.parametrize(
    "name", ["a.vrt", "a.geojson", *(pytest.param(name, marks=pytest.mark.slow) for name in ("a.kml", "a.csv"))]
)
def test_a_vrt_reads_neither_network_nor_files(live, canary, name, tmp_path):
    port, asked = canary
    secret = tmp_path / "secret.csv"
    secret.write_text("x,y,password\n111,30,hunter2\n")
    for source in (f"/vsicurl/http://127.0.0.1:{port}/ssrf.geojson", f"CSV:{secret}", "CSV:/etc/passwd"):
        layer = f'<OGRVRTLayer name="x"><SrcDataSource>{source}</SrcDataSource></OGRVRTLayer>'
        content = f"<OGRVRTDataSource>{layer}</OGRVRTDataSource>".encode()
        assert_refused(live, put(live, content, name), 422, "OGRVRTDataSource")
    assert asked == []


def test_a_vrt_in_a_zip_is_no_data(live, canary):
    port, asked = canary
    vrt = f"<OGRVRTDataSource><OGRVRTLayer name='x'><SrcDataSource>/vsicurl/http://127.0.0.1:{port}/x</SrcDataSource>"
    assert_refused(live, put(live, zipped({"a.vrt": vrt.encode()}), "a.zip"), 422)
    assert_refused(live, put(live, zipped({"a.geojson": vrt.encode()}), "a.zip"), 422)
    assert asked == []


def test_links_in_geojson_and_kml_are_not_followed(live, canary):
    port, asked = canary
    linked = geojson()[:-1] + f', "links": [{{"rel": "next", "href": "http://127.0.0.1:{port}/next"}}]}}'.encode()
    assert put(live, linked, "a.geojson").status_code == 201
    link = f"<NetworkLink><Link><href>http://127.0.0.1:{port}/net.kml</href></Link></NetworkLink>"
    kml = KML.format("a").replace("<Document>", f"<Document>{link}")
    assert put(live, kml.encode(), "a.kml").status_code == 201
    assert asked == []


@pytest.mark.parametrize("entities", [LAUGHS, '<!ENTITY j SYSTEM "file:///etc/passwd">'], ids=["laughs", "xxe"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_in_kml_are_refused(live, entities, encoding):
    kml = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE kml [{entities}]>{KML.format("&j;")}'.encode(encoding)
    assert_refused(live, put(live, kml, "a.kml"), 422, "entities")
    assert_refused(live, put(live, zipped({"doc.kml": kml}), "a.kmz"), 422, "entities")


def test_gml_that_calls_itself_kml_fetches_no_schema(live, canary):
    port, asked = canary
    gml = (
        '<?xml version="1.0"?><ogr:FeatureCollection xmlns:ogr="http://ogr.maptools.org/" '
        'xmlns:gml="http://www.opengis.net/gml" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:schemaLocation="http://ogr.maptools.org/ http://127.0.0.1:{port}/s.xsd"><gml:featureMember/>'
    )
    assert_refused(live, put(live, f"{gml}</ogr:FeatureCollection>".encode(), "a.kml"), 422)
    assert_refused(live, put(live, f"{gml}<kml ></kml></ogr:FeatureCollection>".encode(), "a.kml"), 422)
    assert asked == []


@pytest.mark.parametrize(
    "content",
    [
        b'{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":'
        + b"[" * 100_000
        + b"]" * 100_000
        + b"}}",
        b'{"type":"FeatureCollection","features":[' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"]}",
        b"[" * 100_000,
    ],
    ids=["coordinates", "objects", "arrays"],
)
def test_deep_nesting_is_refused(live, content):
    assert_refused(live, put(live, content, "deep.geojson"), 422)


ZIPS: dict[str, tuple[Callable[[], bytes], int]] = {
    "a path upwards": (lambda: zipped({"../../evil.geojson": geojson()}), 422),
    "an absolute path": (lambda: zipped({"/evil.geojson": geojson()}), 422),
    "a path of Windows": (lambda: zipped({"..\\evil.geojson": geojson()}), 422),
    "a bomb": (lambda: zipped({"a.geojson": b" " * 120_000_000}, compresslevel=9), 413),
    "a bomb within": (lambda: zipped({"a.zip": zipped({"a.geojson": b" " * 120_000_000}, compresslevel=9)}), 422),
    "a bomb under another name": (
        lambda: zipped({"a.geojson": zipped({"a.geojson": b" " * 120_000_000}, compresslevel=9)}),
        422,
    ),
    "ten thousand entries": (lambda: zipped({f"{n}.txt": b"" for n in range(10_001)}), 413),
    "nothing": (lambda: zipped({}), 422),
    "a picture": (lambda: zipped({"a.png": b"\x89PNG"}), 422),
    "half of one": (lambda: zipped({"a.geojson": geojson(50)})[:-40], 422),
    "a workbook's bomb": (lambda: zipped({"xl/workbook.xml": b" " * 120_000_000}, compresslevel=9), 413),
    "a workbook that laughs": (
        lambda: zipped({"xl/workbook.xml": f"<!DOCTYPE x [{LAUGHS}]><workbook>&j;</workbook>".encode()}),
        422,
    ),
}


@pytest.mark.parametrize("case", ZIPS)
def test_zips_made_to_do_harm(live, case):
    make, status = ZIPS[case]
    assert_refused(live, put(live, make(), "a.zip"), status)


def test_a_link_in_a_zip_is_refused(live):
    link = zipfile.ZipInfo("link.geojson")
    link.external_attr = 0o120777 << 16
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert_refused(live, put(live, sink.getvalue(), "a.zip"), 422, "link")


def test_a_zip_that_is_a_pdf_too_is_read_as_what_it_begins_like(live):
    assert_refused(live, put(live, b"%PDF-1.4\n" + zipped({"a.geojson": geojson()}), "a.pdf"), 422)
    polyglot = zipped({"a.geojson": geojson()}) + b"%PDF-1.4\n%%EOF"
    told = put(live, polyglot, "a.pdf").json()
    assert (told["name"], told["format"]) == ("a.pdf", "geojson")


def test_a_shapefile_of_gbk_comes_out_right(live, tmp_path):
    frame = gpd.GeoDataFrame({"编码": ["420506001"], "名称": ["塆子村"]}, geometry=[SQUARE], crs=4326)
    frame.to_file(tmp_path / "村界.shp", encoding="gb18030")
    (tmp_path / "村界.cpg").unlink()
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for part in tmp_path.glob("村界.*"):
            # As Windows packs it: the name in GBK, and nothing that says so.
            archive.writestr(zipfile.ZipInfo(part.name.encode("gb18030").decode("cp437")), part.read_bytes())
    content = sink.getvalue()
    layer = put(live, content, "村界.zip").json()["layers"][0]
    assert (layer["encoding"], [one["name"] for one in layer["columns"]]) == ("gb18030", ["编码", "名称"])
    assert layer["columns"][1]["samples"] == ["塆子村"]
    table = "名称,类型,经度,纬度\n塆子村,助农取款点,111.3,30.7\n".encode("gb18030")
    layer = put(live, table, "表.csv").json()["layers"][0]
    assert (layer["encoding"], layer["columns"][0]["samples"]) == ("gb18030", ["塆子村"])


def test_a_workbook_with_links_to_others_calls_nobody(live, canary):
    port, asked = canary
    book = openpyxl.Workbook()
    for row in (["id", "kind", "lon", "lat"], ["1", "atm", 111.1, 30.1], [f'=WEBSERVICE("http://127.0.0.1:{port}")']):
        book.active.append(row)
    book.active["F1"].hyperlink = f"http://127.0.0.1:{port}/link"
    sink = io.BytesIO()
    book.save(sink)
    assert put(live, sink.getvalue(), "a.xlsx").status_code in (201, 422)
    assert asked == []


@pytest.mark.parametrize("shape", [(100_000, 100_000), pytest.param((60_000, 60_000), marks=pytest.mark.slow)])
def test_a_raster_of_huge_dimensions_is_refused(serve, shape, tmp_path):
    live = serve(read_timeout_s=25.0, read_memory_bytes=2_000_000_000)
    path = tmp_path / "huge.tif"
    frame = rasterio.transform.from_origin(111, 31, 1e-6, 1e-6)
    size = {"width": shape[1], "height": shape[0]}
    tiles = {
        "tiled": True,
        "blockxsize": shape[0] if shape[0] < 100_000 else 512,
        "blockysize": 60_000 if shape[0] < 100_000 else 512,
    }
    sparse = {"SPARSE_OK": "TRUE", "compress": "deflate", "BIGTIFF": "YES"}
    with rasterio.open(
        path, "w", driver="GTiff", count=1, dtype="uint8", crs=4326, transform=frame, **size, **tiles, **sparse
    ):
        pass
    assert path.stat().st_size < 400_000_000
    assert_refused(live, put(live, path.read_bytes(), "huge.tif"), 413)


def test_a_geopackage_that_does_things_does_nothing(live, tmp_path):
    path, other = tmp_path / "a.gpkg", tmp_path / "other.sqlite"
    gpd.GeoDataFrame({"code": ["420506"]}, geometry=[SQUARE], crs=4326).to_file(path, layer="areas")
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE hidden (x)")
        database.execute(f"CREATE VIEW attached AS SELECT '{other}' AS file")
        database.execute("CREATE TRIGGER t AFTER INSERT ON areas BEGIN INSERT INTO hidden VALUES (1); END")
        database.execute("CREATE VIRTUAL TABLE searched USING fts5(x)")
        # A virtual table of a module that only GDAL brings, over a file of the machine.
        database.execute("PRAGMA writable_schema = ON")
        sql = "CREATE VIRTUAL TABLE stolen USING VirtualOGR('CSV:/etc/passwd', 0, 'passwd')"
        database.execute("INSERT INTO sqlite_master VALUES ('table', 'stolen', 'stolen', 0, ?)", (sql,))
        database.execute("INSERT INTO gpkg_contents (table_name, data_type) VALUES ('stolen', 'attributes')")
    database.close()
    answer = put(live, path.read_bytes(), "a.gpkg")
    assert answer.status_code in (201, 422), answer.text
    assert "root:" not in answer.text
    if answer.status_code == 201:
        assert [layer["name"] for layer in answer.json()["layers"]] == ["areas"]
    assert not other.exists()
    assert live.get("/uploads").status_code == 200


def test_a_database_that_is_no_geopackage_is_refused(live, tmp_path):
    with sqlite3.connect(tmp_path / "a.gpkg") as database:
        database.execute("CREATE TABLE secrets (x)")
    database.close()
    assert_refused(live, put(live, (tmp_path / "a.gpkg").read_bytes(), "a.gpkg"), 422)


@pytest.mark.parametrize(
    "suffix", ["gpkg", *(pytest.param(suffix, marks=pytest.mark.slow) for suffix in ("fgb", "parquet"))]
)
def test_lengths_that_lie_are_refused_or_read(live, suffix, tmp_path):
    content = bytearray(written(tmp_path, suffix))
    if suffix == "parquet":
        content[-8:-4] = struct.pack("<I", 0x7FFF_FFFF)
    elif suffix == "fgb":
        content[8:12] = struct.pack("<I", 0x7FFF_FFFF)
    else:
        content[16:18] = struct.pack(">H", 3)
    assert_refused(live, put(live, bytes(content), f"a.{suffix}"), 422)
    half = written(tmp_path, suffix)
    answer = put(live, half[: len(half) * 2 // 3], f"a.{suffix}")
    # A cut copy may still hold a whole layer; it never brings anything down.
    assert answer.status_code in (201, 422), answer.text
    assert live.get("/uploads").status_code == 200


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b" \r\n"], ids=["nothing", "zeros", "space"])
def test_an_empty_file_is_refused(live, content):
    assert_refused(live, put(live, content, "a.geojson"), 422)


# What comes over the wire.


def connected(live: Live) -> socket.socket:
    port = int(live.url.rsplit(":", 1)[1])
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def answered(connection: socket.socket) -> bytes:
    """Everything that the service says before it closes, or falls silent."""
    said = b""
    connection.settimeout(20)
    try:
        while part := connection.recv(65536):
            said += part
            if b"\r\n\r\n" in said and b"HTTP/1.1 4" in said[:12]:
                break
    except (TimeoutError, ConnectionResetError):
        pass
    return said


def wait_until_nothing_is_left(live: Live) -> None:
    deadline = time.monotonic() + 20
    folder = live.service.data_directory / "incoming"
    while list(folder.glob("*")):
        assert time.monotonic() < deadline, list(folder.rglob("*"))
        time.sleep(0.05)
    assert_nothing_left(live)


def resident_mb() -> float:
    with Path("/proc/self/statm").open() as stream:
        return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.parametrize("form", [False, True], ids=["raw", "form"])
def test_two_gigabytes_that_break_off_leave_nothing_and_take_no_memory(live, form):
    head = b"POST /uploads?name=big.geojson HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2000000000\r\n"
    head += b"Content-Type: multipart/form-data; boundary=b\r\n\r\n" if form else b"\r\n"
    if form:
        head += b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.geojson"\r\n\r\n'
    live.get("/uploads")
    before = resident_mb()
    highest = before
    with connected(live) as connection:
        connection.sendall(head)
        for _ in range(150):
            connection.sendall(b"x" * 1_000_000)
            highest = max(highest, resident_mb())
        stored = [
            path.stat().st_size for path in (live.service.data_directory / "incoming").rglob("*") if path.is_file()
        ]
        assert sum(stored) > 50_000_000, "it is on the disk as it comes"
    # The client's own buffers are in it, this being one process.
    assert highest - before < 60
    wait_until_nothing_is_left(live)


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 500\r\n\r\nshort",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nzzz\r\nhello\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: -5\r\n\r\n",
        b"Content-Length: 5\r\nContent-Length: 50\r\n\r\nhello",
        b"Content-Length: 99999999999999999999999\r\n\r\n",
        b'Content-Disposition: attachment; filename="a\r\nSet-Cookie: x=1"\r\nContent-Length: 5\r\n\r\nhello',
        b"X-\x00: 1\r\nContent-Length: 5\r\n\r\nhello",
    ],
)
def test_bodies_and_headers_that_lie(live, body):
    with connected(live) as connection:
        connection.sendall(b"POST /uploads?name=a.csv HTTP/1.1\r\nHost: 127.0.0.1\r\n" + body)
        connection.shutdown(socket.SHUT_WR)
        said = answered(connection)
    assert b"Set-Cookie" not in said
    assert not said or said.startswith(b"HTTP/1.1 4"), said[:200]
    wait_until_nothing_is_left(live)


def test_a_header_too_many_names_no_header_of_the_answer(live):
    table = b"id,kind,lon,lat\n1,atm,111.3,30.7\n"
    for name in ("a%0D%0ASet-Cookie:%20x", "a%00.csv"):
        answer = live.client.post(f"/uploads?name={name}", content=table)
        assert_refused(live, answer, 400)
        assert "set-cookie" not in answer.headers
    told = live.client.post("/uploads?name=%3Cscript%3E%22;.csv", content=table).json()
    assert told["name"] == '<script>";.csv'


@pytest.mark.parametrize(
    ("name", "status"),
    [("../../../etc/cron.d/x", 201), ("..\\..\\x.csv", 201), ("🗺️" * 40, 201), ("x" * 40_000, 400), ("塆" * 255, 201)],
)
def test_names_are_data(live, name, status):
    answer = live.post("/uploads", params={"name": name}, content=b"id,kind,lon,lat\n1,atm,111.3,30.7\n")
    assert answer.status_code == status, answer.text
    folder = live.service.data_directory
    for path in folder.rglob("*"):
        assert path.resolve().is_relative_to(folder.resolve())
    if status == 201:
        assert answer.json()["name"] == name.replace("\\", "/").rsplit("/", 1)[-1]
        assert len(list((folder / "uploads").glob("*/*"))) == 2
    else:
        assert_refused(live, answer, 400)


def test_a_name_of_forty_thousand_characters_in_a_form(live):
    answer = live.post("/uploads", files={"file": ("x" * 40_000 + ".csv", b"id\n1\n")})
    assert_refused(live, answer, 400)


def test_more_at_once_than_there_are_places_are_asked_to_wait(serve):
    live = serve(max_uploads=2)
    with connected(live) as one, connected(live) as two:
        for connection in (one, two):
            connection.sendall(b"POST /uploads HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nid")
        deadline = time.monotonic() + 20
        while len(list((live.service.data_directory / "incoming").glob("*/*"))) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        refused = put(live, b"id\n1\n", "a.csv")
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0
    wait_until_nothing_is_left(live)
    assert put(live, geojson(), "a.geojson").status_code == 201


def test_two_at_once_are_both_taken_in(live):
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda n: put(live, geojson(n + 1), f"{n}.geojson"), range(2)))
    assert [answer.status_code for answer in answers] == [201, 201]
    assert sorted(answer.json()["layers"][0]["features"] for answer in answers) == [1, 2]
    assert answers[0].json()["id"] != answers[1].json()["id"]


def test_a_reader_that_takes_too_long_or_too_much_is_stopped(serve):
    for settings in ({"read_timeout_s": 0.2}, {"read_memory_bytes": 300_000_000}):
        live = serve(**settings)
        answer = put(live, geojson(), "a.geojson")
        assert answer.status_code in (413, 422), answer.text
        assert_nothing_left(live)


@pytest.mark.slow
def test_noise_after_a_known_beginning_is_refused(live):
    random = np.random.default_rng(3)
    for magic in (b"SQLite format 3\x00", b"fgb\x03fgb\x00", b"PAR1", b"\x00\x00\x27\x0a", b"PK\x03\x04", b"II*\x00"):
        assert_refused(live, put(live, magic + random.bytes(5_000), "noise.bin"), 422)

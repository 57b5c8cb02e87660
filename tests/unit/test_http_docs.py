"""The documentation names every route of the service, and none that is not there."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.routing import compile_path

from gridmap.api import Service, create_app
from gridmap.api.openapi import routes_of
from gridmap.settings import Settings
from gridmap.store import open_store

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
ROW = re.compile(r"^\| `((?:GET|POST|PUT|PATCH|DELETE) /[^`]*)` \|", re.MULTILINE)
SHOWN = re.compile(r"http://127\.0\.0\.1:8000(/[^\s\"'`\\)]*)")


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    store = open_store(str(tmp_path_factory.mktemp("store") / "store.sqlite"), create=True)
    found = {f"{method} {path}" for method, path in routes_of(create_app(Service(store, Settings())))}
    store.close()
    return found


def test_every_route_stands_in_a_table_of_some_page_and_no_other_does(routes: set[str]):
    documented = {row: path.name for path in PAGES for row in ROW.findall(path.read_text("utf-8"))}

    assert len(routes) > 10
    assert sorted(routes - set(documented)) == [], "not documented"
    assert sorted(f"{row} in {page}" for row, page in documented.items() if row not in routes) == [], "not there"


def test_the_overview_leads_to_the_page_of_every_route(routes: set[str]):
    overview = (ROOT / "docs/reference/http.md").read_text("utf-8")
    pages = {path for path in PAGES if ROW.search(path.read_text("utf-8"))}

    linked = {(ROOT / "docs/reference" / name).resolve() for name in re.findall(r"\]\(([^)#]+)", overview)}
    assert {str(path.relative_to(ROOT)) for path in pages - linked} == set()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_address_shown_is_one_of_a_route(path: Path, routes: set[str]):
    paths = [compile_path(one.split(" ")[1].replace("{feature_id}", "{feature_id:path}"))[0] for one in routes]

    for shown in SHOWN.findall(path.read_text("utf-8")):
        address = urlsplit(shown).path.replace("$", "x")
        assert any(pattern.fullmatch(address) for pattern in paths), shown

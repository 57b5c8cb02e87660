"""What maps are drawn with is pinned by its content, and fetched from wherever npm is told to fetch."""

from __future__ import annotations

import json
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "src/gridmap/viewer"


def test_the_lock_file_pins_contents_and_names_no_address_to_fetch_from():
    packages = json.loads((FOLDER / "package-lock.json").read_text("utf-8"))["packages"]
    fetched = {name: one for name, one in packages.items() if name}
    assert "node_modules/maplibre-gl" in fetched
    assert all(one["integrity"].startswith("sha512-") for one in fetched.values())
    assert [name for name, one in fetched.items() if "resolved" in one] == []


def test_what_npm_fetches_is_kept_out_of_the_repository_and_the_package():
    ignored = (FOLDER.parents[2] / ".gitignore").read_text("utf-8").splitlines()
    assert "node_modules/" in ignored

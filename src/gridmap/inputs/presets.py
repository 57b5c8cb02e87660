"""Presets: those that come with gridmap, and those of a file of the user's, which go before them."""

from __future__ import annotations

import difflib
from importlib.resources import files
from pathlib import Path

from gridmap.domain.presets import Preset
from gridmap.errors import BadValue, Place, UsageError
from gridmap.inputs.toml_file import read_toml, tables_of


def read_presets(path: Path | None = None) -> dict[str, Preset]:
    """Presets by name.

    Parameters
    ----------
    path : a presets file; its presets replace those of the same name

    Raises
    ------
    UnreadableFile, TooLarge, BadValue
        If the file is no TOML, or a table of it is no preset.
    """
    shipped = files("gridmap.inputs").joinpath("presets.toml")
    with shipped.open("rb") as file:
        found = tables_of(Preset, file.read().decode("utf-8"), "presets.toml")
    own = read_toml(Preset, path) if path else {}
    for name, preset in own.items():
        if len(preset.radius_m) not in preset.radii_asked:
            place = Place(file=path.name if path else None, field=f"{name}.radius_m")
            raise BadValue(f"standing.radii_of_{preset.test}", place, given=len(preset.radius_m))
    return found | own


def preset_named(presets: dict[str, Preset], name: str) -> Preset:
    """Preset of a name.

    Raises
    ------
    UsageError
        If there is none, with the names there are.
    """
    if name not in presets:
        near = difflib.get_close_matches(name, presets, n=1, cutoff=0.4)
        raise UsageError(
            "standing.unknown_preset", name=name, near=(near or sorted(presets))[0], known=", ".join(presets)
        )
    return presets[name]

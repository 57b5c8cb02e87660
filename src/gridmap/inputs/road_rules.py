"""What the classes and tags of roads say: who may travel them, which way, and how fast."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridmap.domain.roads import Profile
from gridmap.inputs.columns import first_column
from gridmap.inputs.folding import Texts, fold_word, folded_texts

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

#: Speed of travel by class of road, km/h, where neither the file nor the plan states one.
DRIVING_KMH: Mapping[str, float] = {
    "motorway": 100,
    "trunk": 80,
    "primary": 60,
    "secondary": 50,
    "tertiary": 40,
    "unclassified": 30,
    "residential": 30,
    "living_street": 15,
    "service": 15,
    "track": 15,
    "高速公路": 100,
    "高速": 100,
    "快速路": 70,
    "国道": 60,
    "省道": 50,
    "县道": 40,
    "乡道": 30,
    "村道": 20,
    "一级公路": 70,
    "二级公路": 60,
    "三级公路": 40,
    "四级公路": 30,
    "主干路": 50,
    "主干道": 50,
    "次干路": 40,
    "次干道": 40,
    "支路": 30,
}
OTHER_KMH = 30.0
WALKING_KMH = 5.0

_MILE_KM = 1.609344
_NO_ROAD = {"construction", "proposed", "planned", "abandoned", "razed", "disused", "raceway", "bus_guideway", "no"}
_NO_ROAD |= {"elevator", "rest_area", "services", "bus_stop", "在建", "规划"}
_FOR_FEET = {
    "footway",
    "path",
    "pedestrian",
    "steps",
    "cycleway",
    "bridleway",
    "corridor",
    "platform",
    "步行街",
    "人行道",
}
_FOR_CARS = {"motorway", "高速公路", "高速"}
_REFUSED = {"no", "private"}
_ALLOWED = {"yes", "designated", "permissive", "destination", "customers", "delivery"}

_AHEAD = {"yes", "true", "1", "f", "ft", "forward", "one_way", "是", "单行", "单行线", "单向"}
_AGAINST = {"_1", "-1", "reverse", "tf", "backward", "反向"}


def tag(frame: pd.DataFrame, *names: str) -> Texts:
    """Values of the first of some columns that is there, folded to words; "" where there is none."""
    field = first_column(frame, names)
    if field is None:
        return np.full(len(frame), "", dtype=object)
    found = np.empty(len(frame), dtype=object)
    found[:] = [_word(text) if text else "" for text in folded_texts(frame[field])]
    return found


def _word(text: str) -> str:
    return "-1" if text.strip() == "-1" else fold_word(text)


def base_class(name: str) -> str:
    """Class of a road without what makes no difference to who travels it: ``primary_link`` is ``primary``."""
    return re.sub(r"_(link|grade\d)$", "", fold_word(name))


def passable(frame: pd.DataFrame, class_of: Texts, profile: Profile) -> Flags:
    """(n,) bool: roads that may be travelled at all.

    Parameters
    ----------
    frame : the file's columns, among them tags of OpenStreetMap where it has them
    class_of : (n,) class of each road, "" where unknown
    profile : who travels
    """
    known = np.array([base_class(name) for name in class_of], dtype=object)
    closed = _FOR_CARS if profile is Profile.WALKING else _FOR_FEET
    may = ~np.isin(known, list(_NO_ROAD)) & ~np.isin(known, list(closed))
    general = tag(frame, "access")
    if profile is Profile.WALKING:
        own = tag(frame, "foot")
        may &= tag(frame, "motorroad") != "yes"
    else:
        own = tag(frame, "motorcar", "motor_vehicle", "vehicle")
    allowed = np.isin(own, list(_ALLOWED))
    # A sign for those who travel counts before a sign for all.
    may &= ~np.isin(general, list(_REFUSED)) | allowed
    may &= ~np.isin(own, list(_REFUSED))
    return np.asarray(may)


def directions(frame: pd.DataFrame, class_of: Texts) -> tuple[Flags, Flags]:
    """(n,) bool each: a road may be travelled as drawn, and against it.

    Of T and F, T means "against" in files that also say B (both), and "true" in others.
    """
    said = tag(frame, "oneway", "one_way", "单行", "单行线", "单向", "方向")
    words = set(said.tolist())
    ahead_words, against_words = set(_AHEAD), set(_AGAINST)
    if "b" in words:
        against_words.add("t")
    else:
        ahead_words.add("t")
        if words & {"t", "true"}:
            ahead_words.discard("f")
    ahead, against = np.isin(said, list(ahead_words)), np.isin(said, list(against_words))
    implied = np.isin(tag(frame, "junction"), ["roundabout", "circular"])
    implied |= np.array([fold_word(name) in ("motorway", "motorway_link") for name in class_of], dtype=np.bool_)
    ahead |= implied & (said == "")
    return np.asarray(~against), np.asarray(~ahead)


def speeds(frame: pd.DataFrame, class_of: Texts, own: Mapping[str, float] | None) -> Floats:
    """(n,) float64, km/h: the plan's for the class, else the file's, else the one known for the class."""
    chosen = {fold_word(name): speed for name, speed in (own or {}).items()}
    stated = tag(frame, "speed_kmh", "maxspeed", "max_speed", "speed", "限速", "设计速度", "设计时速")
    found = np.empty(len(frame))
    for row, (name, text) in enumerate(zip(class_of, stated, strict=True)):
        folded, base = fold_word(name), base_class(name)
        speed = chosen.get(folded, chosen.get(base)) or stated_speed(text)
        if speed is None:
            # Ramps are slower than what they lead to.
            slower = 0.6 if folded.endswith("_link") else 1.0
            speed = DRIVING_KMH.get(base, OTHER_KMH) * slower
        found[row] = speed
    return found


def stated_speed(text: str) -> float | None:
    """Speed that a file states, km/h: ``50``, ``30 mph``, ``50;80`` (the first); None where it states none."""
    found = re.match(r"(\d+(?:\.\d+)?)_?(mph)?", text)
    if found is None:
        return WALKING_KMH if text == "walk" else None
    speed = float(found[1]) * (_MILE_KM if found[2] else 1.0)
    return speed if 0 < speed <= 200 else None

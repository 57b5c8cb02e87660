"""What is said of the datum of a layer: what states it, what the detective found, how far the two are apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from gridmap.errors import UnknownDatum
from gridmap.geometry.datum import Datum
from gridmap.geometry.datum_evidence import is_metric
from gridmap.inputs.detective import Guess, Reference, detect
from gridmap.inputs.inspection.layers import Kind, Layer
from gridmap.inputs.inspection.preview import simplified
from gridmap.inputs.inspection.telling import Told, tell

_OUTLINE_VERTICES = 300
#: The same within centimetres.
_ALIKE = {"cgcs2000": "wgs84"}


class DatumFound:
    """The datum of a layer.

    Parameters
    ----------
    layer : with coordinates
    stated : what the user says, None where they say nothing
    reference : areas whose place is known
    """

    def __init__(self, layer: Layer, stated: Datum | None, reference: Reference | None) -> None:
        self._layer = layer
        self.unknown_crs: UnknownDatum | None = None
        of_file = self._of_file()
        self._by = "user" if stated else "file" if of_file else None
        self.stated = stated or of_file
        self.guess: Guess = detect(
            layer.xy, layer.owner, layer.attributes, self.stated, reference, is_areal=layer.kind is Kind.AREAL
        )

    def _of_file(self) -> Datum | None:
        if self._layer.crs is None:
            return None
        try:
            return Datum.of_crs(self._layer.crs, self._layer.place)
        except UnknownDatum as error:
            self.unknown_crs = error
            return None

    @property
    def used(self) -> Datum | None:
        """Datum to look at the layer in: that guessed, else stated, else WGS 84; None for a plane without a name."""
        if self.guess.datum is not None:
            return self.guess.datum
        if self.stated is not None or not is_metric(self._layer.xy):
            return self.stated or Datum("wgs84")
        return None

    @property
    def warning(self) -> Told | None:
        """What to say where the guess and what is stated differ."""
        guess = self.guess.datum
        if guess is None or (self.stated is not None and _alike(guess, self.stated)):
            return None
        shift = "?" if self.guess.shift_m is None else f"{self.guess.shift_m:,.0f}"
        if self.stated is None:
            return None if _alike(guess, Datum("wgs84")) else tell("uploads.datum_unstated", guess=guess, shift_m=shift)
        return tell("uploads.datum_differs", stated=self.stated, guess=guess, shift_m=shift)

    def as_json(self) -> dict[str, Any]:
        """Members of the answer, the warning still to be worded.

        Raises
        ------
        shapely.GEOSException
            If shapes are too broken to be outlined.
        """
        return {**self.without_outlines(), "outlines": self._outlines()}

    def without_outlines(self) -> dict[str, Any]:
        """Members of the answer that need no shapes."""
        guess = self.guess
        return {
            "stated": None if self.stated is None else self.stated.name,
            "stated_by": self._by,
            "crs": self._crs_name(),
            "guess": None if guess.datum is None else guess.datum.name,
            "certainty": guess.certainty.value,
            "method": guess.method.value,
            "column": guess.column,
            "tested": guess.tested,
            "telling": guess.telling,
            "evidence": [{"datum": clue.datum.name, "share": round(clue.share, 4)} for clue in guess.clues[:6]],
            "shift_m": None if guess.shift_m is None or not np.isfinite(guess.shift_m) else round(guess.shift_m, 1),
            "warning": self.warning,
            "outlines": None,
        }

    def _crs_name(self) -> str | None:
        return None if self._layer.crs is None or self.unknown_crs else str(CRS.from_user_input(self._layer.crs).name)

    def _outlines(self) -> dict[str, Any] | None:
        """Outline of the layer as stated and as guessed, where the two differ."""
        guess = self.guess.datum
        before = self.stated or Datum("wgs84")
        if guess is None or self.warning is None or before.is_projected != guess.is_projected:
            return None
        outline = self._outline()
        both = {"stated": before, "guess": guess}
        return {name: shapely.geometry.mapping(_converted(outline, datum)) for name, datum in both.items()}

    def _outline(self) -> shapely.Geometry:
        layer = self._layer
        finite = layer.xy[np.isfinite(layer.xy).all(axis=1)]
        hull = shapely.convex_hull(shapely.multipoints(finite))
        if layer.kind is not Kind.AREAL:
            return simplified(np.array([hull], dtype=object), _OUTLINE_VERTICES)[0]
        drawn = layer.geometry[shapely.is_valid(layer.geometry) & (shapely.get_dimensions(layer.geometry) == 2)]
        whole = shapely.union_all(drawn) if len(drawn) else hull
        return simplified(np.array([whole], dtype=object), _OUTLINE_VERTICES)[0]


def _alike(one: Datum, other: Datum) -> bool:
    return _ALIKE.get(one.name, one.name) == _ALIKE.get(other.name, other.name)


def _converted(shape: shapely.Geometry, datum: Datum) -> shapely.Geometry:
    def convert(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.round(datum.to_wgs84(xy), 6)

    return shapely.transform(shape, convert)

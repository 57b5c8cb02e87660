"""Tests of service that are known by name: how far, for how many, by which kinds of facility."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gridmap.domain.kinds import FacilityKind
from gridmap.domain.plan_settings import Metres, Section


class PresetName(Section):
    """Name of a preset in both languages."""

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)


class Preset(Section):
    """One table of a presets file.

    ``reach``: enough people have one of ``kinds`` within ``radius_m``; several radii are steps, the last one counts.
    ``alone``: which facilities of ``kinds`` have no other within ``radius_m``. ``tiers``: each village holds one of
    ``kinds``, each township one of ``full_kinds``.
    """

    name: PresetName
    modelled_on: str = Field("", description="what it follows")
    test: Literal["reach", "alone", "tiers"]
    kinds: list[FacilityKind] = Field(min_length=1)
    full_kinds: list[FacilityKind] = Field(default_factory=lambda: [FacilityKind.BRANCH], min_length=1)
    radius_m: list[tuple[Metres, Metres]] = Field(default_factory=list, description="[urban, rural], metres")
    share: Annotated[float, Field(gt=0, le=1)] | None = Field(None, description="share of demand; None: no verdict")

    @property
    def radii_asked(self) -> range:
        """How many radii the test can do with."""
        return {"reach": range(1, 1000), "alone": range(1, 2), "tiers": range(0, 1)}[self.test]

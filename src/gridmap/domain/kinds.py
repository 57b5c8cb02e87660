"""The closed vocabularies of the field."""

from __future__ import annotations

from enum import StrEnum


class AreaLevel(StrEnum):
    """Level of an administrative area, widest first; 6, 9 and 12 digits of code."""

    COUNTY = "county"
    TOWNSHIP = "township"
    VILLAGE = "village"

    @property
    def digits(self) -> int:
        """Digits of an area code of this level."""
        return {AreaLevel.COUNTY: 6, AreaLevel.TOWNSHIP: 9, AreaLevel.VILLAGE: 12}[self]


class FacilityKind(StrEnum):
    """Kind of a service point: outlets (branch, self-service) and devices."""

    BRANCH = "branch"
    SELF_SERVICE = "self_service"
    ATM = "atm"
    POS = "pos"
    RURAL_CASH_POINT = "rural_cash_point"
    SELF_SERVICE_TERMINAL = "self_service_terminal"

    @property
    def is_outlet(self) -> bool:
        """Whether a point of this kind is an outlet (else it is a device)."""
        return self in (FacilityKind.BRANCH, FacilityKind.SELF_SERVICE)


class SettlementClass(StrEnum):
    """Urban, fringe or rural ground."""

    URBAN = "urban"
    FRINGE = "fringe"
    RURAL = "rural"


class GridKind(StrEnum):
    """Kind of a responsibility grid."""

    ORDINARY = "ordinary"
    DEDICATED = "dedicated"


class BaseUnitKind(StrEnum):
    """What a base unit is: the engine never cuts across one, except across ``CELLS``, whose cells are units."""

    VILLAGE = "village"
    BLOCK = "block"
    CELLS = "cells"
    DEDICATED = "dedicated"
    LOCKED = "locked"


class AssignmentRole(StrEnum):
    """Role of an outlet towards a grid or cell."""

    PRIMARY = "primary"
    COOPERATING = "cooperating"


class StaffRole(StrEnum):
    """Role of a person in a grid."""

    MANAGER = "manager"
    OFFICER = "officer"


class Employment(StrEnum):
    """How a person is employed."""

    FULL_TIME = "full_time"
    PART_TIME = "part_time"

"""Who lives and serves where: people by settlement, outlets, devices, staff, dedicated areas."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import shapely

from gridmap.geometry.lattice import geometries_to_units
from maker.county import County, Polygon, Village, points_inside, shared_out
from maker.ground import Points, to_degrees
from maker.names import BANK, OTHER_BANK, NameBook

DEVICES = {"ATM": 30, "POS": 28, "自助终端": 14, "助农取款点": 88}
BRANCH, SELF_SERVICE = "branch", "self_service"
#: Townships (by number) whose outlets make the plan speak: none at all, only a self-service one, one too small.
WITHOUT_OUTLET, SELF_SERVICE_ONLY, TOO_SMALL = 11, 10, 5


@dataclass(frozen=True)
class Settlement:
    """People who live around one point of a village."""

    village: Village
    place_km: Points
    people: int


@dataclass(frozen=True)
class Outlet:
    """A bank outlet; ``capacity`` counts the people it can look after."""

    number: str
    name: str
    kind: str
    place_km: Points
    capacity: int
    institution: str
    line_number: str


@dataclass(frozen=True)
class Device:
    """A device, with its kind as Chinese tables write it."""

    number: str
    name: str
    kind: str
    place_km: Points


@dataclass(frozen=True)
class Person:
    """A member of staff; the person is invented."""

    number: str
    name: str
    role: str
    employment: str
    outlet: str


@dataclass(frozen=True)
class Dedicated:
    """Ground with a grid of its own."""

    number: str
    name: str
    kind: str
    polygon: Polygon


def settlements_of(rng: np.random.Generator, county: County) -> list[Settlement]:
    """Spread the people of each village over some settlements, most of them in one."""
    settlements = []
    for village in county.villages:
        count = int(np.clip(village.people / (520 if not village.is_rural else 150), 4, 26))
        reach = 0.33 * np.sqrt(village.area_km2)
        places = points_inside(
            rng,
            village.polygon,
            count,
            lambda n, village=village, reach=reach: village.centre_km + rng.normal(0, reach, (n, 2)),  # type: ignore[misc]
        )
        away = np.hypot(*(places - village.centre_km).T)
        people = shared_out(village.people, np.exp(rng.normal(0, 0.5, count) - away / (reach * 1.5)))
        settlements += [
            Settlement(village, place, int(number)) for place, number in zip(places, people, strict=True) if number
        ]
    return settlements


def outlets_of(rng: np.random.Generator, county: County, settlements: list[Settlement]) -> list[Outlet]:
    """Outlets: crowded in the county seat, one or two in most townships, with capacities for who is near."""
    sites: list[tuple[str, str, Points, str]] = []

    def place(village: Village, kind: str, institution: str, label: str) -> None:
        homes = [home for home in settlements if home.village is village]
        home = max(homes, key=lambda one: one.people) if kind == BRANCH else homes[int(rng.integers(len(homes)))]
        suffix = "支行" if kind == BRANCH else "自助银行"
        bank = institution.removesuffix("农商银行") if institution == BANK else institution
        sites.append((f"{bank}{label}{suffix}", kind, _near(rng, home), institution))

    for township in range(len(county.townships)):
        villages = sorted(
            (v for v in county.villages if v.township == township), key=lambda v: (v.class_code, -v.people)
        )
        for village, kind, institution in _chosen(township, villages):
            place(village, kind, institution, village.name.removesuffix("社区").removesuffix("村"))
    capacities = _capacities(rng, county, settlements, sites)
    outlets = []
    for number, ((name, kind, place_km, institution), capacity) in enumerate(
        zip(sites, capacities, strict=True), start=1
    ):
        own = institution == BANK
        line = line_number("990" if own else "991", "9901", number)
        outlets.append(Outlet(f"W{number:03d}", name, kind, place_km, capacity, institution, line))
    return outlets


def _near(rng: np.random.Generator, home: Settlement) -> Points:
    """Draw a place within a few steps of a settlement, in the same village."""
    found = points_inside(rng, home.village.polygon, 1, lambda n: home.place_km + rng.normal(0, 0.06, (n, 2)))
    return np.asarray(found[0])


def _chosen(township: int, villages: list[Village]) -> Iterable[tuple[Village, str, str]]:
    """Villages of one township that get an outlet, with its kind and bank; towns before the country."""
    if township == 0:
        core = [v for v in villages if v.class_code == "111"]
        fringe = [v for v in villages if v.class_code == "112"]
        yield from ((v, BRANCH, BANK) for v in core)
        yield from ((v, BRANCH, BANK) for v in fringe[:2])
        yield from ((v, BRANCH, OTHER_BANK) for v in core[:2])
        yield from ((v, SELF_SERVICE, BANK) for v in core[:3] + fringe[2:5])
    elif township == SELF_SERVICE_ONLY:
        yield villages[0], SELF_SERVICE, BANK
    elif township != WITHOUT_OUTLET:
        yield villages[0], BRANCH, BANK
        if sum(v.people for v in villages) > 40_000:
            yield max(villages[1:], key=lambda v: _away(v, villages[0]) * v.people), BRANCH, BANK
        yield villages[1], SELF_SERVICE, BANK
        if township in (1, 4):
            yield villages[0], BRANCH, OTHER_BANK


def _away(a: Village, b: Village) -> float:
    return float(np.hypot(*(a.centre_km - b.centre_km)))


def _capacities(
    rng: np.random.Generator,
    county: County,
    settlements: list[Settlement],
    sites: list[tuple[str, str, Points, str]],
) -> list[int]:
    """Room for the people who have the outlet nearest, and some more; too little in one township."""
    homes = np.stack([home.place_km for home in settlements])
    people = np.asarray([home.people for home in settlements])
    places = np.stack([site[2] for site in sites])
    nearest = np.hypot(*(homes[:, None] - places[None]).transpose(2, 0, 1)).argmin(axis=1)
    load = np.bincount(nearest, weights=people, minlength=len(sites))
    seat = county.townships[TOO_SMALL].seat_km
    small = int(np.hypot(*(places - seat).T).argmin())
    room = load * rng.uniform(1.5, 2.1, len(sites)) + 12_000
    room[small] = 0.55 * load[small]
    return [int(round(value, -2)) for value in room.tolist()]


def line_number(bank: str, city: str, branch: int) -> str:
    """Bank line number: 3 digits bank, 4 city, 4 branch, and the check digit of ISO 7064 MOD 11,10."""
    digits = f"{bank}{city}{branch:04d}"
    product = 10
    for digit in digits:
        product = ((product + int(digit)) % 10 or 10) * 2 % 11
    return f"{digits}{(11 - product) % 10}"


def devices_of(rng: np.random.Generator, county: County, settlements: list[Settlement]) -> list[Device]:
    """Devices: machines in the towns, cash points in about half of the rural villages and one, wrongly, in town."""
    towns = [v for v in county.villages if not v.is_rural]
    rural = [v for v in county.villages if v.is_rural]
    core = [v for v in towns if v.class_code == "111"]
    reachable = sorted(rural, key=lambda v: v.height + rng.uniform(0, 1.1))
    served = {
        "ATM": [towns[i] for i in rng.choice(len(towns), DEVICES["ATM"])],
        "POS": [county.villages[i] for i in rng.choice(len(county.villages), DEVICES["POS"])],
        "自助终端": [towns[i] for i in rng.choice(len(towns), DEVICES["自助终端"])],
        "助农取款点": [core[1], *reachable[: DEVICES["助农取款点"] - 1]],
    }
    devices: list[Device] = []
    for kind, villages in served.items():
        for village in sorted(villages, key=lambda v: v.code):
            homes = [home for home in settlements if home.village is village]
            home = (
                max(homes, key=lambda one: one.people) if kind == "助农取款点" else homes[int(rng.integers(len(homes)))]
            )
            number = f"D{len(devices) + 1:04d}"
            devices.append(Device(number, f"{village.name}{kind}", kind, _near(rng, home)))
    return devices


def staff_of(rng: np.random.Generator, names: NameBook, outlets: list[Outlet]) -> list[Person]:
    """Hire managers (full-time) and officers (half of them part-time), more where an outlet looks after more people."""
    branches = [outlet for outlet in outlets if outlet.kind == BRANCH and outlet.institution == BANK]
    room = np.asarray([outlet.capacity for outlet in branches], dtype=np.float64)
    managers, officers = shared_out(150, room), shared_out(230, room)
    staff: list[Person] = []
    for outlet, leading, serving in zip(branches, managers.tolist(), officers.tolist(), strict=True):
        for role, count in (("manager", leading), ("officer", serving)):
            for _ in range(count):
                full_time = role == "manager" or rng.random() < 0.5
                number = f"P{len(staff) + 1:04d}"
                employment = "full_time" if full_time else "part_time"
                staff.append(Person(number, names.person(), role, employment, outlet.number))
    return staff


def dedicated_of(county: County) -> list[Dedicated]:
    """Put a mall, a campus, a market and two industrial parks: tilted rectangles, each well inside one village."""
    towns = [v for v in county.villages if v.class_code == "111"]
    fringe = [v for v in county.villages if v.class_code == "112"]
    centre = next(v for v in county.villages if v.class_code == "121")
    wanted = [
        ("云泊万汇广场", "mall", towns[0], 0.20, 0.15),
        ("漷阳大市场", "market", towns[1], 0.26, 0.14),
        ("泊州职业学院", "campus", fringe[0], 0.55, 0.40),
        ("云泊高新产业园", "industrial_park", fringe[1], 0.80, 0.45),
        (f"{centre.name.removesuffix('社区')}工业园", "industrial_park", centre, 0.60, 0.35),
    ]
    return [
        Dedicated(f"Z{number:02d}", name, kind, _rectangle(village, length, width, 17.0 * number))
        for number, (name, kind, village, length, width) in enumerate(wanted, start=1)
    ]


def _rectangle(village: Village, length_km: float, width_km: float, turn_deg: float) -> shapely.Polygon:
    """Rectangle around the village's centre, smaller where the village is too narrow, in the lattice frame."""
    half = np.array([length_km, width_km]) / 2
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    cosine, sine = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    corners = corners @ np.array([[cosine, sine], [-sine, cosine]])
    while True:
        placed = np.asarray([shapely.Polygon(to_degrees(village.centre_km + corners))], dtype=object)
        rectangle = geometries_to_units(placed)[0]
        if shapely.contains_properly(village.polygon, rectangle):
            return rectangle
        corners = corners * 0.8

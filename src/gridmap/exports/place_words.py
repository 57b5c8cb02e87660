"""Names of places and facilities in what is said of service, as the terminal or as Markdown shows them."""

from __future__ import annotations

from collections.abc import Callable

from gridmap.catalogue import Language
from gridmap.domain.plan import Plan
from gridmap.exports.words import NOTHING, area_names, names_by_code, word
from gridmap.planning.access.standing import ALL, Standing

Shown = Callable[[object], str]


class PlaceWords:
    """Names of one plan's places, and of the facilities of some standings, later ones going before.

    Parameters
    ----------
    shown : how a text of the user's is shown: ``str``, or ``literal`` for Markdown
    """

    def __init__(self, plan: Plan, standings: list[Standing], lang: Language, shown: Shown = str) -> None:
        self.lang, self._shown = lang, shown
        self._areas, self._others = area_names(plan), names_by_code(plan)
        self.facilities: dict[str, str] = {}
        self.kinds: dict[str, str] = {}
        for standing in standings:
            frame = standing.frame
            for code, name, kind in zip(frame["facility_id"], frame["name"], frame["kind"], strict=True):
                self.facilities[str(code)] = str(name) if isinstance(name, str) and name else str(code)
                self.kinds[str(code)] = str(kind)

    def place(self, level: str, code: str) -> str:
        """``樟村坪镇 羊角山村``; a grid with its code, a settlement class in words."""
        return self._shown(self.plain(level, code))

    def plain(self, level: str, code: str) -> str:
        """Return the name as it stands, for JSON."""
        if level == "settlement":
            return word("settlement", code, self.lang)
        if level == "grid":
            return f"{self._others.get(code, code)} ({code})" if code in self._others else code
        if level == "facility":
            return self.facilities.get(code, code)
        return self._areas.get(code, code)

    def facility(self, code: str | None) -> str:
        """Name of a facility with its kind: ``松山井支行 (branch)``."""
        if code is None:
            return NOTHING
        return f"{self._shown(self.facilities.get(code, code))} ({word('kind', self.kinds.get(code), self.lang)})"

    def service(self, name: str) -> str:
        """Name of a service: a kind, or any facility."""
        return word("kind", "any" if name == ALL else name, self.lang)

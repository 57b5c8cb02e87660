"""What of a version is in reach of a scope, said once: in the rows that everything else is read from.

A scope is prefixes of area codes, and institutions. Where it holds all of a version, all of it is in reach. Else:

================== ====================================================================================================
layer              rows in reach
================== ====================================================================================================
areas, cells,      whose area code begins with a prefix; what holds more than the scope (a county, a grid over several
grids, units       towns, whose area is theirs) is not
facilities         whose area code does, and whose institution is in the scope or not stated
gaps               whose area code does, and none of whose ground lies in cells beyond the scope
levels             areas and grids in reach, super-grids all of whose grids are, sub-grids of grids in reach
assignments        of grids in reach
staff              of grids in reach, or of outlets in reach
jurisdictions      of outlets in reach all of whose grids are
organisation       outlets likewise; people of staff in reach none of whose grids is beyond it; head offices and
                   branches with nothing below them that is beyond it
================== ====================================================================================================

What names something that is not in reach is NULL, in lists left out, and so are the distances to it: outlets,
facilities, grids, units, parents, branches. People who hold a grid in reach are in reach. Of facilities
``cells_in_reach`` and ``demand_in_reach`` are NULL, for they count cells of others; gaps are ranked among those in
reach. What tells of one's own ground stays, whoever serves it: shares, flags of coverage, crossing degree.
Identifiers stay as they are.

Of a plan of another institution nothing is in reach.
"""

from gridmap.store.scope.areas import in_areas
from gridmap.store.scope.reach import Reach, reach_of
from gridmap.store.scope.scoped import scoped

__all__ = ["Reach", "in_areas", "reach_of", "scoped"]

"""How maps of plans look, said once: colours, classes, symbols, line widths, labels, and the legend that explains them.

Maps in browsers, in GIS programs and on paper are drawn from it. Order and lightness carry what colour does, so that
maps are read without colour and by eyes that tell colours apart otherwise.
"""

from gridmap.cartography.legend import LegendEntry, legend_of
from gridmap.cartography.maplibre import maplibre_style
from gridmap.cartography.styles import STYLES, MapStyle

__all__ = ["STYLES", "LegendEntry", "MapStyle", "legend_of", "maplibre_style"]

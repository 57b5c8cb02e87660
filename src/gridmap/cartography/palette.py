"""Colours of grounds, lines and groups; each ramp goes from light to dark."""

from __future__ import annotations

PAPER, LAND, INK, QUIET, HALO = "#f4f3ee", "#fdfcf8", "#1d2a30", "#5d6a70", "#fdfcf8"
BORDER, GRID_LINE, CELL_LINE, OUTLET_LINE = "#3f3b33", "#6b4f8a", "#1d2a30", "#0b5d6b"
#: Ground whose value is not known.
NO_VALUE = "#e4e2da"
#: Ground of grids beside those a map is about.
BESIDE = "#eceae3"
URBAN_GROUND, FRINGE_GROUND, RURAL_GROUND = "#d9c3a5", "#ecd9b4", "#d0e0b6"
GAP = "#8c2d04"

# Ramps of six after C. Brewer: lightness falls from step to step.
YELLOW_GREEN = ("#ffffcc", "#d9f0a3", "#addd8e", "#78c679", "#31a354", "#006837")
YELLOW_BLUE = ("#ffffcc", "#c7e9b4", "#7fcdbb", "#41b6c4", "#2c7fb8", "#253494")
ORANGES = ("#feedde", "#fdd0a2", "#fdae6b", "#fd8d3c", "#e6550d", "#a63603")
PURPLES = ("#f2f0f7", "#dadaeb", "#bcbddc", "#9e9ac8", "#756bb1", "#54278f")
#: Colours that only part neighbours; borders part them where colours do not.
GROUPS = ("#a9cfc6", "#e8cf9f", "#b9c4e0", "#dfb7a8", "#c6d79f", "#cdb9d6", "#9fc3dc", "#d9d3c4")

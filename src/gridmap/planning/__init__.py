"""Pure decisions on arrays and frames: demand, reach, coverage, assignment, grids, rules."""

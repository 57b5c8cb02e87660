"""gridmap: exact, certified service grids for bank outlets."""

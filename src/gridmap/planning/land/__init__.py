"""The ground a plan decides on: areas, base units, cells, the demand on them and their settlement class."""

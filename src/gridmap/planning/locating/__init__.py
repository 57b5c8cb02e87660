"""How far a place is from what serves it: facilities of every kind, and the ground of a plan."""

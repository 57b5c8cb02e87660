"""What changed between two plans: grids, ground, people, facilities, figures."""

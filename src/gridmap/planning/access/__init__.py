"""How well people are served, beyond covered or not: access scores, second choices, loads, distributions, tiers."""

"""What planners ask of a plan: cover, gaps, rules, who serves a place."""

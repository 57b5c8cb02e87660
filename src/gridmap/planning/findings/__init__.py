"""What a plan says: indicators, remarks, and what was asked for and could not be."""

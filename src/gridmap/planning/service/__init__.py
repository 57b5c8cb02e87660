"""Who is within reach of service: facilities, distance, coverage, gaps."""

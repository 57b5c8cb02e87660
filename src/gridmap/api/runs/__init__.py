"""Runs asked for, and how they stand: OGC API Processes."""

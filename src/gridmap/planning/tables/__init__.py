"""Decisions as the frames of a plan."""

"""Layers of a version as vector tiles: cells summed up at small scales, every feature in its tiles at all others."""

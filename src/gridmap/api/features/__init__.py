"""Layers of plans as collections: OGC API Features."""

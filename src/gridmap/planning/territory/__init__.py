"""Grids: what they are put together of, how many, drawn how, numbered how, nested how."""

"""Filters of features: CQL2 read behind caps and allow-lists, and compiled to SQL with bound values."""

from gridmap.store.filters.bounds import bounds_of
from gridmap.store.filters.compiling import compile_filter

__all__ = ["bounds_of", "compile_filter"]

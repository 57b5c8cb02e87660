"""Filters of features: CQL2 read behind caps and allow-lists, and compiled to SQL with bound values."""

from gridmap.store.filters.bounds import bounds_of
from gridmap.store.filters.compiling import compile_filter
from gridmap.store.filters.naming import property_named
from gridmap.store.filters.parsing import FilterLanguage, parse_filter
from gridmap.store.filters.queryables import queryables_of

__all__ = ["FilterLanguage", "bounds_of", "compile_filter", "parse_filter", "property_named", "queryables_of"]

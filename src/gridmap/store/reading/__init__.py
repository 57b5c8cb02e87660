"""Read layers of a version: pages of features as GeoJSON bytes, single features, counts, extents."""

from gridmap.store.reading.layers import LayerReader
from gridmap.store.reading.queries import FeatureQuery, Page

__all__ = ["FeatureQuery", "LayerReader", "Page"]

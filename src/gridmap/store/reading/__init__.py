"""Read layers of a version: pages of features as GeoJSON bytes, single features, counts, extents."""

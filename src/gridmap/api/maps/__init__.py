"""Vector tiles and styles of plans: OGC API Tiles and Styles."""

"""Write a plan: GeoJSON, GeoPackage, GeoParquet, ledger, report, page."""

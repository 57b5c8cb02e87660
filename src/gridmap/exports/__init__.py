"""Write a plan: GeoJSON, GeoPackage, GeoParquet, ledger, report, page."""

from gridmap.exports.plan_directory import check_output_directory, load_plan, write_plan
from gridmap.exports.sentences import summary_lines
from gridmap.exports.vector import FORMATS, check_format, write_features

__all__ = [
    "FORMATS",
    "check_format",
    "check_output_directory",
    "load_plan",
    "summary_lines",
    "write_features",
    "write_plan",
]

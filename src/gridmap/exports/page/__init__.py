"""``index.html``: one self-contained page with the map of a plan, opened from the file system with no network."""

from gridmap.exports.page.writing import page_text, write_page

__all__ = ["page_text", "write_page"]

"""Files that are taken in, and what is in them."""

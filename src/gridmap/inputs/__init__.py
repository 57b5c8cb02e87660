"""Read and check what users bring."""

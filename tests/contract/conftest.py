"""Both stores, each test with a fresh one."""

from store_fixtures import cluster, empty_url, kind, made_tables, made_url, store, url

__all__ = ["cluster", "empty_url", "kind", "made_tables", "made_url", "store", "url"]

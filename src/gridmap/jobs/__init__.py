"""Runs in the background: asked for, claimed by a worker, heard from, ended once."""

"""Divide units into contiguous districts of balanced demand, each round its outlet or as compact as can be."""

"""Fetching of sample photos and benchmarks; nothing here is imported by the packages."""

"""Benchmarks, run by ``make bench``: what a purchase costs, and whether that grows."""

"""Measurements, each beside a yardstick of its own in the same run; `benchmarks/README.md`."""

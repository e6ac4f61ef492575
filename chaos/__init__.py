"""Faults put into real processes, and what came of them; `chaos/README.md`."""

"""Faults put into real processes, and what came of them; `docs/faults.md`."""

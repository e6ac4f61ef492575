"""Pure functions, each with a table of cases: next message or never, hours, caps, zones, stages."""

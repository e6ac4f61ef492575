"""Events that arrive over HTTP: verify, parse, capture."""

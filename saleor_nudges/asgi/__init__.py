"""The hot requests: plain functions of bytes to bytes, whoever serves them."""

"""A small living shop to see saleor-nudges in: `make demo`. A host like any other."""

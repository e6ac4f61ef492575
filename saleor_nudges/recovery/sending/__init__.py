"""From what is due to what left: into the ledger, claimed, marked, handed over, recorded."""

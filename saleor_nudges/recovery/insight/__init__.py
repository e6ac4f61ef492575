"""Why and how many: explained, counted, simulated. Reads what the others wrote, changes nothing."""

"""How a message is written, sent and stopped. Recovery asks; nothing here knows of checkouts."""

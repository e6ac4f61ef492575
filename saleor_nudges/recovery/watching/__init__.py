"""Each checkout as it stands: what events tell of it, what the shop says, who bought it."""

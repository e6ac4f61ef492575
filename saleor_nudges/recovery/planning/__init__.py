"""What comes next for a checkout: the rules, given what is known now, and why it was so."""

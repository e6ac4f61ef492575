"""What messages give away: promised at the mark, minted on the way back, voided when not needed."""

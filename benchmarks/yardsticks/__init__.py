"""What ours is measured against: the least that could do the same, on the same servers."""

"""What developing saleor-nudges needs and using it does not: servers, a real Saleor, recordings."""

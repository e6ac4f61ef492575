"""Running as a Saleor App, in processes of our own."""

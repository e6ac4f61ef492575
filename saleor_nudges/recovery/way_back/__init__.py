"""The links in a message and the pages behind them: back to the checkout, out of the list."""

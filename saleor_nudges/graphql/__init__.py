"""What the widget, the storefront's server and the Dashboard ask and change."""

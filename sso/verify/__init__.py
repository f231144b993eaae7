"""What proxies ask about each request to the services behind them (forward-auth)."""

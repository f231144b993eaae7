"""Pages of sessions: sign-out, devices, and the check that proxies ask for."""

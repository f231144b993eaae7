"""The wiring: settings, the site map, what every request passes, and failover for Redis and PostgreSQL."""

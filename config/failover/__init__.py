"""Failover: what the site does while Redis or PostgreSQL is away."""

"""Handing mail and events to RabbitMQ, for sites that have one."""

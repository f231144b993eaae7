"""RabbitMQ, where there is one."""

"""Sign-out, devices, and the question of proxies who is asking."""

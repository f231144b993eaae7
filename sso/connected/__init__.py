"""The apps to which somebody is connected: what these have learnt, and the end of that."""

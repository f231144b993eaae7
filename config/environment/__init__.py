"""Settings read from the environment.

Whatever is missing or wrong raises SystemExit: it ends the process with one line that names the variable.
"""

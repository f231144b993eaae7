#!/usr/bin/env python
"""Django's command line; in a bare terminal it brings its own servers (embedded/)."""

import os
import sys

from django.core.management import execute_from_command_line

import embedded


def main() -> None:
    """Runs one command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    embedded.stand_in(os.environ)
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

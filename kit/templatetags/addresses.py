"""The template filter for email addresses, which every template has: settings.TEMPLATES lists it among its builtins."""

from django import template

from kit import addresses

register = template.Library()
register.filter("readable", addresses.readable)

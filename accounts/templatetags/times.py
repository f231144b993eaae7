"""{% load times %}: the words of accounts.times as template filters."""

from django import template

from accounts import times

register = template.Library()
register.filter("on", times.on)
register.filter("until", times.until)
register.filter("clock", times.clock)
register.filter("lasting", times.lasting)

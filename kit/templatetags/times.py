"""Template filters for kit.times: {% load times %}."""

from django import template

from kit import times

register = template.Library()
register.filter("on", times.on)
register.filter("until", times.until)
register.filter("day", times.day)
register.filter("clock", times.clock)
register.filter("lasting", times.lasting)
register.filter("brief", times.brief_html)

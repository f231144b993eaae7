"""The renderer of forms: how inputs and selects become HTML."""

import html
from collections.abc import Callable, Mapping
from typing import Any

from django.forms.renderers import TemplatesSetting
from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe

Widget = Mapping[str, Any]


class Renderer(TemplatesSetting):
    """A form renderer that writes inputs and selects itself, exactly as Django's templates for them do.

    Those templates take longer than the rest of a page: each list of attributes is an include.
    """

    def render(self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None) -> str:
        """Returns the HTML of a widget that WRITERS knows, all values escaped. Django renders all other templates."""
        write = WRITERS.get(template_name)
        if write is None:
            return super().render(template_name, context, request)
        return mark_safe(write(context["widget"]))  # noqa: S308 the functions below escape all values


def write_input(widget: Widget) -> str:
    value = "" if widget["value"] is None else f' value="{escaped(widget["value"])}"'
    return f'<input type="{escaped(widget["type"])}" name="{escaped(widget["name"])}"{value}{attributes(widget)}>'


def write_select(widget: Widget) -> str:
    groups = "".join(write_group(name, options) for name, options, _index in widget["optgroups"])
    return f'<select name="{escaped(widget["name"])}"{attributes(widget)}>{groups}\n</select>'


def write_group(name: str | None, options: list[Widget]) -> str:
    written = "".join(map(write_option, options))
    return f'\n  <optgroup label="{escaped(name)}">{written}\n  </optgroup>' if name else written


def write_option(option: Widget) -> str:
    return f'\n  <option value="{escaped(option["value"])}"{attributes(option)}>{escaped(option["label"])}</option>\n'


def attributes(widget: Widget) -> str:
    """Returns the attributes of a widget as HTML, with a space before each.

    True makes an attribute without a value; an attribute that is False is left out.
    """
    pairs = [pair for pair in widget["attrs"].items() if pair[1] is not False]
    return "".join(f" {escaped(n)}" if v is True else f' {escaped(n)}="{escaped(v)}"' for n, v in pairs)


def escaped(value: Any) -> str:
    """Returns a value as `{{ value }}` would write it: escaped, unless it is a SafeString.

    Django's own function for this does more, and takes five times as long.
    """
    text = str(value)
    return text if isinstance(text, SafeString) else html.escape(text)


INPUTS = ("checkbox", "email", "hidden", "number", "password", "text")
WRITERS: dict[str, Callable[[Widget], str]] = {
    **{f"django/forms/widgets/{kind}.html": write_input for kind in INPUTS},
    "django/forms/widgets/select.html": write_select,
}

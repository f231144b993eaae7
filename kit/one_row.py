"""The desk's page of one row: what it is, and a button for each action that would change it."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse

EVERYWHERE = (admin.ActionLocation.CHANGE_LIST, admin.ActionLocation.CHANGE_FORM)  # where an action is offered


@dataclass
class Button:
    """A button on the page of a row. It posts `name`, the name of an action."""

    name: str
    label: str


@dataclass
class Fact:
    """A line of what the page says of the row. `value` is text, or HTML that is marked as safe."""

    label: Any
    value: Any


class OneRow(admin.ModelAdmin):
    """An admin with a page of its own for each row, which shows it and does not ask for anything to be typed.

    Its actions that are offered EVERYWHERE are buttons there, too.
    """

    def buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        """Returns a button for each action that this person may do and that would change this row."""
        offered: dict[str, Any] = self.get_actions(request, action_location=admin.ActionLocation.CHANGE_FORM)
        return [
            Button(name, str(action.description))
            for name, action in offered.items()
            if self.applies(request, row, name)
        ]

    def applies(self, request: HttpRequest, row: Any, name: str) -> bool:
        """Returns whether the action `name` would change this row. Here all do; subclasses know better."""
        return True

    def shows(self, request: HttpRequest, row: Any) -> bool:
        """Returns whether this request is to be answered by the page of `row` (None: there is no such row)."""
        return row is not None and request.method in {"GET", "HEAD"} and self.has_view_permission(request, row)

    def show(self, request: HttpRequest, template: str, row: Any, context: dict[str, Any]) -> TemplateResponse:
        """Returns the page of `row` from this template, filled with `context` and what every page has.

        Its "buttons" are those of buttons(), unless `context` has others.
        """
        common = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "heading": getattr(self, "heading", ""),
            "original": row,
            "title": str(row),
            "here": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk]),
            "buttons": context["buttons"] if "buttons" in context else self.buttons(request, row),
            "has_view_permission": True,
        }
        return TemplateResponse(request, template, common | context)

"""The form of an app, as the desk shows it and the command add_app fills it in: one set of rules for both."""

from contextlib import suppress
from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit import plain_line
from sso import addresses, products, secret
from sso.models import App

LONGEST_NAME = 60  # characters; mails name the app in their subjects
EVERYBODY, GROUPS = "everybody", "groups"
ADDRESS = {"dir": "ltr", "spellcheck": "false", "autocapitalize": "none"}


class AppForm(forms.ModelForm):
    """What is asked of an app. A new one lets nobody in until somebody has chosen whom."""

    name = forms.CharField(label=gettext_lazy("Name people see"), max_length=LONGEST_NAME)
    start_url = forms.CharField(
        label=gettext_lazy("Where it lives"),
        help_text=gettext_lazy("Its address as people type it, or that at which it begins to sign people in."),
        widget=forms.TextInput(attrs=ADDRESS),
    )
    redirect_uris = forms.CharField(
        label=gettext_lazy("Redirect addresses"),
        help_text=gettext_lazy(
            "Where it takes people back, one in each line, letter by letter. For the products named above, leave it "
            "empty: we work it out from where the app lives."
        ),
        widget=forms.Textarea(attrs=ADDRESS | {"rows": 2}),
        required=False,
    )
    who = forms.ChoiceField(
        label=gettext_lazy("Who may come in?"),
        choices=[
            (EVERYBODY, gettext_lazy("Everybody with an account")),
            (GROUPS, gettext_lazy("Only people in these groups:")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose who may come in.")},
    )
    groups = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Groups"),
        help_text=gettext_lazy("The app learns who is in these groups, and of no others."),
        queryset=Group.objects.order_by("name"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    public = forms.BooleanField(
        label=gettext_lazy("It runs on people’s own machines, and can keep no secret"), required=False
    )
    logout_uri = forms.CharField(
        label=gettext_lazy("Where to tell it that somebody has signed out"),
        help_text=gettext_lazy("Its address for back‑channel logout, if it has one. Without it, it notices later."),
        widget=forms.TextInput(attrs=ADDRESS),
        required=False,
    )
    post_logout_uris = forms.CharField(
        label=gettext_lazy("Where it takes people after they have signed out"),
        help_text=gettext_lazy("One address in each line, letter by letter."),
        widget=forms.Textarea(attrs=ADDRESS | {"rows": 2}),
        required=False,
    )

    # Of the app to come, chosen when the form is shown: a form that is sent twice makes one app.
    new_id = forms.RegexField(secret.ID, widget=forms.HiddenInput, required=False)

    class Meta:
        model = App
        fields = (
            "product",
            "name",
            "start_url",
            "redirect_uris",
            "who",
            "groups",
            "staff_only",
            "second_factor",
            "asks_consent",
            "public",
            "pkce",
            "offline",
            "logout_uri",
            "post_logout_uris",
        )
        widgets = {"product": forms.RadioSelect}
        help_texts = {
            "asks_consent": gettext_lazy("Not for an app of your own."),
            "pkce": gettext_lazy("Leave it on. Without it, the app must send a nonce."),
            "offline": gettext_lazy("For 30 days at most. Most apps don’t need it."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            app = self.instance
            self.initial = {
                **self.initial,
                "name": app.name,
                "redirect_uris": "\n".join(app.client.get_redirect_uris()),
                "who": EVERYBODY if app.everybody else GROUPS,
                "public": app.is_public,
            }
            self.fields["public"].disabled = True  # its secret would go, or it would have none
        else:
            self.initial = {**self.initial, "new_id": secret.new_id()}
        if not Group.objects.exists():
            self.fields["groups"].help_text = _("There are no groups yet. A superuser makes them at the desk.")

    def clean_name(self) -> str:
        """Returns the name. Raises ValidationError if mails and lists can't hold it."""
        return plain_line.plain(" ".join(self.cleaned_data["name"].split()), LONGEST_NAME, str(_("The name")))

    def clean_start_url(self) -> str:
        """Returns the address. Raises ValidationError if no browser can open it."""
        return addresses.check_web(self.cleaned_data["start_url"])

    def clean_logout_uri(self) -> str:
        """Returns the address, perhaps "". Raises ValidationError if we can't call it."""
        typed = self.cleaned_data["logout_uri"]
        return addresses.check_called(typed) if typed else ""

    def clean(self) -> dict[str, Any]:
        """Checks what depends on another field, and fills in for a new app what is known of its product."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        self.check_who(data)
        if self.instance.pk is None and data.get("start_url"):
            fill_in(data)
        for name in ("redirect_uris", "post_logout_uris"):
            try:
                found = addresses.check_redirects(addresses.lines(data.get(name, "")), public=bool(data.get("public")))
            except ValidationError as error:
                self.add_error(name, error)
            else:
                data[name] = "\n".join(found)
        is_proxied = data.get("product") == App.Product.PROXY
        if not (data.get("redirect_uris") or is_proxied or self.has_error("redirect_uris")):
            said = _("Give the address at which the app takes people back. Its documentation names it.")
            self.add_error("redirect_uris", ValidationError(said, code="required"))
        if data.get("public") and not data.get("pkce"):
            said = _("An app without a secret must use PKCE: nothing else protects its codes.")
            self.add_error("pkce", ValidationError(said, code="needed"))
        return data

    def check_who(self, data: dict[str, Any]) -> None:
        """Sees that somebody has said who may come in. An app for everybody may still learn of groups."""
        if data.get("who") == GROUPS and not data.get("groups") and not self.has_error("groups"):
            said = _("Choose at least one group, or everybody.")
            self.add_error("groups", ValidationError(said, code="required"))
        self.instance.everybody = data.get("who") == EVERYBODY

    @property
    def redirects(self) -> list[str]:
        """The checked redirect addresses."""
        return addresses.lines(self.cleaned_data["redirect_uris"])

    def store_new(self) -> str:
        """Stores the app of a valid form, without its groups. Returns its secret; "" if it has none."""
        data = self.cleaned_data
        return self.instance.store_new(data["name"], self.redirects, public=data["public"], new_id=data["new_id"])

    def store_changes(self) -> None:
        """Stores what was changed of the app of a valid form, without its groups."""
        self.instance.store_changes(self.cleaned_data["name"], self.redirects)


def fill_in(data: dict[str, Any]) -> None:
    """Fills in what was left empty and is known of the product: where it takes people back, and how it is told.

    PKCE is off for a product that can't do it: nobody could sign in to it.
    """
    product = products.PRODUCTS.get(data.get("product", ""))
    if product is None:
        return
    base = products.base(data["start_url"], product)
    data["start_url"] = base + (product.start or "/")
    data["redirect_uris"] = data.get("redirect_uris") or base + product.callback
    data["pkce"] = data.get("pkce") and product.pkce
    if product.logout and not data.get("logout_uri"):
        with suppress(ValidationError):  # what we can't call stays empty, which the app's page remarks on
            data["logout_uri"] = addresses.check_called(base + product.logout)

"""The form in which staff invite people, one or many: whom, into what, with which words, and for how long."""

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO, StringIO
from itertools import islice
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import groups, profile_fields
from accounts.models import User
from invites.batch import encodings, files, leads, lists, rows
from invites.batch.leads import SEVERAL, Leads
from invites.batch.rows import Row
from invites.models import lifetimes
from kit import plain_line, spans
from kit.each_language import Words
from kit.form import VERBATIM, Form
from kit.long_list import with_separators

MOST = 5000  # people in one list
LARGEST = 1024 * 1024  # bytes of one list
GROUPS_SHOWN = 100  # with a box; others can be named in a column
DAYS = (1, 7, 30)  # for which an invitation may work, by one press


class ComposeForm(Form):
    """A form for whom to invite, as a text or a file, and for what is said to all of them.

    Once it is valid, `lines` holds the Lines that were read, and `remarks` sentences on how they were read.
    """

    pasted = forms.CharField(
        label=gettext_lazy("Addresses"),
        required=False,
        help_text=gettext_lazy("One or many: one a line, or pasted from a spreadsheet with its first row"),
        widget=forms.Textarea(attrs={"rows": 7, **VERBATIM}),
    )
    file = forms.FileField(
        label=gettext_lazy("Or a file"),
        required=False,
        help_text=gettext_lazy(
            "Excel (.xlsx) or CSV in any encoding, up to 5,000 people. Columns we know: email, name, message, "
            "language, group, app, page, expires"
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
    )
    encoding = forms.ChoiceField(
        label=gettext_lazy("Encoding of a CSV file"),
        choices=[("", gettext_lazy("find out")), *encodings.NAMES.items()],
        required=False,
        help_text=gettext_lazy("Choose it only if names looked wrong when you checked the list"),
    )
    note = forms.CharField(
        label=gettext_lazy("A line from you (optional)"),
        required=False,
        help_text=gettext_lazy("Plain text, no links, up to 200 characters"),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language of the mail"),
        choices=[("", gettext_lazy("the site’s language")), *settings.LANGUAGES],
        required=False,
    )
    name = forms.CharField(
        label=gettext_lazy("Name of this list (optional)"),
        required=False,
        help_text=gettext_lazy("Only you see it. It helps you find these people again"),
    )
    groups = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Groups they join"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "invalid_choice": gettext_lazy("A group you chose is gone, or isn’t yours to give. Look at them again")
        },
    )
    app = forms.ChoiceField(
        label=gettext_lazy("App they come for"),
        required=False,
        help_text=gettext_lazy("The mail names it, and they land in it"),
        error_messages={"invalid_choice": gettext_lazy("The app you chose is gone or turned off. Choose again")},
    )
    next = forms.CharField(
        label=gettext_lazy("Or a page (optional)"),
        required=False,
        help_text=gettext_lazy("A page of this site, like /welcome"),
        widget=forms.TextInput(attrs=VERBATIM),
    )
    lifetime = forms.ChoiceField(label=gettext_lazy("How long it works"), required=False, widget=forms.RadioSelect)
    other = forms.CharField(
        label=gettext_lazy("Or another time"),
        required=False,
        help_text=gettext_lazy("Like 36 hours or 2 weeks. It counts before the choice above"),
    )

    remind = forms.BooleanField(required=False, initial=True)

    def __init__(self, by: User, *args: Any, **kwargs: Any) -> None:
        """Makes the form of a member of staff, whose rights say which groups it offers and lets a list name."""
        super().__init__(*args, **kwargs)
        self.leads = Leads.of(by)
        fields: dict[str, Any] = self.fields
        fields["groups"].choices = group_choices(by)
        named = [(app.pk, app.name) for app in self.leads.apps]
        fields["app"].choices = [("", gettext_lazy("None: just an account")), *named]
        fields["lifetime"].choices = lifetime_choices()
        fields["lifetime"].initial = spans.write(lifetimes.default())
        fields["remind"].label = reminders()
        if labels := ", ".join(field.label for field in profile_fields.own()):
            fields["file"].help_text = format_lazy("{}, {}", fields["file"].help_text, labels)
        if not settings.INVITE_REMINDERS:
            del fields["remind"]

    def clean_note(self) -> str:
        """Returns the note on one line. Raises ValidationError if it is too long, has a link or is no plain text."""
        return plain_line.plain(" ".join(self.cleaned_data["note"].split()))

    def clean_name(self) -> str:
        """Returns the name of the list. Raises ValidationError if it is too long or no line of plain text."""
        return plain_line.plain(self.cleaned_data["name"], 100, _("The name"))

    def clean_next(self) -> str:
        """Returns the path, or "". Raises ValidationError if it is not a path of this site."""
        return leads.path(self.cleaned_data["next"])

    def clean_other(self) -> timedelta | None:
        """Returns the length of time that was written, or None. Raises ValidationError as lifetimes.read() does."""
        return lifetimes.read(self.cleaned_data["other"])

    def clean(self) -> dict[str, Any]:
        """Reads the list into `lines`, and returns the cleaned data.

        What is wrong with the list is an error of the field that it came by. A file has to be chosen again whatever is
        wrong, because browsers do not keep it, and that is said.
        """
        by = "file" if self.files.get("file") else "pasted"
        self.choose_lead()
        self.remarks: list[Words] = []
        self.lines: list[lists.Line] = []
        if "file" not in self.errors:
            try:
                self.read(self.raw())
            except ValidationError as error:
                self.add_error(by, error)
        if self.errors and by == "file" and "file" not in self.errors:
            self.add_error("file", _("Choose the file again: it isn’t kept while something else is to be corrected"))
        return self.cleaned_data

    def choose_lead(self) -> None:
        """Notes where all are led whose line does not say it. What is wrong with it becomes an error of its field."""
        app, page = self.cleaned_data.get("app", ""), self.cleaned_data.get("next", "")
        ticked = tuple(self.cleaned_data.get("groups", ()))
        if app and page:
            self.add_error("next", _("Choose an app or a page, not both"))
        try:
            self.into = self.leads.join(self.leads.find(app), ticked)
        except ValidationError as error:
            self.add_error("groups" if error.code == SEVERAL else "app", error)
        else:
            self.leads = self.leads.chosen(app, page, ticked)

    def read(self, raw: bytes) -> None:
        """Reads the Lines of these bytes.

        Raises ValidationError if they name nobody, are more than LARGEST or have more than MOST lines, and if the file
        is of no kind that can be read.
        """
        if len(raw) > LARGEST:
            raise ValidationError(_("The list is larger than 1 MB. Split it, and send its parts one after the other"))
        self.lines = list(islice(lists.read(self.rows(raw), self.leads, self.remarks.append), MOST + 1))
        if len(self.lines) > MOST:
            said = _("The list has more than %(most)s people. Split it, and send its parts one after the other")
            raise ValidationError(said % {"most": with_separators(MOST)})
        if not self.lines:
            raise ValidationError(_("There is nobody in this list"))

    def rows(self, raw: bytes) -> Iterator[Row]:
        """Returns the rows of a file, or of the pasted lines. Raises ValidationError as files.read_rows() does."""
        if self.cleaned_data.get("file"):
            return files.read_rows(BytesIO(raw), self.cleaned_data.get("encoding", ""), self.remarks.append)
        return rows.of_lines(encodings.lines(StringIO(self.cleaned_data["pasted"], newline=None)))

    def raw(self) -> bytes:
        """Returns the bytes of the list; of a file, at most LARGEST + 1.

        Raises ValidationError if both a file and pasted lines came, or neither.
        """
        file, pasted = self.cleaned_data.get("file"), self.cleaned_data.get("pasted", "")
        if file and pasted:
            raise ValidationError(_("Choose a file or paste addresses, not both"))
        if not file and not pasted:
            raise ValidationError(_("Type, paste or upload at least one address"))
        return file.read(LARGEST + 1) if file else pasted.encode("utf-8", "replace")

    @property
    def common(self) -> dict[str, Any]:
        """What the valid form says of everybody, as values of Entry."""
        said = {name: self.cleaned_data[name] for name in ("note", "language", "app", "next")}
        length = self.cleaned_data["other"] or lifetimes.read(self.cleaned_data["lifetime"])
        said |= {"groups": self.into, "chosen": tuple(self.cleaned_data["groups"]), "lifetime": length}
        return said if self.cleaned_data.get("remind", True) else said | {"remind": False}


def group_choices(by: User) -> list[tuple[int, str]]:
    """Returns ids and names of the groups that the person may give; those that grant permissions are marked."""
    offered = list(groups.givable(by).order_by("name").values_list("pk", "name")[:GROUPS_SHOWN])
    grant = set(groups.with_rights().filter(pk__in=[pk for pk, _name in offered]).values_list("pk", flat=True))
    marked = _("%(group)s (gives rights at the desk)")
    return [(pk, marked % {"group": name} if pk in grant else name) for pk, name in offered]


def reminders() -> str:
    """Returns how often the site reminds people, as the label of a box."""
    many = ngettext("Remind them %(count)s time", "Remind them up to %(count)s times", settings.INVITE_REMINDERS)
    if settings.INVITE_REMINDERS == 1:
        return _("Remind them once, 2 days before the end")
    return many % {"count": settings.INVITE_REMINDERS}


def lifetime_choices() -> list[tuple[str, str]]:
    """Returns the lengths of time that are offered, as spans.write() writes them and in words."""
    offered = {timedelta(days=days) for days in DAYS} | {lifetimes.default()}
    within = sorted(length for length in offered if length <= settings.INVITE_MAX_LIFETIME)
    return [(spans.write(length), lifetimes.in_words(length)) for length in within]

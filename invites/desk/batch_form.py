"""The form that takes a list of people to invite, as a file or as pasted lines."""

from collections.abc import Iterator
from io import BytesIO, StringIO
from itertools import islice
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.groups import Groups
from invites.batch import columns, encodings, files, lists, rows
from invites.batch.rows import Row
from invites.models import Batch
from kit import plain_line

MOST = 5000  # people in one list
LARGEST = 1024 * 1024  # bytes of one list


class ListForm(forms.ModelForm):
    """A form for a list: an Excel or CSV file, or pasted lines.

    Once it is valid, `lines` holds the Lines that were read, and `remarks` sentences on how they were read.
    """

    # The groups that the list may name.
    groups: ClassVar[Groups] = lists.NO_GROUPS

    file = forms.FileField(
        label=gettext_lazy("Excel or CSV file"),
        required=False,
        help_text=gettext_lazy(
            "Excel (.xlsx) or CSV in any encoding, up to 5,000 people. Columns we know: email, name, message, "
            "language, page, group, expires; in this order, unless headings name them"
        ),
    )
    encoding = forms.ChoiceField(
        label=gettext_lazy("Encoding of a CSV file"),
        choices=[("", gettext_lazy("find out")), *encodings.NAMES.items()],
        required=False,
        help_text=gettext_lazy("Choose it only if names looked wrong when you checked the list"),
    )
    pasted = forms.CharField(
        label=gettext_lazy("Or paste addresses, one per line"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "cols": 60, "spellcheck": "false", "autocapitalize": "none"}),
    )
    note = forms.CharField(
        label=gettext_lazy("Note (optional)"),
        required=False,
        help_text=gettext_lazy("In the mail to everybody whose line has no message of its own. No links"),
        widget=forms.TextInput(attrs={"size": 60}),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=[("", gettext_lazy("the site’s language")), *settings.LANGUAGES],
        required=False,
    )
    next = forms.CharField(
        label=gettext_lazy("Leads to (optional)"),
        required=False,
        help_text=gettext_lazy("A page of this site, like /account"),
        widget=forms.TextInput(attrs={"size": 60}),
    )

    class Meta:
        model = Batch
        fields = ()

    def clean_note(self) -> str:
        """Returns the note. Raises ValidationError if it is too long, has a link or is not one line of plain text."""
        return plain_line.plain(self.cleaned_data["note"])

    def clean_next(self) -> str:
        """Returns the path, or "". Raises ValidationError if it is not a path of this site."""
        return columns.path(self.cleaned_data["next"])

    def clean(self) -> dict[str, Any]:
        """Reads the list into `lines`, and returns the cleaned data.

        Raises ValidationError if the list names nobody, is larger than LARGEST bytes or has more than MOST lines; if
        the file is of no kind that can be read; and if both a file and pasted lines came, or neither.
        """
        raw = self.raw()
        if len(raw) > LARGEST:
            raise ValidationError(_("The list is larger than 1 MB. Split it, or use manage.py send_invites"))
        self.remarks: list[str] = []
        self.lines = list(islice(lists.read(self.rows(raw), self.groups, self.remarks.append), MOST + 1))
        if len(self.lines) > MOST:
            said = _("The list has more than %(most)s rows. Split it, or use manage.py send_invites")
            raise ValidationError(said % {"most": number_format(MOST, force_grouping=True)})
        if raw and not self.lines:
            raise ValidationError(_("There is nobody in this list"))
        return self.cleaned_data

    def rows(self, raw: bytes) -> Iterator[Row]:
        """Returns the rows of a file, or of the pasted lines. Raises ValidationError as files.read_rows() does."""
        if self.cleaned_data.get("file"):
            return files.read_rows(BytesIO(raw), self.cleaned_data.get("encoding", ""), self.remarks.append)
        return rows.of_lines(encodings.lines(StringIO(self.cleaned_data.get("pasted", ""), newline=None)))

    def raw(self) -> bytes:
        """Returns the bytes of the list; of a file, at most LARGEST + 1.

        Returns b"" if the field of the file has refused it. Raises ValidationError if both a file and pasted lines
        came, or neither.
        """
        file, pasted = self.cleaned_data.get("file"), self.cleaned_data.get("pasted", "")
        if file and pasted:
            raise ValidationError(_("Choose a file or paste addresses, not both"))
        if not file and not pasted:
            if "file" not in self.errors:
                raise ValidationError(_("Choose a file, or paste addresses"))
            return b""
        return file.read(LARGEST + 1) if file else pasted.encode("utf-8", "replace")

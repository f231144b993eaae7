"""The base of the lists of the desk that are searched by how words begin."""

from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit import word_search
from kit.long_list import LongList, means_all, with_separators


class FoundByWords(LongList):
    """A list that is searched by the beginnings of `words`, the expression that its index is made of."""

    words: ClassVar[word_search.Words]
    search_fields = ("email",)  # for Django to show the field; search() finds
    search_help_text = gettext_lazy("The start of a name or address, or @company.com")

    def search(self, request: HttpRequest, queryset: Any, term: str) -> Any:
        """Returns those of `queryset` that word_search.find() finds. If it leaves some out, a message says so.

        For an action on ticked rows it returns all of `queryset`: another search might leave out what was ticked.
        """
        if "action" in request.POST and not means_all(request):
            return queryset
        found, is_whole = word_search.find(queryset, self.words, term)
        request.is_found_whole = is_whole  # type: ignore[attr-defined]  # for response_action()
        if not is_whole and request.method == "GET":
            said = _(
                "Very many fit. Only %(most)s of them were looked at, so some are missing here. Type more of the name "
                "or address."
            )
            self.message_user(request, said % {"most": with_separators(word_search.FOUND)}, messages.WARNING)
        return found

    def response_action(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse | None:
        """Runs the posted action as LongList does; but not on all rows found if the search has left some out.

        Returns None then, with a message that says so.
        """
        if means_all(request) and not getattr(request, "is_found_whole", True):
            said = _(
                "More than %(most)s fit the search, so not all were found. Nothing was done. Type more of the name or "
                "address."
            )
            self.message_user(request, said % {"most": with_separators(word_search.FOUND)}, messages.ERROR)
            return None
        return super().response_action(request, *args, **kwargs)

"""What all pages wear."""

from django.views.decorators.http import require_http_methods

page = require_http_methods(["GET", "HEAD", "POST"])

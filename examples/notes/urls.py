"""The addresses of the notes, all under the path that nginx passes on."""

from django.urls import path

from notes import views

urlpatterns = [
    path("notes/", views.notes, name="notes"),
    path("notes/<uuid:pk>", views.note, name="note"),
    path("notes/webhook", views.webhook),
]

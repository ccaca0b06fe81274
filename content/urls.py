"""The addresses of the articles."""

from django.urls import path

from content import views

app_name = "content"
urlpatterns = [
    path("", views.articles, name="articles"),
    path("<slug:slug>/", views.article, name="article"),
]

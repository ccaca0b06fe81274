"""The addresses of the articles."""

from django.urls import path

from content import feeds, views

app_name = "content"
urlpatterns = [
    path("", views.articles, name="articles"),
    path("feed/", feeds.feed, name="feed"),
    path("search/", views.search, name="search"),
    path("<slug:slug>/", views.article, name="article"),
    path("<slug:slug>/card.png", feeds.card, name="card"),
]

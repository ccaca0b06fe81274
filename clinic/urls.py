"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path

from clinic import views
from content import pages
from content.views import points

urlpatterns = [
    path("", views.home, name="home"),
    path("visit/", views.visit, name="visit"),
    path("articles/", include("content.urls")),
    path("points/", points, name="points"),
    path("privacy/", pages.statement, {"slug": "privacy"}, name="privacy"),
    path("accessibility/", pages.statement, {"slug": "accessibility"}, name="accessibility"),
    path("how-we-write/", pages.statement, {"slug": "how-we-write"}, name="how-we-write"),
    path("corrections/", pages.corrections, name="corrections"),
    path("", include("booking.urls")),
    path("admin/", admin.site.urls),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path(".well-known/security.txt", views.security_txt, name="security-txt"),
]

handler400 = "clinic.views.bad_request"
handler403 = "clinic.views.permission_denied"
handler404 = "clinic.views.not_found"
handler500 = "clinic.views.server_error"

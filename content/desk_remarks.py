"""How staff read what readers say is wrong with a page, and tick off what has been dealt with."""

from django.contrib import admin
from django.http import HttpRequest

from content.remarks import Remark


@admin.register(Remark)
class RemarkAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["page", "sent_at", "is_settled"]
    list_filter = ["is_settled"]
    fields = ["page", "text", "email", "sent_at", "is_settled"]
    readonly_fields = ["page", "text", "email", "sent_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

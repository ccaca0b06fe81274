"""Rows of forms within a page: each control says aloud what its column's heading says to the eye."""

from typing import Any

from django.forms import BaseInlineFormSet, ModelForm


class LabelledFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    def add_fields(self, form: "ModelForm[Any]", index: int | None) -> None:
        super().add_fields(form, index)
        for field in form.fields.values():
            field.widget.attrs.setdefault("aria-label", str(field.label))

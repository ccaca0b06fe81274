"""A person as one request named them; staff merge duplicates, because families share addresses."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Patient(models.Model):
    name = models.CharField(_("name"), max_length=120)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    date_of_birth = models.DateField(
        _("date of birth"), null=True, blank=True, help_text=_("Entered by staff, for people under 18.")
    )
    marketing_consented_at = models.DateTimeField(_("agreed to receive articles"), null=True, blank=True)
    created_at = models.DateTimeField(_("first seen"))

    class Meta:
        verbose_name = _("patient")
        verbose_name_plural = _("patients")
        ordering = ["name", "pk"]
        permissions = [("see_every_patient", "Sees every patient and visit, not only their own")]
        indexes = [models.Index(fields=["email"], name="patient_email")]

    def __str__(self) -> str:
        return self.name

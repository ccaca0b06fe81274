"""A person as one request named them; staff merge duplicates, because families share addresses."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class PatientQuerySet(models.QuerySet["Patient"]):
    def current(self) -> "PatientQuerySet":
        """Without those who were merged into somebody else."""
        away = PatientMerge.objects.standing().filter(merged=models.OuterRef("pk"))
        return self.filter(~models.Exists(away))


class Patient(models.Model):
    name = models.CharField(_("name"), max_length=120)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    date_of_birth = models.DateField(
        _("date of birth"), null=True, blank=True, help_text=_("Entered by staff, for people under 18.")
    )
    marketing_consented_at = models.DateTimeField(_("agreed to receive articles"), null=True, blank=True)
    created_at = models.DateTimeField(_("first seen"))

    objects = PatientQuerySet.as_manager()

    class Meta:
        verbose_name = _("patient")
        verbose_name_plural = _("patients")
        ordering = ["name", "pk"]
        permissions = [
            ("merge_patient", "Can merge two records of one person, and undo it"),
            ("see_every_patient", "Sees every patient and visit, not only their own"),
        ]
        indexes = [models.Index(fields=["email"], name="patient_email")]

    def __str__(self) -> str:
        return self.name or gettext("erased")

    @property
    def initials(self) -> str:
        """P. K. for Parisa Karimi: the first and the last word's letter, the one letter of a name in one word."""
        words = [word for word in self.name.split() if word[0].isalpha()]
        return "\N{NO-BREAK SPACE}".join(f"{word[0].upper()}." for word in [*words[:1], *words[1:][-1:]])

    @property
    def is_erased(self) -> bool:
        """Whether nothing tells any more who this was; every form asks for a name, so nobody else has none."""
        return not self.name


class PatientMergeQuerySet(models.QuerySet["PatientMerge"]):
    def standing(self) -> "PatientMergeQuerySet":
        """Those that were not undone."""
        return self.filter(undone_at=None)


class PatientMerge(models.Model):
    """Two records that staff found to be of one person, and what has to be known to part them again.

    `moved` holds, by the name of the relation, the keys of the rows that went from `merged` to `kept`; `filled` the
    names of fields in which `kept` had nothing and took what `merged` had. The merged record stays as it was.
    """

    kept = models.ForeignKey(Patient, verbose_name=_("kept"), related_name="merges", on_delete=models.PROTECT)
    merged = models.ForeignKey(Patient, verbose_name=_("merged"), related_name="+", on_delete=models.PROTECT)
    moved = models.JSONField(_("moved"))
    filled = models.JSONField(_("filled"))
    merged_at = models.DateTimeField(_("merged at"))
    merged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("merged by"), related_name="+", on_delete=models.PROTECT
    )
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("undone by"),
        related_name="+",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
    )

    objects = PatientMergeQuerySet.as_manager()

    class Meta:
        verbose_name = _("merge of two patients")
        verbose_name_plural = _("merges of patients")
        ordering = ["-merged_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["merged"],
                condition=models.Q(undone_at=None),
                name="patientmerge_into_one_person",
            ),
            models.CheckConstraint(
                condition=~models.Q(kept=models.F("merged")), name="patientmerge_of_two_patients"
            ),
            models.CheckConstraint(
                condition=models.Q(undone_at__isnull=True, undone_by__isnull=True)
                | models.Q(undone_at__isnull=False, undone_by__isnull=False),
                name="patientmerge_undone_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.merged_id} → {self.kept_id}"

"""The pages on which staff show their second factor when they sign in, set it up, and look after it."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from clinic import desk_sessions, limits, second_factor
from clinic.addresses import own_address
from clinic.password_again import PasswordAgainForm

_KEY = "second_factor_key"  # of an app that is being set up, in the session until it has shown a code

Page = Callable[..., HttpResponse]


class OneTimeInput(forms.TextInput):
    """Never shows again what was typed: the next code is another one."""

    def format_value(self, value: Any) -> None:
        return None


class CodeForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=40,
        widget=OneTimeInput(
            attrs={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false", "size": 14}
        ),
        error_messages={"required": gettext_lazy("Type the code.")},
    )

    use_required_attribute = False


class ReplaceForm(CodeForm, PasswordAgainForm):
    """Whoever is at an unlocked screen cannot replace somebody else's second factor."""

    field_order = ["password", "code"]


class SecondFactorSite(AdminSite):
    """Adds the second factor to a site of the admin: nobody has its permission before they have shown it."""

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and second_factor.is_shown(request)

    def get_urls(self) -> list[URLResolver | URLPattern]:
        return [
            path("login/code/", self.after_password(self.second_step), name="second_step"),
            path(
                "login/other/",
                self.after_password(require_POST(self.sign_in_as_other)),
                name="sign_in_as_other",
            ),
            path("second-factor/set-up/", self.after_password(self.set_up), name="second_factor_set_up"),
            path("second-factor/", self.admin_view(require_safe(self.second_factor)), name="second_factor"),
            path(
                "second-factor/codes/",
                self.admin_view(require_POST(self.recovery_codes)),
                name="second_factor_codes",
            ),
            *super().get_urls(),
        ]

    def end_if_over(self, request: HttpRequest) -> None:
        """Signs out whoever was away for too long, or whose second factor was taken away."""
        if not request.user.is_authenticated:
            return
        if second_factor.was_taken_away(request):
            logout(request)
        elif desk_sessions.is_over(request, now=timezone.now()):
            logout(request)
            messages.info(request, _("You were signed out, because nothing happened here for a while."))

    def after_password(self, page: Page) -> Page:
        """For staff who have given their password, and perhaps nothing else yet."""

        @wraps(page)
        @never_cache
        @sensitive_post_parameters()
        def checked(request: HttpRequest) -> HttpResponse:
            self.end_if_over(request)
            if not super(SecondFactorSite, self).has_permission(request):
                return redirect_to_login(_where_to(request), reverse("admin:login"))
            desk_sessions.note_activity(request, now=timezone.now())
            return page(request)

        return checked

    def to_second_step(self, request: HttpRequest, then: str) -> HttpResponse:
        return HttpResponseRedirect(f"{reverse('admin:second_step')}?{urlencode({'next': then})}")

    def second_step(self, request: HttpRequest) -> HttpResponse:
        """Asks for a code after the password; who has no second factor yet sets one up."""
        user, then, now = cast("User", request.user), _where_to(request), timezone.now()
        if self.has_permission(request):
            return HttpResponseRedirect(then)
        if not second_factor.has_one(user):
            return HttpResponseRedirect(
                f"{reverse('admin:second_factor_set_up')}?{urlencode({'next': then})}"
            )
        form = CodeForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            limits.count(limits.SECOND_STEP, request, now=now, names=[str(user.pk)])
            try:
                device = second_factor.check_code(user=user, code=form.cleaned_data["code"])
            except (second_factor.WrongCode, second_factor.WaitFirst) as error:
                form.add_error("code", _says(error))
            else:
                second_factor.note_shown(request, device)
                limits.remember_place(request, user.get_username(), now=now)
                return HttpResponseRedirect(then)
        return self._page(request, "second_step", _("Your code"), form=form, next=then)

    def sign_in_as_other(self, request: HttpRequest) -> HttpResponse:
        """Django's own way out asks for more than a password; this one does not."""
        logout(request)
        return redirect("admin:login")

    def set_up(self, request: HttpRequest) -> HttpResponse:
        """Shows a key to the app and asks for the code it makes of it; the answer is the recovery codes, once."""
        user, then, now = cast("User", request.user), _where_to(request), timezone.now()
        is_first = not second_factor.has_one(user)
        if not is_first and not self.has_permission(request):
            return self.to_second_step(request, then)
        data = request.POST if request.method == "POST" else None
        form = CodeForm(data) if is_first else ReplaceForm(data, request=request)
        if data is not None:
            limits.count(limits.SECOND_STEP, request, now=now, names=[str(user.pk)])
        key = request.session.setdefault(_KEY, second_factor.new_key())
        if form.is_valid():
            try:
                device, codes = second_factor.set_up(
                    user=user, key=key, code=form.cleaned_data["code"].replace(" ", ""), now=now
                )
            except second_factor.WrongCode as error:
                form.add_error("code", _says(error))
            else:
                del request.session[_KEY]
                second_factor.note_shown(request, device)
                limits.remember_place(request, user.get_username(), now=now)
                return self._codes(request, codes, then)
        address = second_factor.address_for_app(user=user, key=key)
        return self._page(
            request,
            "set_up",
            _("Set up your second factor"),
            form=form,
            next=then,
            is_first=is_first,
            qr=second_factor.qr_code(address),
            key=second_factor.key_in_groups(key),
        )

    def second_factor(self, request: HttpRequest) -> HttpResponse:
        """What somebody has, and how to replace it."""
        return self._look_after(request, PasswordAgainForm(request=request))

    def recovery_codes(self, request: HttpRequest) -> HttpResponse:
        """New recovery codes for whoever knows the password; the page is the answer itself, they are kept nowhere."""
        user = cast("User", request.user)
        limits.count(limits.SECOND_STEP, request, now=timezone.now(), names=[str(user.pk)])
        form = PasswordAgainForm(request.POST, request=request)
        if not second_factor.has_one(user):
            return redirect("admin:second_factor_set_up")
        if not form.is_valid():
            return self._look_after(request, form)
        return self._codes(request, second_factor.replace_recovery_codes(user=user), reverse("admin:index"))

    def _look_after(self, request: HttpRequest, form: PasswordAgainForm) -> HttpResponse:
        user = cast("User", request.user)
        return self._page(
            request,
            "second_factor",
            _("Your second factor"),
            form=form,
            has_one=second_factor.has_one(user),
            left=second_factor.recovery_codes_left(user),
        )

    def _codes(self, request: HttpRequest, codes: list[str], then: str) -> HttpResponse:
        return self._page(request, "codes", _("Your recovery codes"), codes=codes, next=then)

    def _page(self, request: HttpRequest, name: str, title: str, **context: Any) -> HttpResponse:
        known = self.each_context(request) | {"title": title}
        return TemplateResponse(request, f"admin/second_factor/{name}.html", known | context)


def _where_to(request: HttpRequest) -> str:
    """The address on our own host that was asked for before signing in, or Today."""
    address = request.POST.get("next") or request.GET.get("next") or ""
    return own_address(request, address) or reverse("admin:index")


def _says(error: Exception) -> str:
    if isinstance(error, second_factor.WaitFirst):
        return _("Some wrong codes came before. Please wait %(seconds)d seconds, then type a new one.") % {
            "seconds": error.seconds
        }
    return _("This code is not right, or it was used before. Wait until the app shows the next one.")

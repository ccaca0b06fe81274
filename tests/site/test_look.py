"""The look: forms as patients and screen readers meet them, pages for when something went wrong, styles."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import brotli  # type: ignore[import-untyped]  # it ships no types
import pytest
from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Div, Field, Fieldset, Layout, Submit
from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.test.html import Element, parse_html

from clinic import views

STYLES = settings.BASE_DIR / "static" / "css"
TEMPLATES = settings.BASE_DIR / "templates"


class AskForm(forms.Form):
    use_required_attribute = False

    name = forms.CharField(
        label="Full name",
        widget=forms.TextInput({"autocomplete": "name"}),
        error_messages={"required": "Enter your full name"},
    )
    phone = forms.CharField(
        label="Phone", help_text="Only if we must call you", required=False, max_length=20
    )
    part = forms.ChoiceField(
        label="Part of the day",
        choices=[("am", "Morning"), ("pm", "Afternoon")],
        widget=forms.RadioSelect,
        help_text="Choose one",
        error_messages={"required": "Choose a part of the day"},
    )
    agree = forms.BooleanField(label="I agree", error_messages={"required": "Tick the box to agree"})

    def clean(self) -> None:
        if self.data.get("phone") == "911":
            self.add_error(None, "Call 911 yourself; do not wait for us")


def one_field(field: forms.Field, data: Mapping[str, object] | None = None) -> str:
    """The pack's HTML for a form with this one field, named `it`."""
    form = type("OneField", (forms.Form,), {"use_required_attribute": False, "it": field})(data)
    return Template("{% load crispy_forms_tags %}{{ form|crispy }}").render(Context({"form": form}))


def with_helper(layout: Layout | None = None, **attributes: object) -> str:
    """The HTML of `{% crispy form %}` for an unbound `AskForm` whose helper has these attributes."""
    form = AskForm()
    form.helper = FormHelper()  # type: ignore[attr-defined] # crispy looks for this name
    for name, value in {"layout": layout, **attributes}.items():
        setattr(form.helper, name, value)  # type: ignore[attr-defined] # as above
    return Template("{% load crispy_forms_tags %}{% crispy form %}").render(
        Context({"form": form, "csrf_token": "a-token"})
    )


def summary(form: forms.Form) -> str:
    return render_to_string("partials/error_summary.html", {"form": form})


def html(text: str) -> Element:
    """The text as a tree: two spellings of the same HTML are equal."""
    return parse_html(text)


ALERT = (TEMPLATES / "partials" / "icons" / "alert.html").read_text(encoding="utf-8")


def at_field(identity: str, words: str) -> str:
    """The error as it must stand at the field `identity`."""
    return f'<p class="error" id="{identity}_error">{ALERT}<span><span class="vh">Error: </span>{words}</span></p>'


# --- Fields -------------------------------------------------------------------------------------------------


def test_a_field_is_label_then_hint_then_control() -> None:
    field = forms.EmailField(label="Email", help_text="For the confirmation")
    assert html(one_field(field)) == html(
        """<div class="field" id="div_id_it"><label for="id_it">Email</label>
        <p class="hint" id="id_it_helptext">For the confirmation</p>
        <input type="email" name="it" maxlength="320" class="emailinput input" aria-describedby="id_it_helptext"
        id="id_it"></div>"""
    )


def test_a_wrong_answer_stays_and_the_error_stands_between_hint_and_control() -> None:
    field = forms.IntegerField(
        label="Age", help_text="In years", localize=True, error_messages={"invalid": "Enter a number"}
    )
    assert html(one_field(field, {"it": "old"})) == html(
        f"""<div class="field is-bad" id="div_id_it"><label for="id_it">Age</label>
        <p class="hint" id="id_it_helptext">In years</p>{at_field("id_it", "Enter a number")}
        <input type="text" name="it" value="old" class="textinput input" aria-invalid="true"
        aria-describedby="id_it_helptext id_it_error" id="id_it"></div>"""
    )


def test_what_may_be_left_out_says_so_and_nothing_else_is_marked() -> None:
    assert html(
        one_field(forms.CharField(label="Note", required=False, widget=forms.Textarea({"rows": 4})))
    ) == html(
        """<div class="field" id="div_id_it"><label for="id_it">Note <span class="opt">(optional)</span></label>
        <textarea name="it" rows="4" cols="40" class="textarea input" id="id_it"></textarea></div>"""
    )


def test_browsers_are_told_what_a_field_is_for() -> None:
    shown = one_field(
        forms.CharField(label="Name", widget=forms.TextInput({"autocomplete": "name", "class": "w-sm"}))
    )
    assert html(shown) == html(
        """<div class="field" id="div_id_it"><label for="id_it">Name</label>
        <input type="text" name="it" autocomplete="name" class="w-sm textinput input" id="id_it"></div>"""
    )


def test_a_list_to_choose_from_keeps_its_choice() -> None:
    field = forms.ChoiceField(label="Language", choices=[("en", "English"), ("fa", "Persian")])
    assert html(one_field(field, {"it": "fa"})) == html(
        """<div class="field" id="div_id_it"><label for="id_it">Language</label>
        <select name="it" class="select input" id="id_it"><option value="en">English</option>
        <option value="fa" selected>Persian</option></select></div>"""
    )


def test_radio_buttons_are_one_group_under_one_legend() -> None:
    field = forms.ChoiceField(
        label="When?",
        help_text="Choose one",
        choices=[("am", "Morning"), ("pm", "Afternoon")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose when"},
    )
    assert html(one_field(field, {"it": ""})) == html(
        f"""<fieldset class="field is-bad" id="div_id_it" aria-describedby="id_it_helptext id_it_error">
        <legend>When?</legend><p class="hint" id="id_it_helptext">Choose one</p>{at_field("id_it", "Choose when")}
        <div class="choice"><input type="radio" name="it" value="am" aria-invalid="true" id="id_it_0">
        <label for="id_it_0">Morning</label></div>
        <div class="choice"><input type="radio" name="it" value="pm" aria-invalid="true" id="id_it_1">
        <label for="id_it_1">Afternoon</label></div></fieldset>"""
    )


def test_tick_boxes_in_named_parts_keep_what_was_ticked() -> None:
    field = forms.MultipleChoiceField(
        label="What applies?",
        required=False,
        choices=[("Needles", [("fear", "Fear of needles")]), ("Skin", [("wound", "A wound")])],
        widget=forms.CheckboxSelectMultiple,
    )
    assert html(one_field(field, {"it": ["wound"]})) == html(
        """<fieldset class="field" id="div_id_it"><legend>What applies? <span class="opt">(optional)</span></legend>
        <div role="group" aria-labelledby="id_it_part0"><p class="part" id="id_it_part0">Needles</p>
        <div class="choice"><input type="checkbox" name="it" value="fear" id="id_it_0_0">
        <label for="id_it_0_0">Fear of needles</label></div></div>
        <div role="group" aria-labelledby="id_it_part1"><p class="part" id="id_it_part1">Skin</p>
        <div class="choice"><input type="checkbox" name="it" value="wound" checked id="id_it_1_0">
        <label for="id_it_1_0">A wound</label></div></div></fieldset>"""
    )


def test_one_tick_box_stands_before_its_words() -> None:
    field = forms.BooleanField(label="I agree", error_messages={"required": "Tick to agree"})
    assert html(one_field(field, {"it": ""})) == html(
        f"""<div class="field is-bad" id="div_id_it">{at_field("id_it", "Tick to agree")}
        <div class="choice"><input type="checkbox" name="it" aria-invalid="true" aria-describedby="id_it_error"
        id="id_it"><label for="id_it">I agree</label></div></div>"""
    )


def test_a_hidden_field_shows_nothing_around_it() -> None:
    assert html(one_field(forms.CharField(widget=forms.HiddenInput, initial="x"))) == html(
        '<input type="hidden" name="it" value="x" id="id_it">'
    )


def test_what_a_person_typed_stays_text() -> None:
    shown = one_field(forms.IntegerField(label="<b>Age</b>"), {"it": "<script>"})
    assert "<script" not in shown
    assert "<b>" not in shown


# --- The error summary --------------------------------------------------------------------------------------


def test_the_summary_names_every_error_once_and_leads_to_its_field() -> None:
    assert html(summary(AskForm({"phone": "911"}))) == html(
        """<div class="errors" id="errors" tabindex="-1" autofocus><div role="alert"><h2>There is a problem</h2><ul>
        <li>Call 911 yourself; do not wait for us</li>
        <li><a href="#id_name">Enter your full name</a></li>
        <li><a href="#id_part_0">Choose a part of the day</a></li>
        <li><a href="#id_agree">Tick the box to agree</a></li></ul></div></div>"""
    )


def test_every_link_of_the_summary_has_its_field_and_every_error_the_same_words_there() -> None:
    form = AskForm({"name": ""})
    fields = Template("{% load crispy_forms_tags %}{{ form|crispy }}").render(Context({"form": form}))
    links = re.findall(r'<a href="#([^"]+)">([^<]+)</a>', summary(form))
    assert [words for _, words in links] == re.findall(r'class="vh">Error: </span>([^<]+)</span>', fields)
    assert [target for target, _ in links if f' id="{target}"' not in fields] == []


def test_an_error_in_grouped_radio_buttons_leads_to_the_first_of_them() -> None:
    class Grouped(forms.Form):
        time = forms.ChoiceField(choices=[("Morning", [("9", "9 am")])], widget=forms.RadioSelect)

    assert '<a href="#id_time_0_0">' in summary(Grouped({"time": ""}))


def test_an_error_of_a_hidden_field_is_told_without_a_link() -> None:
    class Hidden(forms.Form):
        step = forms.IntegerField(widget=forms.HiddenInput, error_messages={"invalid": "Start again"})

    assert "<li>Start again</li>" in summary(Hidden({"step": "x"}))


@pytest.mark.parametrize("form", [AskForm(), AskForm({"name": "Ann", "part": "am", "agree": "on"})])
def test_there_is_no_summary_without_an_error(form: forms.Form) -> None:
    assert summary(form).strip() == ""


def test_crispys_own_filter_for_errors_gives_the_same_summary() -> None:
    form = AskForm({"phone": "911"})
    shown = Template("{% load crispy_forms_tags %}{{ form|as_crispy_errors }}").render(
        Context({"form": form})
    )
    assert html(shown) == html(summary(form))


# --- Whole forms --------------------------------------------------------------------------------------------


def test_both_ways_to_show_a_form_give_the_same_fields() -> None:
    plain = Template("{% load crispy_forms_tags %}{{ form|crispy }}").render(Context({"form": AskForm()}))
    assert html(with_helper(form_tag=False, disable_csrf=True)) == html(plain)


def test_a_form_with_its_own_tag_is_posted_safely_and_checked_by_us_not_by_the_browser() -> None:
    shown = with_helper(form_class="form", inputs=[Submit("send", "Send my request")])
    opening = re.search(r"<form[^>]*>", shown)
    assert opening is not None
    assert html(opening[0] + "</form>") == html('<form novalidate method="post" class="form"></form>')
    assert '<input type="hidden" name="csrfmiddlewaretoken" value="a-token">' in shown
    assert html(shown[shown.index('<p class="actions">') : shown.index("</form>")]) == html(
        """<p class="actions"><button type="submit" name="send" value="Send my request" id="submit-id-send"
        class="btn">Send my request</button></p>"""
    )
    assert "required" not in shown


def test_a_layout_keeps_its_order_and_its_classes() -> None:
    layout = Layout(
        Fieldset("About you", Field("name", css_class="w-sm", wrapper_class="first")),
        HTML("<p>A word between</p>"),
        Div("phone", css_class="two"),
        Submit("send", "Continue", css_class="btn--sm"),
    )
    assert html(with_helper(layout, form_tag=False, disable_csrf=True)) == html(
        """<fieldset class="group"><legend class="part mid">About you</legend>
        <div class="field first" id="div_id_name"><label for="id_name">Full name</label>
        <input type="text" name="name" autocomplete="name" class="w-sm textinput input" id="id_name"></div></fieldset>
        <p>A word between</p>
        <div class="two"><div class="field" id="div_id_phone">
        <label for="id_phone">Phone <span class="opt">(optional)</span></label>
        <p class="hint" id="id_phone_helptext">Only if we must call you</p>
        <input type="text" name="phone" maxlength="20" class="textinput input" aria-describedby="id_phone_helptext"
        id="id_phone"></div></div>
        <button type="submit" name="send" value="Continue" id="submit-id-send" class="btn btn--sm">Continue</button>"""
    )


def test_the_steps_say_where_one_is_in_words() -> None:
    shown = render_to_string("partials/step.html", {"step": 2, "steps": 4})
    assert shown.count("<circle") == 4
    assert shown.count('class="on"') == 2
    assert "Step 2 of 4" in shown


def booking_page(form: forms.Form | None) -> str:
    page = (
        '{% extends "booking/base.html" %}{% block title %}Your details{% endblock %}'
        "{% block booking %}<h1>Your details</h1>{% endblock %}"
    )
    request = RequestFactory().get("/")
    return Template(page).render(
        Context({"form": form, "clinic": settings.CLINIC, "request": request, "back_url": "/before/"})
    )


def test_a_page_with_an_error_says_so_in_its_title_and_above_its_heading() -> None:
    shown = booking_page(AskForm({"name": ""}))
    assert f"<title>Error: Your details – {settings.CLINIC.name}</title>" in shown
    assert shown.index('class="errors"') < shown.index("<h1>")


def test_a_booking_page_without_error_keeps_its_plain_title_the_phone_and_the_way_back() -> None:
    shown = booking_page(AskForm())
    assert f"<title>Your details – {settings.CLINIC.name}</title>" in shown
    assert 'class="errors"' not in shown
    assert f'href="{settings.CLINIC.phone_uri}"' in shown[: shown.index("<main")]
    assert '<a class="back" href="/before/">' in shown
    assert '<meta name="robots" content="noindex">' in shown


# --- Pages --------------------------------------------------------------------------------------------------


def page_of_error(status: int) -> HttpResponse:
    """The page that visitors get with this status; made without a database, as all of this module."""
    request = RequestFactory().get("/somewhere/")
    answers: dict[int, Callable[[HttpRequest], HttpResponse]] = {
        400: lambda request: views.bad_request(request, SuspiciousOperation()),
        403: lambda request: views.permission_denied(request, PermissionDenied()),
        404: lambda request: views.not_found(request, Http404()),
        500: views.server_error,
    }
    return answers[status](request)


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_when_something_went_wrong_there_is_a_phone_number_a_way_home_and_help(status: int) -> None:
    answer = page_of_error(status)
    page = answer.content.decode()
    main = page[page.index("<main") : page.index("</main>")]
    assert answer.status_code == status
    assert main.count("<h1>") == 1
    assert f'href="{settings.CLINIC.phone_uri}"' in main
    assert '<a href="/">Go to the home page</a>' in main
    assert '<a href="tel:911">911</a>' in page


def test_a_form_open_for_too_long_says_what_to_do_and_that_nothing_was_sent() -> None:
    answer = views.csrf_failure(RequestFactory().post("/book/"), reason="CSRF cookie not set.")
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "Your form was open for too long" in page
    assert "Nothing was sent." in page
    assert "Go back: what you typed is still on the page before this one." in page
    assert "CSRF" not in page


def home(**context: object) -> str:
    everything: dict[str, object] = {"articles": [], "visit_types": [], "practitioners": [], **context}
    return render_to_string("home.html", everything, RequestFactory().get("/"))


def visit_type(*, fee: Decimal | None) -> SimpleNamespace:
    return SimpleNamespace(name="First visit", summary="Questions and treatment.", minutes=60, fee=fee)


@pytest.mark.parametrize(
    ("fee", "shown"), [(Decimal("115.00"), "$115"), (Decimal("82.50"), "$82.50"), (None, "Ask us")]
)
def test_home_states_each_fee_or_asks_to_ask(fee: Decimal | None, shown: str) -> None:
    page = home(visit_types=[visit_type(fee=fee)])
    assert re.findall(r"<tr><th scope=\"row\">(.*?)</th><td>(.*?)</td></tr>", page) == [
        ("<b>First visit</b>60 minutes. Questions and treatment.", shown)
    ]


def test_home_says_plainly_who_is_only_a_sample() -> None:
    sample = SimpleNamespace(name="Sample practitioner", title="R. Ac", languages="English", is_sample=True)
    real = SimpleNamespace(name="Ann Lee", title="", languages="", is_sample=False)
    assert home(practitioners=[sample, real]).count("A sample: the clinic has still to enter its own.") == 1
    assert "A sample" not in home(practitioners=[real])


def test_home_leads_to_the_urgent_signs_before_anything_else() -> None:
    article = SimpleNamespace(
        title="When back pain needs urgent care",
        slug="when-back-pain-needs-urgent-care",
        summary="The signs.",
        get_absolute_url="/articles/when-back-pain-needs-urgent-care/",
    )
    page = home(articles=[article])
    assert page.index(
        '<a href="/articles/when-back-pain-needs-urgent-care/">Check the signs</a>'
    ) < page.index("<h2")


def test_home_keeps_to_what_the_college_lets_an_acupuncturist_say() -> None:
    words = re.sub(r"<[^>]+>", " ", home(visit_types=[visit_type(fee=None)])).lower()
    forbidden = (
        r"\b(?:best|leading|top|experts?|specialis\w+|licensed|dr)\b"
        r"|\b(?:cure[sd]?|heals?|guarantee\w*|painless|proven|safe)\b"
    )
    assert re.findall(forbidden, words) == []


PAGES: dict[str, Callable[[], str]] = {
    "home": home,
    "booking": lambda: booking_page(AskForm()),
    "not found": lambda: str(page_of_error(404).content, "utf-8"),
}


@pytest.mark.parametrize("name", PAGES)
def test_every_page_has_a_skip_link_the_clinics_name_and_its_phone_in_the_header(name: str) -> None:
    page = PAGES[name]()
    header = page[page.index("<body>") : page.index("<main")]
    assert '<a class="skip" href="#main">Skip to main content</a>' in header
    assert '<main id="main" tabindex="-1">' in page
    assert settings.CLINIC.name in header
    assert f'href="{settings.CLINIC.phone_uri}"' in header


@pytest.mark.parametrize("name", ["home", "not found"])
def test_a_visit_can_be_booked_from_the_header(name: str) -> None:
    page = PAGES[name]()
    assert '<a class="btn btn--sm" href="/book/">Book a visit</a>' in page[: page.index("<main")]


# --- What the content security policy, right-to-left pages and old browsers need --------------------------------


def every(root: Path, pattern: str, *, but: str = "") -> list[Path]:
    return sorted(path for path in root.rglob(pattern) if not but or but not in path.as_posix())


@pytest.mark.parametrize("path", every(TEMPLATES, "*.html", but="/mail/"), ids=lambda path: path.name)
def test_no_template_has_script_or_style_of_its_own(path: Path) -> None:
    found = re.findall(
        r"<style\b|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:|<script(?![^>]*\bsrc=)[^>]*>|\|\s*safe\b",
        path.read_text(encoding="utf-8"),
    )
    assert found == []


@pytest.mark.parametrize("path", every(STYLES, "*.css"), ids=lambda path: path.name)
def test_styles_know_no_left_and_right(path: Path) -> None:
    rules = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert re.findall(r"\b(?:left|right)\b|-(?:top|bottom)\b|(?<![\w-])(?:top|bottom)\s*:", rules) == []


@pytest.mark.parametrize("name", ["site.css", "booking.css", "home.css", "points.css"])
def test_styles_stay_within_what_browsers_of_2022_read(name: str) -> None:
    rules = (STYLES / name).read_text(encoding="utf-8")
    assert re.findall(r"&|color-mix|@container|@scope|@import|url\(", rules) == []
    assert rules.count("{") == rules.count("}")


def test_the_stylesheet_of_every_page_is_small() -> None:
    assert len(brotli.compress((STYLES / "site.css").read_bytes())) <= 6_500


# --- Contrast (WCAG 2.2, 1.4.3 and 1.4.11), from the colours in the file -----------------------------------------


def colours() -> dict[str, dict[str, str]]:
    """Colour tokens by theme; dark has light's where it says nothing else."""
    rules = (STYLES / "site.css").read_text(encoding="utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", rules, re.DOTALL)[:2]
    token = re.compile(r"--([\w-]+): (#[0-9a-f]{3}(?:[0-9a-f]{3})?);")
    return {
        "light": dict(token.findall(light)),
        "dark": dict(token.findall(light)) | dict(token.findall(dark)),
    }


def luminance(colour: str) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2)."""
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 to 21 (WCAG 2.2)."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


GROUNDS = ("bg", "surface", "tint", "tint-2")
TEXT_PAIRS = [
    *((text, ground) for text in ("ink", "ink-2", "brand", "brand-2") for ground in GROUNDS),
    *((text, "point-soft") for text in ("ink", "ink-2", "brand")),
    ("danger", "bg"),
    ("danger", "surface"),
    ("on-fill", "fill"),
    ("on-fill", "fill-2"),
    ("on-fill", "danger-fill"),
    ("bg", "ok"),
    ("on-point", "point"),
    ("on-deep", "deep"),
    ("on-deep-2", "deep"),
    ("brand", "glaze"),
]
EDGE_PAIRS = [
    *((edge, ground) for edge in ("edge", "brand", "ink") for ground in ("bg", "surface", "tint")),
    ("fill", "bg"),
    ("fill", "surface"),
]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_can_be_read(theme: str) -> None:
    token = colours()[theme]
    ratios = {pair: contrast(token[pair[0]], token[pair[1]]) for pair in TEXT_PAIRS}
    assert {pair: round(ratio, 2) for pair, ratio in ratios.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_edges_of_all_controls_can_be_seen(theme: str) -> None:
    token = colours()[theme]
    ratios = {pair: contrast(token[pair[0]], token[pair[1]]) for pair in EDGE_PAIRS}
    assert {pair: round(ratio, 2) for pair, ratio in ratios.items() if ratio < 3} == {}

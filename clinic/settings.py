"""Every setting of the project: the environment it reads, the choices made, and what production insists on."""

from collections.abc import Container
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from clinic.profile import ClinicProfile

BASE_DIR = Path(__file__).resolve().parent.parent

# --- The environment, typed; every default is safe for `make run` on a laptop -------------------------------

env = environ.Env(
    PRODUCTION=(bool, False),
    DATA_DIR=(str, str(BASE_DIR / ".data")),
    SECRET_KEY=(str, ""),
    ALLOWED_HOSTS=(list, []),
    SITE_URL=(str, ""),
    PORT=(int, 8000),
    DATABASE_URL=(str, ""),
    EMAIL_URL=(str, ""),
    DEFAULT_FROM_EMAIL=(str, ""),
    STAFF_EMAIL=(str, ""),
    TRUSTED_PROXY=(bool, False),
    LIMITS_TIMES=(int, 1),
    QUICKEST_SEND=(float, 2),
    TEMPLATE_DEBUG=(bool, False),
    CLINIC_NAME=(str, "Richmond Hill Acupuncture Pro"),
    CLINIC_PHONE=(str, "905-555-0100"),
    CLINIC_ADDRESS=(str, "Richmond Hill, Ontario (sample address)"),
    CLINIC_HOURS=(str, "Monday to Friday, 9 am to 6 pm"),
    CLINIC_OPENING_HOURS=(str, ""),
    CLINIC_PRIVACY_CONTACT=(str, "the clinic's privacy contact"),
)

PRODUCTION: bool = env("PRODUCTION")
DATA_DIR = Path(env("DATA_DIR")).resolve()
PORT: int = env("PORT")

if PRODUCTION:
    _required = (
        "SECRET_KEY",
        "ALLOWED_HOSTS",
        "SITE_URL",
        "DATABASE_URL",
        "EMAIL_URL",
        "DEFAULT_FROM_EMAIL",
        "STAFF_EMAIL",
        "CLINIC_PHONE",
        "CLINIC_ADDRESS",
        "CLINIC_PRIVACY_CONTACT",
    )
    _missing = [name for name in _required if not env.str(name, default="").strip()]
    if _missing:
        raise ImproperlyConfigured(f"Production needs these environment variables: {', '.join(_missing)}")
    if not env("SITE_URL").startswith("https://"):
        raise ImproperlyConfigured("Production needs SITE_URL to start with https://")
else:
    DATA_DIR.mkdir(parents=True, exist_ok=True)

DEBUG = (
    False  # error pages, caching and file names are the same everywhere, so what was looked at is what runs
)
SECRET_KEY: str = env("SECRET_KEY") or "development-only: production refuses to start without its own"
SITE_URL: str = (env("SITE_URL") or f"http://127.0.0.1:{PORT}").rstrip("/")
ALLOWED_HOSTS: list[str] = env("ALLOWED_HOSTS") or ["127.0.0.1", "localhost", "[::1]"]

CLINIC = ClinicProfile(
    name=env("CLINIC_NAME"),
    phone=env("CLINIC_PHONE"),
    email=env("STAFF_EMAIL") or "desk@clinic.invalid",
    address=env("CLINIC_ADDRESS"),
    hours=env("CLINIC_HOURS"),
    # For machines; the sample hours may be guessed, an owner's words may not.
    opening_hours=env("CLINIC_OPENING_HOURS")
    or ("" if "CLINIC_HOURS" in env.ENVIRON else "Mo-Fr 09:00-18:00"),
    privacy_contact=env("CLINIC_PRIVACY_CONTACT"),
)

# --- The application ----------------------------------------------------------------------------------------

ROOT_URLCONF = "clinic.urls"
WSGI_APPLICATION = "clinic.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "clinic.apps.ClinicConfig",
    "clinic.apps.DeskConfig",
    "booking",
    "content",
    "crispy_forms",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
]

MIDDLEWARE = [
    "clinic.headers.HeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "clinic.headers.RefusalMiddleware",
    "clinic.public_pages.KeptPageMiddleware",  # whatever may once choose a language stands above it
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "clinic.busy.BusyMiddleware",
    "clinic.limits.LimitsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "debug": env("TEMPLATE_DEBUG"),  # for measuring which template lines the tests reach
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "clinic.context.clinic",
            ],
        },
    },
]

CRISPY_TEMPLATE_PACK = "clinic_forms"
CRISPY_ALLOWED_TEMPLATE_PACKS = ("clinic_forms",)
CRISPY_FAIL_SILENTLY = False

# --- Data ---------------------------------------------------------------------------------------------------

_database: dict[str, Any] = env.db_url_config(
    env("DATABASE_URL") or f"sqlite:///{DATA_DIR / 'clinic.sqlite3'}"
)
if _database["ENGINE"] == "django.db.backends.sqlite3":
    # Every transaction takes the write lock when it begins: a read-then-write can neither deadlock nor fail
    # half way. WAL lets readers go on meanwhile; FULL loses nothing acknowledged when the power goes.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
    }
    _database["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}  # a file: threads and processes share it
else:
    _database["CONN_HEALTH_CHECKS"] = True
_database["CONN_MAX_AGE"] = 60
DATABASES = {"default": _database}

# Of each worker's own memory; a stamp that all workers of the machine read tells when pages have changed.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "pages": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "pages"},
}
PAGES_STAMP = DATA_DIR / "pages.stamp"

SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 12 * 60 * 60
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- Language and time --------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-ca"
LANGUAGES = [("en-ca", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "America/Toronto"
USE_TZ = True

# --- Files --------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / ".static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Mail ---------------------------------------------------------------------------------------------------

EMAIL_TIMEOUT = 10  # seconds; Django's default waits for ever on a silent server
if env("EMAIL_URL"):
    vars().update(env.email_url("EMAIL_URL"))
else:
    EMAIL_BACKEND = "clinic.mail.FolderBackend"
    EMAIL_FILE_PATH = str(DATA_DIR / "mails")
DEFAULT_FROM_EMAIL: str = env("DEFAULT_FROM_EMAIL") or "Richmond Hill Acupuncture Pro <desk@clinic.invalid>"
SERVER_EMAIL = DEFAULT_FROM_EMAIL
SMS_SENDER = "clinic.sms.ConsoleSender"  # nothing sends text messages yet; clinic/sms.py says how to add them

# --- Accounts -----------------------------------------------------------------------------------------------

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 15},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "clinic.passwords.FilledUpPasswordValidator"},
]
LOGIN_URL = "admin:login"
WITHOUT_SECOND_FACTOR: Container[str] = () if PRODUCTION else ("desk",)  # a laptop's demo account
OTP_TOTP_ISSUER: str = CLINIC.name  # as authenticator apps list it

# --- Security -----------------------------------------------------------------------------------------------

# The policy is one static string, so that pages can be cached; the names are those of Django 6's SECURE_CSP.
SECURE_CSP = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "manifest-src": ["'self'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"  # `no-referrer` makes browsers send `Origin: null`, which CSRF refuses
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CSRF_FAILURE_VIEW = "clinic.views.csrf_failure"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "session", "csrf"

DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024  # bytes; the longest honest form is a fraction of it
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
TRUSTED_PROXY: bool = env("TRUSTED_PROXY")  # a proxy of ours writes X-Forwarded-For and X-Forwarded-Proto
LIMITS_TIMES: int = env("LIMITS_TIMES")  # a far larger clinic multiplies every number of clinic/limits.py
QUICKEST_SEND: float = env("QUICKEST_SEND")  # seconds from one's details to sending; nobody reads faster

if PRODUCTION:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    SECURE_HSTS_SECONDS = 2 * 365 * 24 * 60 * 60
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    if TRUSTED_PROXY:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Logs: what happened and where, never what a person typed -----------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "clinic.logs.WithoutMessages",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        }
    },
    "filters": {"no tokens": {"()": "clinic.redaction.TokenFilter"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["no tokens"]}
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "django.security.DisallowedHost": {"handlers": [], "propagate": False},
    },
}

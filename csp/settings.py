"""Every setting of CSP, read from the environment once, loudly where something is missing.

Development means *embedded engines*: no DATABASE_URL of one's own, started by `./run`. Everything else is production
and must bring its secrets. Each name that an operator may set is listed in docs/operator.md.
"""

import base64
import hashlib
import ipaddress
import os
import secrets
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent


def text(name: str, default: str = "") -> str:
    """The variable NAME, or the contents of the file that NAME_FILE points at (for mounted secrets)."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(
                f"{name}_FILE points at {path}, which cannot be read: {error.strerror}."
            ) from error
    return os.environ.get(name) or default  # set to nothing, as compose files do, is not set


def flag(name: str, *, default: bool) -> bool:
    value = text(name, "1" if default else "0").lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off", ""}:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}; use 1 or 0.")


def number(name: str, default: int) -> int:
    value = text(name, str(default))
    try:
        return int(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is {value!r}; use a whole number.") from error


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def networks(name: str, default: str = "") -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    try:
        return [ipaddress.ip_network(word, strict=False) for word in words(name, default)]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}. Write addresses or networks such as 10.1.0.0/16.") from error


# csp/run sets CSP_EMBEDDED=1 beside the sockets of the engines that it started.
DEVELOPMENT = flag("CSP_EMBEDDED", default=False)
DEBUG = False  # our own error pages say what to do; a traceback shown to a browser is a leak
DEMO = flag("CSP_DEMO_DATABASE", default=False)  # the database is the demonstration's; every page says so

# ---------------------------------------------------------------- secrets and addresses

DATA_DIR = Path(text("CSP_DATA_DIR") or BASE_DIR / ".state")


SECRETS = ("SECRET_KEY", "CSP_MASTER_KEY", "CSP_SEAL_KEY")


def secret(name: str) -> str:
    """A secret from the environment; in development one that is made once and kept beside the data."""
    value = text(name)
    if value:
        return value
    if not DEVELOPMENT:
        missing = [each for each in SECRETS if not text(each)]
        raise ImproperlyConfigured(
            f"Not set: {', '.join(missing)}. Production needs each, as a variable or as a file named by NAME_FILE."
        )
    path = DATA_DIR / "secrets" / name.lower()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        # Two processes may start at once: the file gets its name when it is whole, and the first one's counts.
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text()


SECRET_KEY = secret("SECRET_KEY")
# Wraps the key of every stored file and mail source (csp.privacy); any string of 32 characters or more.
MASTER_KEY = hashlib.sha256(secret("CSP_MASTER_KEY").encode()).digest()
# Signs references in mail addresses and links; apart from SECRET_KEY so that either can be changed alone.
LINK_KEY = base64.urlsafe_b64encode(hashlib.sha256(b"link:" + SECRET_KEY.encode()).digest())

# Signs the checkpoints of the trail (csp.sealing); whoever verifies has the public half.
SEAL_KEY = hashlib.sha256(b"seal:" + secret("CSP_SEAL_KEY").encode()).digest()
# What was erased, by numbers alone: must outlive the database, since a restored one has to be erased again.
ERASURE_LEDGER_DIR = Path(text("CSP_ERASURE_LEDGER_DIR") or DATA_DIR / "erasures")
CHECKPOINT_DIR = Path(text("CSP_CHECKPOINT_DIR") or DATA_DIR / "checkpoints")
CHECKPOINT_MAIL = words("CSP_CHECKPOINT_MAIL")

SITE_URL = text("CSP_SITE_URL", "http://localhost:8000").rstrip("/")
SITE_HOST = SITE_URL.split("://", 1)[-1].split("/", 1)[0].rsplit(":", 1)[0]
ALLOWED_HOSTS = words("CSP_ALLOWED_HOSTS") or (
    [SITE_HOST, "localhost", "127.0.0.1", "[::1]"] if DEVELOPMENT else [SITE_HOST]
)
CSRF_TRUSTED_ORIGINS = [SITE_URL]
USE_HTTPS = SITE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = USE_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^health/"]  # asked by the machine itself, behind the proxy
SECURE_HSTS_SECONDS = 31_536_000 if USE_HTTPS else 0
if flag("CSP_BEHIND_PROXY", default=False):  # a proxy that sets this header itself and drops a visitor's own
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Whether other hosts of this domain speak HTTPS alone is for its owner to say, at the proxy.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# ---------------------------------------------------------------- the application

INSTALLED_APPS = [
    "csp",
    "tickets",
    "feedback",
    "training",
    "audits",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "simple_history",
    "django_htmx",
    "template_partials",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.browser_policy.PolicyMiddleware",
    "csp.middleware.SourceMiddleware",
    "csp.middleware.ErasedAgain",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "csp.middleware.BodyLimit",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "csp.middleware.SessionLimits",
    "csp.middleware.PersonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
]

# The API: JSON alone, by token alone; every view states the rest (csp.api).
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNICODE_JSON": False,  # half of a surrogate pair, sent by anybody, is said again in an error
}
SPECTACULAR_SETTINGS = {
    "TITLE": "CSP",
    "DESCRIPTION": "Tickets, their clocks and what is said in them. Ask with `Authorization: Bearer csp_…`.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
}

ROOT_URLCONF = "csp.urls"
WSGI_APPLICATION = "csp.wsgi.application"
ASGI_APPLICATION = "csp.asgi.application"
AUTH_USER_MODEL = "csp.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "csp.access.TableBackend"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.places.shell",
                "tickets.views.frame.next_up",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "csp.templatetags.charts",
                "csp.templatetags.clocks",
                "csp.templatetags.components",
                "csp.templatetags.conversation",
            ],
        },
    }
]

# Form fields are drawn by templates/django/forms, widgets by Django's own templates.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
ORGANISATION = text("CSP_ORGANISATION", "Lakeside Home" if DEMO else "")  # the name beside the mark on every page

# ---------------------------------------------------------------- what browsers are told

# Named as in Django 6; set on every answer by csp.browser_policy. Mail HTML is framed from our own address: frame-src.
SECURE_CSP = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "frame-src": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}
SECURE_REFERRER_POLICY = "same-origin"
LARGEST_BODY = 30 * 1024 * 1024  # bytes of one request; files are at most 20 MB together
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"

# ---------------------------------------------------------------- signing in

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
PROXIES = number("CSP_PROXIES", 0)  # how many proxies of our own stand in front and add to X-Forwarded-For
REQUIRE_SECOND_FACTOR = flag("CSP_REQUIRE_SECOND_FACTOR", default=False)
LOCK_OUT_MINUTES = 15

SESSION_ENGINE = "csp.sessions"
SESSION_IDLE = timedelta(minutes=number("CSP_SESSION_IDLE_MINUTES", 4 * 60))
SESSION_LONGEST = timedelta(minutes=number("CSP_SESSION_LONGEST_MINUTES", 12 * 60))
SESSION_COOKIE_AGE = int(SESSION_LONGEST.total_seconds())
SESSION_COOKIE_SAMESITE = "Lax"
# Limits of tries and used codes are counted in the database: they hold for all processes, and when Redis is down.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "csp_cache"}}

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "name"]},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 24 * 3600

ACCOUNT_ADAPTER = "csp.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # administrators give the addresses; the invitation proves them
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # strangers get no mail from us, and the page says the same either way
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
# Tries at the sign-in are counted by django-axes; "login_failed" is what allauth counts codes of second factors under.
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "10/15m/key"}
ACCOUNT_FORMS = {
    "login": "csp.forms.SignIn",
    "reset_password": "csp.forms.AskForLink",
    "reset_password_from_key": "csp.forms.SetPassword",
    "change_password": "csp.forms.ChangePassword",
    "reauthenticate": "csp.forms.ProveAgain",
}
MFA_ADAPTER = "csp.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["webauthn", "totp", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"  # a passkey is two factors: the device, and what opens it
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEVELOPMENT  # http://localhost
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_TOLERANCE = 1
MFA_FORMS = {
    "authenticate": "csp.forms.Code",
    "reauthenticate": "csp.forms.CodeAgain",
    "activate_totp": "csp.forms.TurnOn",
    "add_webauthn": "csp.forms.AddPasskey",
}

AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=LOCK_OUT_MINUTES)
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # nobody can keep somebody else out by trying on
AXES_USERNAME_FORM_FIELD = "email"
AXES_CLIENT_IP_CALLABLE = "csp.middleware.address_of"
AXES_LOCKOUT_CALLABLE = "csp.middleware.too_many_tries"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "email", "login", "password", "csrfmiddlewaretoken"]
AXES_VERBOSE = False
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False

# ---------------------------------------------------------------- mail

# The domain in our Message-IDs, and the sender where no mailbox is set up yet.
MAIL_DOMAIN = text("CSP_MAIL_DOMAIN", SITE_HOST)
DEFAULT_FROM_EMAIL = text("CSP_DEFAULT_FROM", f"csp@{MAIL_DOMAIN}")
EMAIL_HOST = text("EMAIL_HOST", "localhost")
EMAIL_PORT = number("EMAIL_PORT", 25)
EMAIL_HOST_USER = text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = flag("EMAIL_USE_TLS", default=False)
EMAIL_USE_SSL = flag("EMAIL_USE_SSL", default=False)
EMAIL_TIMEOUT = 10

# Mail servers whose Received lines we believe (their names as they write them), for the time of receipt.
TRUSTED_RELAYS = words("CSP_TRUSTED_RELAYS")
# Servers whose Authentication-Results and spam marks we believe, by the name that they give there.
TRUSTED_CHECKERS = words("CSP_TRUSTED_CHECKERS")
MAIL_LIMIT = number("CSP_MAIL_LIMIT", 35 * 1024 * 1024)  # bytes of one message that the mail door takes
MAIL_FLOOD = number("CSP_MAIL_FLOOD", 30)  # messages of one sender within an hour; what is beyond waits unsorted
MAIL_DOOR_HOST = text("CSP_MAIL_DOOR_HOST", "127.0.0.1")
MAIL_DOOR_PORT = number("CSP_MAIL_DOOR_PORT", 2525)
MAIL_DOOR_PER_ADDRESS = number("CSP_MAIL_DOOR_PER_ADDRESS", 20)  # connections at once; as many as Postfix opens
MAIL_DOOR_UNLIMITED = networks("CSP_MAIL_DOOR_UNLIMITED", "127.0.0.0/8,::1")  # our own mail server in front
MAIL_DOOR_LONGEST = number("CSP_MAIL_DOOR_LONGEST_SECONDS", 600)  # that one connection lasts, whatever it does
SINK_PORT = number("CSP_SINK_PORT", 2526)  # of the demonstration, for what it sends to customers

# ---------------------------------------------------------------- data

DATABASES = {
    "default": dj_database_url.parse(
        text("DATABASE_URL", "postgres://csp@localhost/csp"), conn_max_age=60, conn_health_checks=True
    )
}
# To compile a query takes longer than to run any of ours. Nobody waits for a lock for ever, and a process that hangs in
# a transaction gives its locks back. A mail server may be slow to each of many recipients, and the outbox holds its
# row's lock meanwhile.
DATABASES["default"].setdefault("OPTIONS", {}).setdefault(
    "options", "-c lock_timeout=20s -c idle_in_transaction_session_timeout=10min -c jit=off"
)
DATABASES["default"]["ATOMIC_REQUESTS"] = False  # raw input is landed and committed before it is understood
REDIS_URL = text("REDIS_URL", "redis://localhost:6379/0")

# ---------------------------------------------------------------- time and words

USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = ["csp.formats"]
LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", _("English")), ("de", _("German"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True

# ---------------------------------------------------------------- files

STATIC_URL = "/static/"
STATIC_ROOT = Path(text("CSP_STATIC_ROOT") or BASE_DIR / "staticfiles")
STATICFILES_DIRS = [BASE_DIR / "static"]
# In production names carry their digest and are kept for ever; in development files are read where they lie.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEVELOPMENT
        else "csp.statics.HashedStorage"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEVELOPMENT
WHITENOISE_MAX_AGE = 0 if DEVELOPMENT else 60

# ---------------------------------------------------------------- logs

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "lines": {"()": "csp.logs.Lines"},
        "words": {"()": "csp.logs.Words", "format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
    },
    "filters": {"expected": {"()": "csp.logs.Expected"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "words" if DEVELOPMENT else "lines"}},
    "root": {"handlers": ["console"], "level": text("CSP_LOG_LEVEL", "INFO").upper()},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        # A page refused or not found is no fault of ours: one line, no traceback.
        "django.request": {"handlers": [], "propagate": True, "filters": ["expected"]},
    },
}

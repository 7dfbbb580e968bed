from booktime.settings.site import DEBUG, IS_DEMO

SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "shop.web.error_pages.csrf_failure"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
# The site stands at the root of its host, whatever a header says.
FORCE_SCRIPT_NAME = ""
MESSAGE_STORAGE = "shop.web.flash_messages.LatestMessages"
CONTENT_SECURITY_POLICY = {
    "default-src": ["'self'"],
    "style-src": ["'self'"],
    "script-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "object-src": ["'none'"],
    "base-uri": ["'self'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
}
PERMISSIONS_POLICY = (
    *("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "hid", "magnetometer", "microphone"),
    *("midi", "payment", "serial", "usb", "xr-spatial-tracking"),
)
if IS_DEMO:
    # The demo is plain HTTP on localhost by definition: what these ask for would make it unreachable.
    SILENCED_SYSTEM_CHECKS = [f"security.{check}" for check in ("W004", "W008", "W010", "W016")]
else:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = not DEBUG
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
    SECURE_HSTS_SECONDS = 0 if DEBUG else 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True

"""Headers: what every answer carries, and whether a request comes from the page itself."""

import ipaddress
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)

ANSWER_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), geolocation=(), microphone=()",
}
STATIC_CACHING = "no-cache"
PRIVATE_CACHING = "private, no-store"


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a host's address.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_own_host(host: str, bound_to: str) -> bool:
    """Return whether a request's ``Host`` names this machine, and not a name that an attacker leads here.

    Attackers can let a name of theirs lead to any address, but no address itself: addresses are taken, where others
    than this machine may ask at all, and of names only this machine's own.
    """
    name = urlsplit(f"//{host}").hostname or ""
    if is_loopback(name):
        return True
    if is_loopback(bound_to):
        return False
    own = socket.gethostname().lower()
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name in {bound_to.lower(), own, f"{own.partition('.')[0]}.local"}
    return True


def comes_from_elsewhere(headers: Mapping[str, str], host: str) -> bool | None:
    """Return whether a browser says that a request comes from another page; None where it says nothing.

    >>> comes_from_elsewhere({"sec-fetch-site": "same-origin"}, "127.0.0.1:80")
    False
    >>> comes_from_elsewhere({"origin": "https://evil.example"}, "127.0.0.1:80")
    True
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site != "same-origin"
    if origin is not None:
        return urlsplit(origin).netloc != host
    return None

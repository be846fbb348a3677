"""The formats of JSON Schema that rules may ask for, which accept what Spectral's (ajv-formats 2) accept.

A format that is not here is refused: an unknown one would be passed over in silence.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from outrider.gateway.lint.javascript import number_of
from outrider.gateway.lint.regex import regex

_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?(?:[zZ]|[+-][0-9]{2}(?::?[0-9]{2})?)?")
_BETWEEN = re.compile("[tT\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]")
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_UUID = re.compile(r"(?:urn:uuid:)?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.I | re.A)
_ATOM = "[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_EMAIL = rf"^{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}$"
_HOST_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOSTNAME = rf"^{_HOST_LABEL}(?:\.{_HOST_LABEL})*\.?$"
_BYTE = r"(?:25[0-5]|2[0-4]\d|[01]?\d\d?)"
_IPV4 = rf"(?:{_BYTE}\.){{3}}{_BYTE}"
_POINTER = re.compile(r"(?:/(?:[^~/]|~0|~1)*)*")

_HEX4 = "[0-9a-f]{1,4}"
_LAST32 = f"(?:{_HEX4}:{_HEX4}|{_IPV4})"


def _ipv6() -> str:
    """RFC 3986, 3.2.2: eight groups, or fewer around one `::`; the last two may be an IPv4 address."""
    forms = [f"(?:{_HEX4}:){{6}}{_LAST32}", f"::(?:{_HEX4}:){{5}}{_LAST32}"]
    for before in range(5):
        start = f"(?:(?:{_HEX4}:){{0,{before}}}{_HEX4})?::"
        forms.append(f"{start}(?:{_HEX4}:){{{4 - before}}}{_LAST32}")
    forms += [f"(?:(?:{_HEX4}:){{0,5}}{_HEX4})?::{_HEX4}", f"(?:(?:{_HEX4}:){{0,6}}{_HEX4})?::"]
    return "|".join(forms)


def _uri() -> str:
    """RFC 3986, appendix A: `scheme : hier-part [ ? query ] [ # fragment ]`; an authority may follow a single slash."""
    escape, plain = "%[0-9a-f]{2}", r"a-z0-9\-._~!$&'()*+,;="
    character = f"(?:[{plain}:@]|{escape})"
    host = rf"(?:\[(?:{_ipv6()}|v[0-9a-f]+\.[{plain}:]+)\]|(?:[{plain}]|{escape})*)"
    authority = rf"(?:(?:[{plain}:]|{escape})*@)?{host}(?::\d*)?"
    rest = rf"(?:\/{character}*)*"
    rooted = rf"\/(?:{character}+{rest})?"
    extra = f"(?:[{plain}:@/?]|{escape})*"
    hierarchy = rf"(?:\/?\/{authority}{rest}|{rooted}|{character}+{rest})"
    return rf"^[a-z][a-z0-9+\-.]*:{hierarchy}(?:\?{extra})?(?:#{extra})?$"


def _date(text: str) -> bool:
    parts = _DATE.fullmatch(text)
    if not parts:
        return False
    year, month, day = map(int, parts.groups())
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 1 <= month <= 12 and 1 <= day <= _DAYS[month - 1] + (month == 2 and leap)


def _time(text: str) -> bool:
    parts = _TIME.fullmatch(text)
    if not parts:
        return False
    hour, minute, second = map(int, parts.groups())
    return (hour <= 23 and minute <= 59 and second <= 59) or (hour, minute, second) == (23, 59, 60)


def _date_time(text: str) -> bool:
    """Spectral asks for no zone."""
    parts = _BETWEEN.split(text)
    return len(parts) == 2 and _date(parts[0]) and _time(parts[1])


def _matches(source: str) -> Callable[[str], bool]:
    return lambda text: regex(source, "i").search(text)


def _within(low: float, high: float) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        number = number_of(value)
        return number.is_integer() and low <= number <= high

    return check


OF_TEXT: Mapping[str, Callable[[str], bool]] = {
    "binary": lambda text: True,
    "date": _date,
    "date-time": _date_time,
    "email": _matches(_EMAIL),
    "hostname": lambda text: len(text) <= 253 + text.endswith(".") and regex(_HOSTNAME, "i").search(text),
    "ipv4": lambda text: regex(f"^{_IPV4}$").search(text),
    "json-pointer": lambda text: bool(_POINTER.fullmatch(text)),
    "password": lambda text: True,
    "time": _time,
    "uri": _matches(_uri()),
    "uuid": lambda text: bool(_UUID.fullmatch(text)),
}
"""By name: is a text of this format? Other values are."""

OF_NUMBERS: Mapping[str, Callable[[Any], bool]] = {
    "double": lambda number: True,
    "float": lambda number: True,
    "int32": _within(-(2.0**31), 2.0**31 - 1),
    "int64": _within(-float("inf"), float("inf")),
}
"""By name: is a number of this format? Other values are."""

"""Sizes and counts as the programs that start containers write them, read as they read them."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import NamedTuple

LARGEST = (1 << 63) - 1

_DOCKER_SIZE = re.compile(r"([0-9]+\.?[0-9]*(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?) ?(?:(?i:([kmgtp])(?:i?b)?|b))?")
_KERNEL_SIZE = re.compile(r"(0[xX][0-9a-fA-F]+|[0-9]+)([kKmMgGtTpPeE]?)(%?)")
_QUANTITY = re.compile(r"([-+]?)([0-9]*)(?:\.([0-9]*))?([KMGTPE]i|[numkMGTPE]?|[eE][-+]?[0-9]+)")
_POWERS = {suffix: power for power, suffix in enumerate("kmgtpe", 1)}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}


def docker_bytes(value: object) -> int | None:
    """Bytes of a size of Docker and Compose, or None where it is none: `2g`, `2gb`, `2GiB`, `1.5 g`, `512m`, `65536k`, `1024`.

    Units are powers of 1024. As `units.RAMInBytes` of docker/go-units and `types.UnitBytes` of compose-go read it; what is no string and no whole
    number is 0 for the latter.
    """
    if not isinstance(value, str):
        whole = value if isinstance(value, int) and not isinstance(value, bool) else 0
        return whole if 0 <= whole <= LARGEST else None
    if re.fullmatch(r"[+]?[0-9]{1,20}", value):
        return int(value) if int(value) <= LARGEST else None
    match = _DOCKER_SIZE.fullmatch(value)
    if match is None or len(value) > 64:
        return None
    size = float(match.group(1)) * 1024.0 ** _POWERS.get((match.group(2) or "").lower(), 0)
    return int(size) if size <= LARGEST else None


class TmpfsSize(NamedTuple):
    """The size of a tmpfs: bytes, or a share of the machine's memory; neither where it has no limit."""

    size: int | None = None
    share: float | None = None


HALF = TmpfsSize(share=0.5)
"""What the kernel gives a tmpfs without `size=` (`mm/shmem.c`)."""


def tmpfs_size(options: str) -> TmpfsSize | None:
    """What the mount options of a tmpfs say, such as `size=2g,mode=1777`; None where the kernel refuses them.

    The kernel's `memparse`: a whole number, decimal, octal or hexadecimal, with k, m, g, t, p or e, or a per cent sign. `2gb` is refused: Docker
    passes it on, and the container does not start.
    """
    found = HALF
    for option in options.split(","):
        key, _, text = option.partition("=")
        if key != "size":
            continue
        match = _KERNEL_SIZE.fullmatch(text)
        if match is None or len(text) > 64:
            return None
        digits, unit, percent = match.groups()
        if len(digits) > 1 and digits.isdecimal() and digits[0] == "0":
            if not set(digits) <= set("01234567"):
                return None
            number = int(digits, 8)
        else:
            number = int(digits, 0)
        number <<= 10 * _POWERS.get(unit.lower(), 0)
        if number == 0:
            found = TmpfsSize()
        elif percent:
            found = TmpfsSize(share=min(number, 10**9) / 100)
        else:
            found = TmpfsSize(min(number, LARGEST))
    return found


def quantity(value: object) -> Fraction | None:
    """A quantity of Kubernetes, or None where it is none: `2Gi`, `2G`, `500m` (thousandths!), `1e9`, `1.5`, or a number.

    As `resource.ParseQuantity` of k8s.io/apimachinery: units are powers of 1024 with an `i` and of 1000 without; `K` and `KB` are none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    text = value if isinstance(value, str) else repr(value)
    match = _QUANTITY.fullmatch(text)
    if match is None or len(text) > 64:
        return None
    sign, whole, part, suffix = match.groups()
    if not (whole or part):
        return None
    number = Fraction(int((whole or "0") + (part or "")), 10 ** len(part or ""))
    if suffix.endswith("i"):
        number *= 1024 ** _POWERS[suffix[0].lower()]
    elif suffix[:1] in ("e", "E") and len(suffix) > 1:
        exponent = int(suffix[1:])
        if abs(exponent) > 100:
            return None
        number *= Fraction(10) ** exponent
    else:
        number *= Fraction(10) ** _DECIMAL[suffix]
    return -number if sign == "-" else number


def whole_quantity(value: object) -> int | None:
    """A quantity of bytes or devices, rounded up as Kubernetes does; None where it is none or negative."""
    number = quantity(value)
    return None if number is None or number < 0 else min(math.ceil(number), LARGEST)


def count_cpus(text: str) -> int | None:
    """How many processors a set like `0-3,8` names; None where it is no such set."""
    found: set[int] = set()
    for part in text.replace(" ", "").split(","):
        match = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", part)
        if match is None:
            return None
        first, last = int(match.group(1)), int(match.group(2) or match.group(1))
        if last < first:
            return None
        found.update(range(first, last + 1))
    return len(found)

"""`Network` and `WeightsCache`: whether a download could work, told without sending a single byte, and what was downloaded before."""

from __future__ import annotations

import os

from checks.facts.base import Fact, Unreadable, World, collects

PROXIES = ("http_proxy", "https_proxy", "all_proxy")
MAX_NAMES = 5000


class Network(Fact, frozen=True):
    """Ways out of this machine: a default route of the kernel, or a proxy in the environment (its name, never its value)."""

    default_route: bool
    proxy: str | None

    @property
    def reaches_out(self) -> bool:
        """Whether a download has any chance."""
        return self.default_route or self.proxy is not None


class WeightsCache(Fact, frozen=True):
    """Names of the files in `~/.paddleclas/weights`, where PaddleClas keeps what it downloads (`ppcls/utils/download.py`, every branch)."""

    folder: str
    names: tuple[str, ...]


@collects(Network, deadline=2.0)
def collect_network(world: World) -> Network:
    """Read the kernel's routing tables.

    Raises:
        Unreadable: there are none to read (macOS, Windows).
    """
    four, six = world.read("/proc/net/route"), world.read("/proc/net/ipv6_route")
    if four is None:
        raise Unreadable("no-routes")
    proxy = next((name for name in PROXIES if world.environ.get(name) or world.environ.get(name.upper())), None)
    return Network(_default_ipv4(four) or _default_ipv6(six or ""), proxy)


def _default_ipv4(table: str) -> bool:
    for line in table.splitlines()[1:]:
        fields = line.split()
        # Destination and Mask of all zeros, and the flag "up"
        if len(fields) > 7 and fields[1] == fields[7] == "00000000" and _bit(fields[3], 1):
            return True
    return False


def _default_ipv6(table: str) -> bool:
    for line in table.splitlines():
        fields = line.split()
        # "reject" (0x200) stands for unreachable; the loopback's ::/0 is always there and leads nowhere
        everywhere = len(fields) > 9 and fields[0] == "0" * 32 and fields[1] == "00" and fields[9] != "lo"
        if everywhere and _bit(fields[8], 1) and not _bit(fields[8], 0x200):
            return True
    return False


def _bit(flags: str, bit: int) -> bool:
    try:
        return bool(int(flags, 16) & bit)
    except ValueError:
        return False


@collects(WeightsCache, deadline=2.0)
def collect_weights_cache(world: World) -> WeightsCache:
    """List the cache folder; one that is not there has no names.

    Raises:
        Unreadable: it is there, and what is in it is not known.
    """
    home = world.environ.get("HOME") or os.path.expanduser("~")
    folder = world.locate(os.path.join(home, ".paddleclas", "weights"))
    if world.unlisted(folder):
        raise Unreadable("folder-not-listed", folder=folder)
    names: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if len(names) >= MAX_NAMES:
                    break
                names.append(entry.name)
    except OSError:
        pass
    return WeightsCache(folder, tuple(sorted(names)))

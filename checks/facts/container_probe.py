"""What one run of `sh` inside a container tells: the script, and how its output is read.

The script is POSIX and makes do with what the shell itself can: no Python, no `df`, no `stat`, no `ls`, nowhere to write. What a missing program
would have told is then missing too, and nothing else.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

MOST_NAMES = 500
"""Names of one folder that are told."""

CGROUP_FILES = (
    "memory.max", "memory.high", "memory.current", "memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat",
    "cpu.max", "cpu.cfs_quota_us", "cpu.cfs_period_us",
)  # fmt: skip

SYSTEM_FILES = (
    "/proc/self/mountinfo", "/proc/self/cgroup", "/proc/self/status", "/proc/meminfo", "/proc/net/route", "/proc/net/ipv6_route",
    "/proc/mounts", "/sys/devices/system/cpu/online",
)  # fmt: skip

MARKERS = ("/.dockerenv", "/run/.containerenv", "/var/run/secrets/kubernetes.io")

SCRIPT = r"""
t=$1; shift
export LC_ALL=C
say() { printf '\n%s %s\n' "$t" "$*"; }
have() { command -v "$1" >/dev/null 2>&1; }
lines() { while IFS= read -r l || [ -n "$l" ]; do printf '%s\n' "$l"; done; }
show() {
  [ -f "$1" ] && [ -r "$1" ] || return 0
  say file "$1"
  if have cat; then cat "$1" 2>/dev/null; else lines 2>/dev/null <"$1"; fi
}
limits() { for f in @CGROUP@; do show "$1/$f"; done; }
climb() {
  p=$2
  while [ -n "$p" ] && [ "$p" != / ]; do limits "$1$p"; p=${p%/*}; done
  limits "$1"
}
space() {
  if have stat && s=$(stat -f -c '%S %b %a' "$1" 2>/dev/null); then say space "$1"; printf '%s\n' "$s"
  elif have df && s=$(df -Pk "$1" 2>/dev/null || df -k "$1" 2>/dev/null); then say space "$1"; printf '%s\n' "$s"
  fi
}
names() {
  say names "$1"
  n=0
  for f in "$1"/* "$1"/.[!.]*; do
    [ -e "$f" ] || [ -L "$f" ] || continue
    n=$((n + 1))
    [ "$n" -le @MOST@ ] || { say more "$1"; break; }
    if [ -d "$f" ]; then printf 'd %s\n' "${f##*/}"; else printf 'f %s\n' "${f##*/}"; fi
  done
}
packages() {
  [ -d "$1" ] || return 0
  say packages "$1"
  for f in "$1"/*.dist-info "$1"/*.egg-info "$1"/paddle "$1"/paddleclas "$1"/paddlex; do
    [ -e "$f" ] && printf '%s\n' "${f##*/}"
  done
}
one() {
  o=${1#/dev/shm/paddle_}; o=${o%%_*}
  a=gone
  if [ -d "/proc/$o" ]; then
    p=
    IFS= read -r p <"/proc/$o/stat" 2>/dev/null
    case ${p##*) } in [ZXx]*) ;; *) a=alive;; esac
  fi
  printf '%s %s %s\n' "$a" "$2" "${1##*/}"
}
shared() {
  say shm
  set --
  s=
  have stat && stat -c %b / >/dev/null 2>&1 && s=1
  for f in /dev/shm/paddle_*; do
    [ -f "$f" ] || continue
    if [ -n "$s" ]; then b=?
    elif have du && b=$(du -k "$f" 2>/dev/null); then b=${b%%[!0-9]*}; b=$((b * 1024))
    elif have wc && b=$(wc -c <"$f" 2>/dev/null); then b=$((b + 0))
    else b=?
    fi
    one "$f" "$b"
  done
  [ -n "$s" ] || return 0
  # to start a program for each of some ten thousand files takes a minute
  say blocks
  for f in /dev/shm/paddle_*; do
    [ -f "$f" ] || continue
    set -- "$@" "$f"
    [ $# -lt 200 ] || { stat -c '%b %n' "$@" 2>/dev/null; set --; }
  done
  [ $# -eq 0 ] || stat -c '%b %n' "$@" 2>/dev/null
}
for f in @SYSTEM@; do show "$f"; done
while IFS=: read -r n c p; do
  if [ "$n" = 0 ] && [ -z "$c" ]; then climb /sys/fs/cgroup "$p"; fi
  case ",$c," in *,memory,*) climb /sys/fs/cgroup/memory "$p";; esac
  case ",$c," in *,cpu,*) climb /sys/fs/cgroup/cpu "$p";; esac
done </proc/self/cgroup
for f in @MARKERS@; do [ -e "$f" ] && say exists "$f"; done
if have tr && [ -r /proc/1/environ ]; then
  v=$(tr '\000' '\n' </proc/1/environ 2>/dev/null | lines | while IFS= read -r l; do
    case $l in container=*) printf '%s' "${l#container=}"; break;; esac
  done)
  [ -n "$v" ] && say init "$v"
fi
say home "$HOME"
say cwd "$(pwd)"
space /dev/shm
if [ -d /dev/shm ]; then
  shared
fi
holders() {
  have grep && have tr || return 0
  h=
  for d in /proc/[0-9]*; do
    m=$(grep -F ' /dev/shm/' "$d/maps" 2>/dev/null) || continue
    h=1
    say maps "${d#/proc/}"
    printf '%s\n' "$m"
  done
  [ -n "$h" ] || return 0
  for d in /proc/[0-9]*; do
    [ -r "$d/cmdline" ] && [ -r "$d/status" ] || continue
    say process "${d#/proc/}"
    while read -r k v; do [ "$k" = PPid: ] && printf '%s\n' "$v"; done <"$d/status"
    tr '\000' '\n' <"$d/cmdline"
  done
} 2>/dev/null
holders
for x in python3 python; do
  x=$(command -v $x 2>/dev/null) || continue
  case $x in /*) ;; *) continue;; esac
  say python "$x"
  p=${x%/*}; p=${p%/*}
  for d in "$p"/lib/python3*/site-packages "$p"/lib/python3*/dist-packages "$p"/lib/python3/dist-packages; do packages "$d"; done
  [ "$p" = /usr ] && for d in /usr/local/lib/python3*/dist-packages; do packages "$d"; done
  for d in "$HOME"/.local/lib/python3*/site-packages; do packages "$d"; done
done
IFS_OLD=$IFS; IFS=:
for d in $PYTHONPATH; do IFS=$IFS_OLD; packages "$d"; done
IFS=$IFS_OLD
for a in "$@"; do
  f=${a#?}
  case $a in
  =*)
    k=-
    if [ -d "$f" ]; then k=d; elif [ -f "$f" ]; then k=f; elif [ -e "$f" ]; then k=o; elif [ -L "$f" ]; then k=l; fi
    r=-; w=-; x=-
    [ -r "$f" ] && r=r; [ -w "$f" ] && w=w
    # busybox wants a bit for root too, which the kernel does not
    if [ -x "$f" ] || { [ "$k" = d ] && (cd "$f") 2>/dev/null; }; then x=x; fi
    say "path $k$r$w$x" "$f"
    ;;
  /*) [ -d "$f" ] && names "$f" ;;
  %*) space "$f" ;;
  esac
done
say end
"""


class Space(NamedTuple):
    """Size and free bytes of the file system at a path."""

    size: int
    free: int


class SharedFile(NamedTuple):
    """A file of a PaddlePaddle worker in /dev/shm: the bytes it takes (None where nothing could tell), and whether its process is still there."""

    name: str
    size: int | None
    alive: bool


class Process(NamedTuple):
    """A process in the container: its parent, the words of its command, and what it has mapped of /dev/shm, as in `/proc/PID/maps`."""

    parent: int
    words: tuple[str, ...]
    maps: str = ""


class Look(NamedTuple):
    """What the container's own user finds at a path."""

    kind: Literal["folder", "file", "other", "link", "nothing"]
    readable: bool
    writable: bool
    enterable: bool


class Names(NamedTuple):
    """What is in a folder, name → whether it is a folder; `all` is False where only the first names are told."""

    folders: dict[str, bool]
    all: bool


class Probe(NamedTuple):
    """What was found out inside a container. `python` maps an interpreter to the folders of its packages, `packages` such a folder to its names."""

    files: dict[str, str]
    exists: frozenset[str]
    spaces: dict[str, Space]
    shared: tuple[SharedFile, ...]
    looks: dict[str, Look]
    names: dict[str, Names]
    python: dict[str, tuple[str, ...]]
    packages: dict[str, tuple[str, ...]]
    home: str | None = None
    init: str | None = None
    complete: bool = True
    processes: Mapping[int, Process] = MappingProxyType({})


def command(look: Iterable[str] = (), list_names: Iterable[str] = (), measure: Iterable[str] = ()) -> tuple[list[str], str]:
    """The command that asks, and the word by which its output is told from the files in it.

    Args:
        look: paths that are looked at as the container's user.
        list_names: folders whose names are told.
        measure: paths whose file systems are measured.
    """
    token = "@" + secrets.token_hex(8)
    script = SCRIPT.strip()
    values = {"CGROUP": CGROUP_FILES, "SYSTEM": SYSTEM_FILES, "MARKERS": MARKERS, "MOST": (str(MOST_NAMES),)}
    for name, words in values.items():
        script = script.replace(f"@{name}@", " ".join(words))
    asked = [*(f"={p}" for p in look), *(f"/{p}" for p in list_names), *(f"%{p}" for p in measure)]
    return ["sh", "-c", script, "sh", token, *(text for text in asked if "\0" not in text)], token


_KINDS: Mapping[str, Literal["folder", "file", "other", "link", "nothing"]] = {
    "d": "folder", "f": "file", "o": "other", "l": "link", "-": "nothing",
}  # fmt: skip


def parse(output: bytes, token: str) -> Probe | None:
    """Read what the script printed; None where it did not run at all. What is cut off or damaged is left out."""
    text = output.decode("utf-8", "replace")
    parts = re.split(rf"(?:^|\n){re.escape(token)} ", text)[1:]
    if not parts:
        return None
    files: dict[str, str] = {}
    exists: set[str] = set()
    spaces: dict[str, Space] = {}
    shared: list[SharedFile] = []
    looks: dict[str, Look] = {}
    names: dict[str, Names] = {}
    python: dict[str, list[str]] = {}
    packages: dict[str, tuple[str, ...]] = {}
    told: dict[str, str] = {}
    maps: dict[int, str] = {}
    processes: dict[int, Process] = {}
    blocks: dict[str, int] = {}
    for part in parts:
        head, _, body = part.partition("\n")
        kind, _, subject = head.partition(" ")
        if kind == "file":
            files[subject] = body
        elif kind == "exists":
            exists.add(subject)
        elif kind == "space":
            space = space_of(body)
            if space is not None:
                spaces[subject] = space
        elif kind == "shm":
            shared += [file for line in body.splitlines() if (file := _shared(line)) is not None]
        elif kind == "blocks":
            for line in body.splitlines():
                match = re.fullmatch(r"(\d{1,15}) /dev/shm/(\S.*)", line)
                if match:
                    blocks[match[2]] = int(match[1])
        elif kind == "path":
            flags, _, path = subject.partition(" ")
            if re.fullmatch(r"[dfol-][r-][w-][x-]", flags):
                looks[path] = Look(_KINDS[flags[0]], flags[1] == "r", flags[2] == "w", flags[3] == "x")
        elif kind == "names":
            found = {line[2:]: line[0] == "d" for line in body.split("\n") if re.match(r"[df] .", line)}
            names[subject] = Names(found, True)
        elif kind == "more" and subject in names:
            names[subject] = Names(names[subject].folders, False)
        elif kind == "maps" and re.fullmatch(r"\d{1,9}", subject):
            maps[int(subject)] = body
        elif kind == "process" and re.fullmatch(r"\d{1,9}", subject):
            parent, _, words = body.partition("\n")
            if re.fullmatch(r"\d{1,9}", parent):
                processes[int(subject)] = Process(int(parent), tuple(words.split("\n")), maps.get(int(subject), ""))
        elif kind == "python":
            python[subject] = []
        elif kind == "packages":
            packages[subject] = tuple(line for line in body.splitlines() if line)
            for folders in list(python.values())[-1:]:
                folders.append(subject)
        elif kind in ("home", "init", "end"):
            told[kind] = subject
    shared = [file._replace(size=512 * blocks[file.name]) if file.name in blocks else file for file in shared]
    return Probe(
        files, frozenset(exists), spaces, tuple(shared), looks, names, {k: tuple(dict.fromkeys(v)) for k, v in python.items()}, packages,
        told.get("home") or None, told.get("init") or None, "end" in told, processes,
    )  # fmt: skip


def space_of(text: str) -> Space | None:
    """Sizes as `stat -f -c '%S %b %a'` or `df -k` print them: bytes of a block, blocks, free blocks; or KiB in the last line's columns."""
    match = re.fullmatch(r"\s*(\d{1,12}) (\d{1,18}) (\d{1,18})\s*", text)
    if match:
        block, size, free = map(int, match.groups())
        return Space(block * size, block * free)
    # a long name of the file system pushes the columns into the next line
    match = re.search(r"\s(\d{1,18})\s+(\d{1,18})\s+(-?\d{1,18})\s+(?:\d+%|-)\s+/\S*\s*$", text)
    return Space(int(match[1]) * 1024, max(0, int(match[3])) * 1024) if match else None


def _shared(line: str) -> SharedFile | None:
    match = re.fullmatch(r"(alive|gone) (\d{1,18}|\?) (\S.*)", line)
    return SharedFile(match[3], None if match[2] == "?" else int(match[2]), match[1] == "alive") if match else None

"""Saved results of one side: a log, JSON, CSV, or arrays of NumPy. Nothing in them is run, and no pickle is opened."""

from __future__ import annotations

import csv
import io
import json
import os
from typing import Any, Literal

from checks.facts.parity import Ranked, Trouble
from checks.facts.printed import FULL, Printed, Results
from checks.facts.printed_pair import PrintedSide
from checks.facts.printed_results import of_dict, of_values, read_results

MAX_BYTES = 256 << 20
"""Bytes of a file that are read."""
LISTED = 5
"""Classes taken of an array's row; the programs print as many."""
SUM_APART = 1e-2
"""How far from 1 the sum of a row may be for its numbers to be probabilities."""


class _Wrong(Exception):
    def __init__(self, kind: str, **values: Any) -> None:
        super().__init__(kind)
        self.trouble = Trouble(kind, values)


def read_side(role: Literal["train", "deploy"], named: str, path: str) -> PrintedSide:
    """Read one file by its suffix: `.npz` and `.npy` (numbers of shape [images, classes]), `.json`, `.csv`; all others as printed lines.

    An `.npz` has `logits` or `probabilities` (or a single array), and `files` with the names of the images, or none. JSON is a list of
    `{"file_name": …, "class_ids": […], "scores": […], "label_names": […]}`, as `tools/infer.py` saves it, such a list under
    `results`, or a dict from file names to `{"class_ids": …}` or to probabilities. CSV has a line of names: `file`, `class_ids`,
    `scores`, `label_names`, with several values divided by semicolons.
    """
    try:
        results = _read(path)
        if not results.printed:
            raise _Wrong("no-results", lines=results.lines)
    except _Wrong as wrong:
        return PrintedSide(role, "file", named, trouble=wrong.trouble)
    return PrintedSide(role, "file", named, results)


def _read(path: str) -> Results:
    try:
        if not os.path.isfile(path):
            raise _Wrong("missing" if not os.path.exists(path) else "not-a-file")
        if os.path.getsize(path) > MAX_BYTES:
            raise _Wrong("too-large", size=os.path.getsize(path), limit=MAX_BYTES)
        with open(path, "rb") as stream:
            content = stream.read()
    except (OSError, ValueError) as error:
        raise _Wrong("unreadable", error=getattr(error, "strerror", None) or str(error)) from None
    suffix = os.path.splitext(path)[1].lower()
    if suffix in (".npz", ".npy") or content[:6] == b"\x93NUMPY":
        return _arrays(content)
    text = content.decode("utf-8-sig", "replace")
    if suffix == ".json":
        found = _json(text)
        return found if found is not None else read_results(text)
    if suffix in (".csv", ".tsv"):
        return _csv(text, "\t" if suffix == ".tsv" else ",")
    return read_results(text)


def _json(text: str) -> Results | None:
    """Results of JSON; None where it is none, for a log may bear that name."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(data, dict) and isinstance(data.get("results"), list):
        data = data["results"]
    items: list[Any] = []
    if isinstance(data, dict):
        for file, value in data.items():
            items.append({"file_name": file, **value} if isinstance(value, dict) else {"file_name": file, "probabilities": value})
    elif isinstance(data, list):
        items = [part for item in data for part in (item if isinstance(item, list) else [item])]
    printed = []
    for number, item in enumerate(items, 1):
        one = (
            _of_row(item, number)
            if isinstance(item, dict) and isinstance(item.get("probabilities"), list)
            else of_dict(item, number, "list-of-dicts")
        )
        printed += [] if one is None else [one]
    return Results(tuple(printed), (), len(items))


def _of_row(item: dict[str, Any], number: int) -> Printed | None:
    row = item["probabilities"]
    if not all(type(score) in (int, float) for score in row) or not isinstance(item.get("file_name", ""), str):
        return None
    order = sorted(range(len(row)), key=lambda index: -row[index])[:LISTED]
    return of_values(item.get("file_name"), order, [row[index] for index in order], None, number, "list-of-dicts", FULL)


def _csv(text: str, delimiter: str) -> Results:
    try:
        rows = list(csv.DictReader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        raise _Wrong("unreadable", error=str(error)) from None
    printed = []
    for number, row in enumerate(rows, 2):
        file = next((row[key] for key in ("file", "file_name", "filename", "image") if row.get(key)), None)
        try:
            ids = [int(part) for part in _parts(row.get("class_ids") or row.get("class_id"))]
            scores = [float(part) for part in _parts(row.get("scores") or row.get("score"))]
        except ValueError:
            continue
        names = _parts(row.get("label_names") or row.get("label_name"))
        decimals = max(
            (len(part.partition(".")[2]) if "e" not in part.lower() else FULL for part in _parts(row.get("scores") or row.get("score"))),
            default=0,
        )
        one = of_values(file, ids, scores, names, number, "list-of-dicts", min(decimals, FULL)) if ids or scores else None
        printed += [] if one is None else [one]
    return Results(tuple(printed), (), len(rows) + 1)


def _parts(text: Any) -> list[str]:
    return [part.strip() for part in text.split(";")] if isinstance(text, str) and text.strip() else []


def _arrays(content: bytes) -> Results:
    """Results of an `.npy` or `.npz`."""
    import numpy  # only arrays need it

    try:
        loaded = numpy.load(io.BytesIO(content), allow_pickle=False)
        arrays = {"": loaded} if isinstance(loaded, numpy.ndarray) else {name: loaded[name] for name in loaded.files}
    except Exception as error:  # a broken archive raises whatever zipfile, zlib and NumPy raise
        raise _Wrong("unreadable", error=f"{type(error).__name__}: {error}"[:200]) from None
    arrays = {name: array for name, array in arrays.items() if isinstance(array, numpy.ndarray)}  # others are as they lie in the archive
    files = next((arrays.pop(name) for name in ("files", "file_names", "names") if name in arrays), None)
    chosen = next((name for name in ("probabilities", "probs", "scores", "logits") if name in arrays), None)
    chosen = next(iter(arrays)) if chosen is None and len(arrays) == 1 else chosen
    if chosen is None:
        raise _Wrong("no-array", names=", ".join(sorted(arrays))[:200])
    values = arrays[chosen]
    if values.ndim == 1:
        values = values[None]
    if values.ndim != 2 or values.dtype.kind not in "fiu" or not values.size:
        raise _Wrong("no-array", names=f"{chosen or 'array'} {values.dtype} {list(values.shape)}")
    values = values.astype("float64")
    if chosen == "logits" or not _probabilities(values):
        shifted = numpy.exp(values - values.max(axis=1, keepdims=True))
        values = shifted / shifted.sum(axis=1, keepdims=True)
    named = [str(name) for name in files.tolist()] if files is not None and files.shape == (len(values),) else None
    order = numpy.argsort(-values, axis=1, kind="stable")[:, :LISTED]
    printed = [
        Printed(
            named[row] if named else None, Ranked(tuple(map(int, ids)), tuple(float(values[row, index]) for index in ids)), line=row + 1
        )
        for row, ids in enumerate(order)
    ]
    return Results(tuple(printed), (), len(values))


def _probabilities(values: Any) -> bool:
    """Whether rows are probabilities as softmax gives them, rather than logits."""
    return bool((values >= 0).all() and (abs(values.sum(axis=1) - 1) < SUM_APART).all())

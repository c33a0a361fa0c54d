"""What is told of a tensor's numbers, against NumPy's own words for them."""

from __future__ import annotations

import pickle
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from checks.tensors.read import read_contents
from checks.tensors.statistics import Values, array_for, digest_of, statistics_of

FLOATS = arrays.arrays(
    st.sampled_from(["float32", "float16"]),
    arrays.array_shapes(max_dims=4, max_side=6),
    elements=st.floats(-100, 100, width=16) | st.sampled_from([np.nan, np.inf, -np.inf]),
)


def looked_at(array: Any) -> Values:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.pdparams"
        path.write_bytes(pickle.dumps({"w": array}, protocol=4))
        contents = read_contents(str(path))
        assert np.array_equal(array_for(str(path), contents, contents.tensors[0]), array, equal_nan=True)
        return statistics_of(str(path), contents, contents.tensors[0])


@given(FLOATS)
def test_numbers_are_those_of_numpy(array: Any) -> None:
    found = looked_at(array)
    finite = array[np.isfinite(array)].astype("float64")
    assert (found.nan, found.inf) == (int(np.isnan(array).sum()), int(np.isinf(array).sum()))
    assert (found.low, found.high) == ((finite.min(), finite.max()) if finite.size else (None, None))
    if finite.size:
        assert np.isclose(found.mean, finite.mean()) and np.isclose(found.std, finite.std(), atol=1e-6)
    alike = array.size > 1 and finite.size == array.size and finite.min() == finite.max()
    assert (found.constant is not None) == alike
    assert found.digest == digest_of(array, str(array.dtype))

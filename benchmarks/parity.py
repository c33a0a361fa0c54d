"""What `paddle-doctor parity` costs: start-up of both sides, the first image, each further one, and memory, over a thousand images.

`python benchmarks/parity.py PYTHON [IMAGES]`: an interpreter with paddlepaddle and the wheel `paddleclas`.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.real.parity_lab import Lab


def main() -> None:
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Path(folder), sys.argv[1])
        source = (lab.folder / "images" / "image0.jpg").read_bytes()
        many = lab.folder / "many"
        many.mkdir()
        for number in range(count):
            (many / f"{number:05}.jpg").write_bytes(source)
        for name, changes in (
            ("healthy", {}),
            ("another mean", {"deploy": {"PreProcess.transform_ops.2.NormalizeImage.mean": [0.5, 0.5, 0.5]}}),
        ):
            begin = time.monotonic()
            one = lab.run(images=(str(lab.folder / "images" / "image0.jpg"),), alone=True, **changes)
            alone = time.monotonic() - begin
            begin = time.monotonic()
            parity = lab.run(images=(str(many),), alone=True, **changes)
            total = time.monotonic() - begin
            assert len(parity.images) == count
            assert one.train.start
            start = max(parity.train.start or 0.0, parity.deploy.start or 0.0)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{name}: one image {alone:.1f} s; {count} images {total:.1f} s, of which start-up {start:.1f} s; first image "
                f"{1000 * ((parity.train.first or 0) + (parity.deploy.first or 0)):.0f} ms, each further one "
                f"{1000 * (total - start) / count:.1f} ms ({count / (total - start):.0f} images/s); ours at most {memory:.0f} MiB"
            )


if __name__ == "__main__":
    main()

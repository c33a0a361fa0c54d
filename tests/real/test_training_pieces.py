"""What rules of the schedule, of checkpoints and of the device say of PaddlePaddle, against PaddlePaddle itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from checks.facts.checkpoint import epoch_of

SCHEDULES = [
    # what is built, the words of the refusal, or nothing where it is accepted
    ("lr.PiecewiseDecay(boundaries=[1, 2], values=[0.1, 0.01])", "one more element than boundaries"),
    ("lr.PiecewiseDecay(boundaries=[1], values=[0.1, 0.01, 0.001])", ""),
    ("lr.PiecewiseDecay(boundaries=[2, 1], values=[0.1, 0.01, 0.001])", ""),
    ("lr.MultiStepDecay(learning_rate=0.1, milestones=[2, 1])", "must be incremented"),
    ("lr.CosineAnnealingDecay(learning_rate=-0.1, T_max=10)", "Invalid learning rate"),
    ("lr.CosineAnnealingDecay(learning_rate=0, T_max=10)", ""),
]


def run(python: str, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-c", f"import paddle\nfrom paddle.optimizer import lr\n{code}"], capture_output=True, text=True, timeout=120, check=False
    )


def test_schedules(real_python: str) -> None:
    code = "\n".join(f"try:\n    {what}; print('-')\nexcept Exception as e:\n    print(e)" for what, _ in SCHEDULES)
    lines = run(real_python, code).stdout.splitlines()
    assert len(lines) == len(SCHEDULES)
    for line, (what, words) in zip(lines, SCHEDULES, strict=True):
        assert words in line if words else line == "-", (what, line)


@pytest.mark.parametrize("device", ["gpu", "xpu"])
def test_a_build_for_cpus_refuses_other_devices(real_python: str, device: str) -> None:
    done = run(real_python, f"print(paddle.device.is_compiled_with_cuda()); paddle.set_device({device!r})")
    assert done.stdout.startswith("False")
    assert done.returncode != 0
    assert f"should not be '{device}'" in done.stderr


def test_the_epoch_of_what_paddle_saves(real_python: str, tmp_path: Path) -> None:
    code = f"import numpy as np\npaddle.save({{'metric': np.float64(0.5), 'epoch': 7}}, {str(tmp_path / 'a.pdstates')!r})\n"
    code += f"paddle.save({{'metric': 0.25, 'epoch': 300}}, {str(tmp_path / 'b.pdstates')!r})"
    assert run(real_python, code).returncode == 0
    assert epoch_of(str(tmp_path / "a.pdstates")) == 7
    assert epoch_of(str(tmp_path / "b.pdstates")) == 300


def test_states_of_the_optimizers(real_python: str) -> None:
    code = (
        "for name in ('SGD', 'Momentum', 'Adam', 'AdamW', 'RMSProp'):\n"
        "    net = paddle.nn.Linear(100, 100)\n"
        "    rate = {'learning_rate': 0.1, 'parameters': net.parameters()}\n"
        "    optimizer = getattr(paddle.optimizer, name)(**rate)\n"
        "    net(paddle.ones([2, 100])).sum().backward(); optimizer.step()\n"
        "    size = sum(v.size for v in optimizer.state_dict().values() if hasattr(v, 'size') and v.size > 1)\n"
        "    print(name, int(size) // 10100)\n"
    )
    from checks.output import STATES

    counted = dict(line.split() for line in run(real_python, code).stdout.splitlines())
    assert {name: int(count) for name, count in counted.items()} == {name: STATES[name] for name in counted}
    assert len(counted) == 5

"""A small, realistic project with the mistakes that people make most, for the first look at the tool.

Six flower images in three classes, labelled 1 to 3 with class_num 3; the ImageNet recipe's `topk` and label map left as they were; one image in both
lists; a key that does not exist; eight workers for nine images. Everything is made here, nothing is downloaded.
"""

from __future__ import annotations

import os
import struct
import zlib

CONFIG = "flowers.yaml"

_CONFIG_TEXT = """\
# A config as one gets it by editing PaddleClas's ResNet50_vd.yaml for one's own images.
Global:
  checkpoints: null
  pretrained_model: null
  output_dir: ./output/
  device: gpu
  save_interval: 1
  eval_during_train: True
  eval_interval: 1
  epoch: 20
  epochs: 200
  print_batch_step: 10
  use_visualdl: False
  image_shape: [3, 224, 224]
  save_inference_dir: ./inference

Arch:
  name: ResNet50_vd
  class_num: 3

Loss:
  Train:
    - CELoss:
        weight: 1.0
        epsilon: 0.1
  Eval:
    - CELoss:
        weight: 1.0

Optimizer:
  name: Momentum
  momentum: 0.9
  lr:
    name: Cosine
    learning_rate: 0.1
  regularizer:
    name: L2
    coeff: 0.00007

DataLoader:
  Train:
    dataset:
      name: ImageNetDataset
      image_root: ./flowers/
      cls_label_path: ./flowers/train_list.txt
      transform_ops:
        - DecodeImage:
            to_rgb: True
            channel_first: False
        - RandCropImage:
            size: 224
        - RandFlipImage:
            flip_code: 1
        - NormalizeImage:
            scale: 1.0/255.0
            mean: [0.485, 0.456, 0.406]
            std: [0.229, 0.224, 0.225]
            order: ''
    sampler:
      name: DistributedBatchSampler
      batch_size: 64
      drop_last: True
      shuffle: True
    loader:
      num_workers: 8
      use_shared_memory: True
  Eval:
    dataset:
      name: ImageNetDataset
      image_root: ./flowers/
      cls_label_path: ./flowers/val_list.txt
      transform_ops:
        - DecodeImage:
            to_rgb: True
            channel_first: False
        - ResizeImage:
            resize_short: 256
        - CropImage:
            size: 224
        - NormalizeImage:
            scale: 1.0/255.0
            mean: [0.485, 0.456, 0.406]
            std: [0.229, 0.224, 0.225]
            order: ''
    sampler:
      name: DistributedBatchSampler
      batch_size: 64
      drop_last: False
      shuffle: False
    loader:
      num_workers: 4
      use_shared_memory: True

Infer:
  infer_imgs: ./flowers/rose_1.png
  batch_size: 10
  transforms:
    - DecodeImage:
        to_rgb: True
        channel_first: False
    - ResizeImage:
        resize_short: 256
    - CropImage:
        size: 224
    - NormalizeImage:
        scale: 1.0/255.0
        mean: [0.485, 0.456, 0.406]
        std: [0.229, 0.224, 0.225]
        order: ''
    - ToCHWImage:
  PostProcess:
    name: Topk
    topk: 5
    class_id_map_file: ./flowers/label_list.txt

Metric:
  Train:
    - TopkAcc:
        topk: [1, 5]
  Eval:
    - TopkAcc:
        topk: [1, 5]
"""

_FLOWERS = (("daisy", (250, 250, 240)), ("rose", (200, 30, 60)), ("sunflower", (245, 190, 20)))


def demo_files() -> dict[str, bytes]:
    """The project: relative path → content."""
    files: dict[str, bytes] = {CONFIG: _CONFIG_TEXT.encode()}
    train: list[str] = []
    val: list[str] = []
    for label, (name, colour) in enumerate(_FLOWERS, 1):
        for number in range(1, 5):
            image = f"{name}_{number}.png"
            files[f"flowers/{image}"] = _png(colour, number)
            (val if number == 4 else train).append(f"{image} {label}")
    val.append(train[0])  # an image of the training list, once more
    val.append("my rose.png 2")  # a path with the separator in it
    files["flowers/my rose.png"] = _png(_FLOWERS[1][1], 5)
    files["flowers/train_list.txt"] = ("\n".join(train) + "\n").encode()
    files["flowers/val_list.txt"] = ("\n".join(val) + "\n").encode()
    files["flowers/label_list.txt"] = b"0 daisy\n1 rose\n"
    return files


def write_demo(folder: str) -> None:
    """Write the project into a new or empty folder.

    Raises:
        FileExistsError: the folder holds something.
        OSError: it cannot be written.
    """
    if os.path.isdir(folder) and os.listdir(folder):
        raise FileExistsError(folder)
    for name, content in demo_files().items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "xb") as stream:
            stream.write(content)


def _png(colour: tuple[int, int, int], number: int, side: int = 32) -> bytes:
    """A coloured disc on green as a PNG (RFC 2083), so that the demo needs no image library."""
    rows = bytearray()
    radius = side * (5 + number) // 20
    for y in range(side):
        rows.append(0)
        for x in range(side):
            inside = (x - side // 2) ** 2 + (y - side // 2) ** 2 <= radius**2
            rows += bytes(colour if inside else (60, 120 + 4 * number, 60))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows))), (b"IEND", b""))
    body = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + body

"""The per-frame way of bench/augment.mjs: Pillow images through torchvision, one by one.

Reads one JSON object a line: {"frames": file of uint8 [N, T, H, W, 3], "shape": [N, T, H, W, 3], "size": S,
"augmentations": [...], "out": file for float32 [N, 3, T, S, S]}. Answers each with the milliseconds of processor time it took.
"""

import json
import sys
import time

import numpy as np
import torch
import torchvision.transforms.functional as F
from PIL import Image

torch.set_num_threads(1)

COLOURS = {
    "brightness": F.adjust_brightness,
    "contrast": F.adjust_contrast,
    "saturation": F.adjust_saturation,
    "hue": F.adjust_hue,
    "gamma": F.adjust_gamma,
}


def augment_frame(frame, augmentation, size):
    crop = augmentation["crop"]
    image = F.resized_crop(
        Image.fromarray(frame), crop["top"], crop["left"], crop["height"], crop["width"], [size, size]
    )
    steps = augmentation["steps"]
    for step in steps:
        if step["kind"] in COLOURS:
            image = COLOURS[step["kind"]](image, step["value"])
        elif step["kind"] == "gray":
            image = F.to_grayscale(image, 3)
    if augmentation["flip"]:
        image = F.hflip(image)
    tensor = F.to_tensor(image)
    for step in steps:
        if step["kind"] == "channel-drop":
            tensor[step["channel"]] = 0
        elif step["kind"] == "erase":
            for box in step["boxes"]:
                F.erase(tensor, box["top"], box["left"], box["height"], box["width"], 0, inplace=True)
    return tensor


if __name__ == "__main__":
    for line in sys.stdin:
        request = json.loads(line)
        clips = np.fromfile(request["frames"], np.uint8).reshape(request["shape"])
        started = time.process_time()
        batch = torch.stack(
            [
                torch.stack([augment_frame(frame, augmentation, request["size"]) for frame in clip], 1)
                for clip, augmentation in zip(clips, request["augmentations"])
            ]
        )
        milliseconds = 1000 * (time.process_time() - started)
        batch.numpy().tofile(request["out"])
        print(milliseconds, flush=True)

"""One side of bench/timebalance/whole.mjs: steps of the plain version with its loader, which decodes the whole file of
every video and transforms every frame of every clip by itself, in as many processes as there are processors. Prints the
wall seconds of a step.

    python3 whole.py <pretraining|labelled|student> <file of draws> <classes>
"""
import json
import os
import sys
import time

import torch
from torch.utils.data import DataLoader, Dataset

from step import SIZES, labelled_step, pretraining_step, student_step

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "video"))
from peers import official

KINDS = {"pretraining": pretraining_step, "labelled": labelled_step, "student": student_step}
WARM_UP = 2


class Videos(Dataset):
    def __init__(self, draws, side):
        self.draws, self.side = draws, side

    def __len__(self):
        return len(self.draws)

    def __getitem__(self, index):
        return official(self.draws[index], self.side)


if __name__ == "__main__":
    kind, file, classes = sys.argv[1], sys.argv[2], int(sys.argv[3])
    torch.set_num_threads(1)
    size = {**SIZES["demo"], "classes": classes}
    labelled, unlabelled = size["studentBatch"]
    batch = {"pretraining": size["pretextBatch"], "labelled": labelled, "student": labelled + unlabelled}[kind]
    with open(file) as lines:
        draws = json.load(lines)
    loader = DataLoader(Videos(draws, size["pixels"]), batch, num_workers=os.cpu_count(), drop_last=True)
    batches = iter(loader)
    step, _ = KINDS[kind](size, lambda: next(batches))
    for _ in range(WARM_UP):
        step()
    steps = len(loader) - WARM_UP
    started = time.perf_counter()
    for _ in range(steps):
        step()
    print((time.perf_counter() - started) / steps)

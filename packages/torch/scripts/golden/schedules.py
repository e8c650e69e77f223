"""Writes golden/optim/schedules.json: learning rates of PyTorch's own schedulers, for the tests of src/optim.

Run with a Python that has torch (1.13 or newer): python3 scripts/golden/schedules.py
"""

import math

import torch
from stored import write
from torch.optim import lr_scheduler as schedulers

STEPS = 24
LEARNING_RATES = [0.5, 0.01]


def optimizer():
    return torch.optim.SGD([{"params": [torch.zeros(1)], "lr": lr} for lr in LEARNING_RATES], lr=1.0)


def run(name, make, options):
    """The rates of both groups when the scheduler is made and after each step, exactly."""
    sgd = optimizer()
    scheduler = make(sgd)
    rates = [[group["lr"] for group in sgd.param_groups]]
    for _ in range(STEPS):
        sgd.step()
        scheduler.step()
        rates.append([group["lr"] for group in sgd.param_groups])
    return {"name": name, "options": options, "rates": rates}


def plateau(options, **settings):
    sgd = optimizer()
    scheduler = schedulers.ReduceLROnPlateau(sgd, **settings)
    rates = []
    for metric in METRICS:
        scheduler.step(float("nan") if metric is None else metric)
        rates.append([group["lr"] for group in sgd.param_groups])
    return {"options": options, "rates": rates}


def warmup_cosine(step, warmup=5, total=20, start=0.1, end=0.05):
    if step < warmup:
        return start + (1 - start) * step / warmup
    progress = min(1, (step - warmup) / (total - warmup))
    return end + (1 - end) * (1 + math.cos(math.pi * progress)) / 2


METRICS = [1.0, 0.9, 0.95, 0.91, 0.92, 0.93, 0.9, None, 0.5, 0.5, 0.5, 0.49999, 0.5, 0.5, 0.51, 0.4, 0.41, 0.42, 0.43, 0.44, 0.45]
CASES = [
    run("step", lambda o: schedulers.StepLR(o, 4), {"stepSize": 4}),
    run("step", lambda o: schedulers.StepLR(o, 7, gamma=0.3), {"stepSize": 7, "gamma": 0.3}),
    run("multiStep", lambda o: schedulers.MultiStepLR(o, [3, 9, 9], gamma=0.5), {"milestones": [3, 9, 9], "gamma": 0.5}),
    run("exponential", lambda o: schedulers.ExponentialLR(o, 0.9), {"gamma": 0.9}),
    run("constant", lambda o: schedulers.ConstantLR(o, 0.2, 4), {"factor": 0.2, "totalSteps": 4}),
    run("linear", lambda o: schedulers.LinearLR(o), {}),
    run("linear", lambda o: schedulers.LinearLR(o, 0.01, 0.8, 10), {"startFactor": 0.01, "endFactor": 0.8, "totalSteps": 10}),
    run("cosine", lambda o: schedulers.CosineAnnealingLR(o, STEPS), {"totalSteps": STEPS}),
    run("cosine", lambda o: schedulers.CosineAnnealingLR(o, 7, eta_min=0.001), {"totalSteps": 7, "minLr": 0.001}),
    run("lambda", lambda o: schedulers.LambdaLR(o, lambda step: 1 / (1 + step)), {}),
    run("lambdas", lambda o: schedulers.LambdaLR(o, [lambda step: 0.5**step, lambda step: 1 + step]), {}),
    run("warmupCosine", lambda o: schedulers.LambdaLR(o, warmup_cosine), {"warmupSteps": 5, "totalSteps": 20, "startFactor": 0.1, "endFactor": 0.05}),
    run("chained", lambda o: schedulers.ChainedScheduler([schedulers.ConstantLR(o, 0.1, 3), schedulers.ExponentialLR(o, 0.9)]), {}),
    run("sequential", lambda o: schedulers.SequentialLR(o, [schedulers.LinearLR(o, 0.1, 1, 4), schedulers.CosineAnnealingLR(o, 10), schedulers.StepLR(o, 2)], [4, 14]), {}),
]
PLATEAUS = [
    plateau({"patience": 2}, patience=2),
    plateau({"patience": 1, "cooldown": 2, "factor": 0.5, "minLr": 0.004}, patience=1, cooldown=2, factor=0.5, min_lr=0.004),
    plateau({"patience": 0, "threshold": 0.05, "thresholdMode": "abs", "minLr": [0.1, 0.0]}, patience=0, threshold=0.05, threshold_mode="abs", min_lr=[0.1, 0.0]),
    plateau({"mode": "max", "patience": 3, "threshold": 0.01}, mode="max", patience=3, threshold=0.01),
]
write("optim/schedules.json", {"learningRates": LEARNING_RATES, "cases": CASES, "metrics": METRICS, "plateaus": PLATEAUS})

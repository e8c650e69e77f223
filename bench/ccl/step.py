# The same training step as step.mjs, in plain PyTorch. Reads a line of JSON with the draws of each step, answers
# {"milliseconds": processor time, "loss": …}.
import json
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

data = {key: value for key, value in torch.load(sys.argv[1]).items()}
options = json.loads(sys.argv[2])
torch.set_num_threads(1)


class Block(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = None
        if stride != 1 or inputs != width:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class Encoder(nn.Module):
    """A ResNet of basic blocks of the state's width and depth, and its two heads."""

    def __init__(self, state):
        super().__init__()
        width = state["encoder_q.conv1.weight"].shape[0]
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inputs = width
        for stage in range(1, 5):
            depth = 1 + max(int(key.split(".")[2]) for key in state if key.startswith(f"encoder_q.layer{stage}."))
            planes = width * 2 ** (stage - 1)
            blocks = [Block(inputs if k == 0 else planes, planes, 2 if k == 0 and stage > 1 else 1) for k in range(depth)]
            setattr(self, f"layer{stage}", nn.Sequential(*blocks))
            inputs = planes
        size = state["encoder_q.fc.2.weight"].shape[0]
        self.fc, self.cycle_fc = (
            nn.Sequential(nn.Linear(inputs, inputs), nn.ReLU(), nn.Linear(inputs, size)) for _ in range(2)
        )

    def forward(self, x):
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x)))).mean((2, 3))
        return F.normalize(self.fc(x), dim=1), F.normalize(self.cycle_fc(x), dim=1)


def encoder(side):
    model = Encoder(data)
    heads = {f"{side}_cycle_fc.": "cycle_fc.", f"encoder_{side}.": ""}
    state = {}
    for key, value in data.items():
        for prefix, own in heads.items():
            if key.startswith(prefix):
                state[own + key[len(prefix) :]] = value
    model.load_state_dict(state)
    return model


query_encoder, key_encoder = encoder("q"), encoder("k")
key_encoder.requires_grad_(False)
queue, queue_cycle = data["queue"].clone(), data["queue_cycle"].clone()
pointers = [0, 0]
images = {name: data[name].squeeze(-3) for name in ("query", "key", "candidates")}
optimizer = torch.optim.SGD(
    query_encoder.parameters(), lr=options["lr"], momentum=options["momentum"], weight_decay=options["weightDecay"]
)
m, temperature, neighbours = options["keyMomentum"], options["temperature"], options["neighbours"]


def enqueue(number, store, keys):
    start = pointers[number]
    store[:, start : start + len(keys)] = keys.T
    pointers[number] = (start + len(keys)) % store.shape[1]


def step(draws):
    optimizer.zero_grad(set_to_none=True)
    q, q_cycle = query_encoder(images["query"])
    with torch.no_grad():
        for average, parameter in zip(key_encoder.parameters(), query_encoder.parameters()):
            average.mul_(m).add_(parameter, alpha=1 - m)
        frames = images["candidates"]
        k, k_cycle = key_encoder(torch.cat([images["key"], frames.flatten(0, 1)]))
        videos = len(q)
        rows = torch.arange(videos)
        positive = k[videos:].reshape(len(frames), videos, -1)[torch.tensor(draws["intraPositive"]), rows]
        positive_cycle = k_cycle[videos:].reshape(len(frames), videos, -1)[torch.tensor(draws["cyclePositive"]), rows]
    target = torch.zeros(videos, dtype=torch.long)
    logits = torch.cat([(q * positive).sum(1, keepdim=True), q @ queue.clone()], 1) / temperature
    intra = F.cross_entropy(logits, target)
    order = torch.tensor(draws["queueOrder"])
    u, w = queue_cycle[:, order[:neighbours]], queue_cycle[:, order[neighbours:]]
    alpha = F.softmax(q_cycle @ u / temperature, 1)
    soft = F.normalize(alpha @ u.T, dim=1)
    back = torch.cat([(soft * positive_cycle).sum(1, keepdim=True), soft @ w], 1) / temperature
    loss = intra + options["cycleWeight"] * F.cross_entropy(back, target)
    enqueue(0, queue, k[:videos])
    enqueue(1, queue_cycle, k_cycle[:videos])
    value = loss.item()
    loss.backward()
    optimizer.step()
    return value


for line in sys.stdin:
    draws = json.loads(line)
    started = time.process_time()
    value = step(draws)
    print(json.dumps({"milliseconds": 1000 * (time.process_time() - started), "loss": value}), flush=True)

"""The SiamFC tracker of CCL's evaluation written plainly with PyTorch and OpenCV, for tracker.mjs to measure against.

Reads requests, one JSON object a line, and answers each with one: `prepare` loads weights and frames, `run` tracks.
"""

import json
import sys
import time

import cv2
import numpy as np
import torch
import torch.nn.functional as F
import torchvision

EXEMPLAR, SEARCH, CONTEXT = 120, 255, 0.5
SCALES = 1.0375 ** np.array([-1.0, 0.0, 1.0])
UP, INFLUENCE, PENALTY, RATE = 272, 0.176, 0.9745, 0.59
MEAN = torch.tensor([123.675, 116.28, 103.53]).view(1, 3, 1, 1)
DEVIATION = torch.tensor([58.395, 57.12, 57.375]).view(1, 3, 1, 1)


class Network(torch.nn.Module):
    def __init__(self, head, out_scale):
        super().__init__()
        self.backbone = torchvision.models.resnet18()
        for stage, dilation in ((self.backbone.layer3, 2), (self.backbone.layer4, 4)):
            for index, block in enumerate(stage):
                step = max(1, dilation // 2) if index == 0 else dilation
                block.conv1.stride, block.conv1.dilation, block.conv1.padding = (1, 1), (step, step), (step, step)
                if block.downsample is not None:
                    block.downsample[0].stride = (1, 1)
        del self.backbone.fc
        self.exemplar_head = torch.nn.Conv2d(512, head, 1)
        self.search_head = torch.nn.Conv2d(512, head, 1)
        self.out_scale = out_scale

    def features(self, x):
        net = self.backbone
        x = net.maxpool(net.relu(net.bn1(net.conv1((x - MEAN) / DEVIATION))))
        return net.layer4(net.layer3(net.layer2(net.layer1(x))))


def crop(image, centre, side, size):
    side = max(side, 2)
    x0, y0, x1, y1 = (int(v) for v in np.round([centre[1] - side / 2, centre[0] - side / 2, centre[1] + side / 2, centre[0] + side / 2]))
    height, width = image.shape[:2]
    part = image[max(0, y0):min(height, y1), max(0, x0):min(width, x1)]
    rows, columns = round(size * part.shape[0] / (y1 - y0)), round(size * part.shape[1] / (x1 - x0))
    part = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_LINEAR)
    top, left = int(max(0, -y0) * size / (y1 - y0)), int(max(0, -x0) * size / (x1 - x0))
    colour = image.mean(axis=(0, 1))
    return cv2.copyMakeBorder(part, top, size - rows - top, left, size - columns - left, cv2.BORDER_CONSTANT, value=colour)


def tensor(patches):
    return torch.from_numpy(np.stack(patches)).permute(0, 3, 1, 2).float()


class Tracker:
    def __init__(self, network, image, box):
        self.network = network
        self.centre = np.array([box[1] - 1 + (box[3] - 1) / 2, box[0] - 1 + (box[2] - 1) / 2])
        self.size = np.array([box[3], box[2]], dtype=float)
        side = np.sqrt(np.prod(self.size + CONTEXT * self.size.sum()))
        self.search_side = side * SEARCH / EXEMPLAR
        window = np.outer(np.hanning(UP), np.hanning(UP))
        self.window = window / window.sum()
        self.kernel = network.exemplar_head(network.features(tensor([crop(image, self.centre, side, EXEMPLAR)])))

    def update(self, image):
        network = self.network
        patches = [crop(image, self.centre, self.search_side * scale, SEARCH) for scale in SCALES]
        features = network.search_head(network.features(tensor(patches)))
        responses = (F.conv2d(features, self.kernel) * network.out_scale).squeeze(1).numpy()
        responses = np.stack([cv2.resize(r, (UP, UP), interpolation=cv2.INTER_CUBIC) for r in responses])
        responses[[0, 2]] *= PENALTY
        best = int(np.argmax(responses.max(axis=(1, 2))))
        response = responses[best] - responses[best].min()
        response = (1 - INFLUENCE) * response / (response.sum() + 1e-16) + INFLUENCE * self.window
        place = np.array(np.unravel_index(response.argmax(), response.shape))
        scale = SCALES[best]
        self.centre = self.centre + (place - (UP - 1) / 2) * 8 / 16 * self.search_side * scale / SEARCH
        growth = 1 - RATE + RATE * scale
        self.size, self.search_side = self.size * growth, self.search_side * growth
        left_top = self.centre + 1 - (self.size - 1) / 2
        return [left_top[1], left_top[0], self.size[1], self.size[0]]


def main():
    torch.set_num_threads(int(sys.argv[1]))
    cv2.setNumThreads(int(sys.argv[1]))
    network = frames = None
    for line in sys.stdin:
        request = json.loads(line)
        if request['do'] == 'prepare':
            network = Network(request['head'], request['outScale'])
            network.load_state_dict(torch.load(request['weights']))
            network.eval()
            frames = np.fromfile(request['frames'], np.uint8).reshape(request['shape'])
            print(json.dumps({}), flush=True)
            continue
        with torch.no_grad():
            tracker = Tracker(network, frames[0], request['box'])
            started = time.perf_counter()
            boxes = [tracker.update(frame) for frame in frames[1:]]
            seconds = time.perf_counter() - started
        print(json.dumps({'seconds': seconds, 'boxes': boxes}), flush=True)


main()

"""The other side of bench/video/compare.mjs: clips read by PyAV, OpenCV and torchvision on all processors.

Reads one JSON object a line: {"reader": name, "size": [W, H] or null, "clips": [{"path", "frames", "times",
"augmentations"}], "out": file or null}. Answers with the wall and processor seconds it took. `frames` are numbers, `times` seconds from the
start of the video. With `out`, the pixels (uint8 R, G, B) are written there, one clip after the other.
"""

import json
import multiprocessing
import os
import sys
import time

import av
import cv2
import numpy as np
import torch
import torchvision

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from augment import augment_frame

av.logging.set_level(av.logging.PANIC)


def with_pyav(clip, size):
    """Jumps to the key frame before the clip, decodes to its end, converts and scales the wanted frames only."""
    with av.open(clip["path"]) as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        start = (stream.start_time or 0) * stream.time_base
        stamps = [round((start + t) / stream.time_base) for t in clip["times"]]
        wanted = set(stamps)
        found = {}
        container.seek(min(wanted), stream=stream)
        for frame in container.decode(stream):
            if frame.pts in wanted:
                width, height = size or (frame.width, frame.height)
                found[frame.pts] = frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="BICUBIC")
            if frame.pts >= max(wanted):
                break
    return np.stack([found[stamp] for stamp in stamps])


def whole_with_pyav(clip, size):
    """Decodes and scales every frame once: what a frame store can't do without. Nothing is kept."""
    with av.open(clip["path"]) as container:
        container.streams.video[0].thread_count = 1
        for frame in container.decode(video=0):
            frame.to_ndarray(format="rgb24", width=size[0], height=size[1], interpolation="BICUBIC")


def with_opencv(clip, size):
    capture = cv2.VideoCapture(clip["path"])
    first, last = min(clip["frames"]), max(clip["frames"])
    capture.set(cv2.CAP_PROP_POS_FRAMES, first)
    found = {}
    for number in range(first, last + 1):
        capture.grab()
        if number in clip["frames"]:
            image = cv2.cvtColor(capture.retrieve()[1], cv2.COLOR_BGR2RGB)
            found[number] = image if size is None else cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)
    capture.release()
    return np.stack([found[number] for number in clip["frames"]])


def with_torchvision(clip, size):
    """read_video decodes and converts every frame of the span."""
    times = clip["times"]
    video, _, _ = torchvision.io.read_video(clip["path"], min(times), max(times), "sec", "TCHW")
    first = min(clip["frames"])
    chosen = video[[min(number - first, len(video) - 1) for number in clip["frames"]]]
    if size is not None:
        chosen = torchvision.transforms.functional.resize(chosen, [size[1], size[0]])
    return chosen.permute(0, 2, 3, 1).numpy()


def official(clip, side):
    """TimeBalance's loader: the whole file is decoded, then every frame of every clip is transformed by itself."""
    with av.open(clip["path"]) as container:
        container.streams.video[0].thread_count = 1
        video = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    clips = zip(clip["frames"], clip["augmentations"])
    return torch.stack(
        [torch.stack([augment_frame(video[k], augmentation, side) for k in frames], 1) for frames, augmentation in clips]
    )


READERS = {
    "pyav": with_pyav,
    "pyav-whole": whole_with_pyav,
    "opencv": with_opencv,
    "torchvision": with_torchvision,
    "official": official,
}


def start():
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def work(task):
    """The pixels stay in the worker unless they are wanted, so that passing them on costs the peers nothing."""
    reader, clip, size, keep = task
    started = time.process_time()
    pixels = READERS[reader](clip, tuple(size) if isinstance(size, list) else size)
    return time.process_time() - started, pixels if keep else None


if __name__ == "__main__":
    with multiprocessing.Pool(os.cpu_count(), start) as pool:
        for line in sys.stdin:
            request = json.loads(line)
            out = request.get("out")
            tasks = [(request["reader"], clip, request["size"], out is not None) for clip in request["clips"]]
            started = time.perf_counter()
            results = pool.map(work, tasks, chunksize=1)
            wall = time.perf_counter() - started
            if out is not None:
                with open(out, "wb") as file:
                    for _, pixels in results:
                        file.write(np.ascontiguousarray(pixels).tobytes())
            print(json.dumps({"wall": wall, "processor": sum(seconds for seconds, _ in results)}), flush=True)

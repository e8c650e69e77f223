"""Reads clips with PyAV for store.mjs: a request per line in, its time per line out."""

import json
import sys
import time

import av


def size(stream, short_side):
    scale = short_side / min(stream.width, stream.height)
    return round(stream.width * scale), round(stream.height * scale)


def read_clip(path, start, count, short_side, whole):
    """uint8 [count, H, W, 3]; `whole` decodes the file to its end, as the papers' loaders do, else it seeks."""
    frames = []
    with av.open(path) as container:
        stream = container.streams.video[0]
        width, height = size(stream, short_side)
        seconds = start / float(stream.average_rate)
        origin = stream.start_time or 0
        if not whole:
            container.seek(origin + int(seconds / stream.time_base), stream=stream)
        for frame in container.decode(stream):
            number = round(float((frame.pts - origin) * stream.time_base * stream.average_rate))
            if number < start:
                continue
            if len(frames) < count:
                frames.append(frame.reformat(width, height, 'rgb24', interpolation='BICUBIC').to_ndarray())
            elif not whole:
                break
    return frames


for line in sys.stdin:
    request = json.loads(line)
    wall, processor = time.perf_counter(), time.process_time()
    clips = [read_clip(*clip, request['count'], request['shortSide'], request['whole']) for clip in request['clips']]
    answer = {'seconds': time.perf_counter() - wall, 'processorSeconds': time.process_time() - processor}
    if request.get('out'):
        with open(request['out'], 'wb') as out:
            for clip in clips:
                for frame in clip:
                    out.write(frame.tobytes())
    answer['frames'] = sum(len(clip) for clip in clips)
    print(json.dumps(answer), flush=True)

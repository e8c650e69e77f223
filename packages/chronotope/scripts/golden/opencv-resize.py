"""Reference values of cv2.resize for src/augment/opencv-resize.ts. Needs OpenCV and NumPy; prints JSON."""

import json
import cv2
import numpy as np

METHODS = {
    'linear': cv2.INTER_LINEAR,
    'cubic': cv2.INTER_CUBIC,
    'area': cv2.INTER_AREA,
    'nearest': cv2.INTER_NEAREST,
    'lanczos': cv2.INTER_LANCZOS4,
}
SIZES = [(9, 11, 9, 11), (9, 11, 5, 6), (9, 11, 13, 17), (12, 12, 7, 18), (13, 10, 26, 30)]

rng = np.random.default_rng(7)
cases = []
for height, width, out_height, out_width in SIZES:
    image = rng.integers(0, 256, (height, width), dtype=np.uint8)
    results = {name: cv2.resize(image, (out_width, out_height), interpolation=flag).tolist() for name, flag in METHODS.items()}
    cases.append({'image': image.tolist(), 'height': out_height, 'width': out_width, 'results': results})
print(json.dumps({'source': f'OpenCV {cv2.__version__}, cv2.resize on uint8', 'cases': cases}, separators=(',', ':')))

"""Runs the Python programs of docs/torch-guide.md and checks that they print what the guide says.

Run with a Python that has torch (1.13 or newer): python3 scripts/golden/guide.py
"""

import re
import subprocess
import sys
from pathlib import Path

GUIDE = Path(__file__).resolve().parents[4] / "docs" / "torch-guide.md"
PROGRAM = re.compile(r"^## \d+\. (.*?)$.*?^```python\n(.*?)^```\n.*?^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)

programs = PROGRAM.findall(GUIDE.read_text())
assert len(programs) == 5, f"{len(programs)} programs"
for title, code, expected in programs:
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed == expected, f"{title} prints\n{printed}and not\n{expected}"
    print("ok:", title)

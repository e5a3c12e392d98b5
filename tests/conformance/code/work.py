"""The one program of this suite's training and processing jobs: what it does follows from `--do`."""

import argparse
import os
import time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--do", choices=["succeed", "fail", "wait"])
parser.add_argument("--output", default=os.environ.get("SM_MODEL_DIR"))
options, _ = parser.parse_known_args()

if options.do == "fail":
    raise ValueError("the data is bad")
if options.do == "wait":
    time.sleep(3600)
Path(options.output, "answer.txt").write_text("42")

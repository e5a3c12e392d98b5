"""Train the digits classifier: SageMaker script mode, and a plain script elsewhere.

Without a channel it learns from the handwritten digits that scikit-learn carries, but for the rows that
``split`` holds out to judge models by. With one, it learns from every row of every ``*.csv`` file in it: a
header, the 64 pixels by their names (0 white to 16 black) and the column ``target`` (the digit).

The metrics it prints are measured on a fifth of its rows by a model of the other four fifths; the model it
writes has learned from all of them. Its ``inference.py`` goes beside the model: the archive serves as it is.
"""

import argparse
import json
import os
import shutil
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

TARGET = "target"
DIGITS = list(range(10))
HELD_OUT_ROWS = 450
VALIDATION_FRACTION = 0.2
SPLIT_SEED = 42  # no hyperparameter: models are comparable only on the same held-out rows


def bundled() -> pd.DataFrame:
    return load_digits(as_frame=True).frame.astype(int)  # whole numbers that come as floats


def read_channel(channel: Path) -> pd.DataFrame:
    """Read a channel's CSV files, in the order of their names, with the bundled data's columns."""
    files = sorted(channel.rglob("*.csv"))
    if not files:
        raise SystemExit(f"{channel}: found no *.csv file, expected at least one; fill the channel 'train'")
    frame = pd.concat([pd.read_csv(file) for file in files], ignore_index=True)
    expected = bundled().columns
    if missing := [column for column in expected if column not in frame.columns]:
        raise SystemExit(f"{channel}: the columns {missing} are missing; expected {list(expected)}")
    return frame[expected]


def split(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split the bundled rows into those to learn from and those to judge by, always the same.

    Both are shuffled, each digit as frequent in both: any run of rows is a fair sample.
    """
    learned, held_out = train_test_split(
        frame, test_size=HELD_OUT_ROWS, random_state=SPLIT_SEED, stratify=frame[TARGET]
    )
    return learned, held_out


def fit(frame: pd.DataFrame, c: float, max_iter: int) -> Pipeline:
    model = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=max_iter))
    return model.fit(*features_and_target(frame))


def features_and_target(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    # Bare arrays: a model fitted on named columns warns on every request, which carries none. And in one
    # memory layout: sums depend on it in the last place, and it depends on where the frame came from.
    return np.ascontiguousarray(frame.drop(columns=TARGET), dtype=float), frame[TARGET].to_numpy()


def evaluate(model: Pipeline, validation: pd.DataFrame, rows: int) -> dict[str, float]:
    features, truth = features_and_target(validation)
    return {
        "accuracy": float(accuracy_score(truth, model.predict(features))),
        "log_loss": float(log_loss(truth, model.predict_proba(features), labels=model.classes_)),
        "n_train": rows,
        "n_validation": len(validation),
    }


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    # SageMaker's training toolkit passes a hyperparameter of one letter as -c, a longer one as --name.
    parser.add_argument("-c", "--c", type=float, default=1.0, help="inverse strength of the regularisation")
    parser.add_argument(
        "--max_iter", "--max-iter", type=int, default=1000, help="steps of the solver at most"
    )
    parser.add_argument("--train", type=Path, default=os.environ.get("SM_CHANNEL_TRAIN"))
    parser.add_argument("--model-dir", type=Path, default=os.environ.get("SM_MODEL_DIR"))
    args = parser.parse_args(argv)
    if args.model_dir is None:
        parser.error("no place for the model: give --model-dir or set SM_MODEL_DIR")
    return args


def main(argv: list[str] | None = None) -> None:
    args = parse(argv)
    rows = read_channel(args.train) if args.train else split(bundled())[0]
    if missing := sorted(set(DIGITS) - set(rows[TARGET])):
        raise SystemExit(f"the digits {missing} are in none of {len(rows)} rows; expected each of {DIGITS}")
    learned, validation = train_test_split(rows, test_size=VALIDATION_FRACTION, random_state=SPLIT_SEED)
    metrics = evaluate(fit(learned, args.c, args.max_iter), validation, len(rows))

    code = args.model_dir / "code"
    code.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(Path(__file__).with_name("inference.py"), code / "inference.py")
    joblib.dump(fit(rows, args.c, args.max_iter), args.model_dir / "model.joblib")
    (args.model_dir / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    for name, value in metrics.items():
        print(f"validation:{name}={value:.6g};")  # read by a training job's metric definitions


if __name__ == "__main__":
    main()

"""Train the breast cancer classifier: SageMaker script mode, and a plain script elsewhere.

Without a channel the Wisconsin breast cancer data that scikit-learn carries is used. With one, every
``*.csv`` file in it is read: a header, the thirty features by their names, and the column ``target``
(0 malignant, 1 benign).
"""

import argparse
import json
import os
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, recall_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

TARGET = "target"
MALIGNANT = 0
TEST_FRACTION = 0.25
SPLIT_SEED = 42  # no hyperparameter: releases are comparable only on the same held-out rows


def bundled() -> pd.DataFrame:
    return load_breast_cancer(as_frame=True).frame


def read_channel(channel: Path) -> pd.DataFrame:
    """Read a channel's CSV files, in the order of their names, with the bundled data's columns."""
    files = sorted(channel.glob("*.csv"))
    if not files:
        raise SystemExit(f"{channel}: found no *.csv file, expected at least one; fill the channel 'train'")
    frame = pd.concat([pd.read_csv(file) for file in files], ignore_index=True)
    expected = bundled().columns
    if missing := [column for column in expected if column not in frame.columns]:
        raise SystemExit(f"{channel}: the columns {missing} are missing; expected {list(expected)}")
    return frame[expected]


def split(frame: pd.DataFrame, test_fraction: float = TEST_FRACTION) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split rows into those to learn from and those held out, always the same for the same rows."""
    learned, held_out = train_test_split(
        frame, test_size=test_fraction, random_state=SPLIT_SEED, stratify=frame[TARGET]
    )
    return learned, held_out


def make_estimator(name: str, c: float, seed: int) -> Pipeline:
    if name == "stump":
        return make_pipeline(DecisionTreeClassifier(max_depth=1, random_state=seed))
    return make_pipeline(StandardScaler(), LogisticRegression(C=c, random_state=seed))


def features_and_target(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    # Bare arrays: a model fitted on named columns warns on every request, which carries none. And in one
    # memory layout: sums depend on it in the last place, and it depends on where the frame came from.
    return np.ascontiguousarray(frame.drop(columns=TARGET)), frame[TARGET].to_numpy()


def evaluate(model: Pipeline, held_out: pd.DataFrame, n_train: int) -> dict[str, float]:
    features, truth = features_and_target(held_out)
    labels = model.predict(features)
    benign = model.predict_proba(features)[:, 1]
    return {
        "accuracy": float(accuracy_score(truth, labels)),
        "roc_auc": float(roc_auc_score(truth, benign)),
        "malignant_recall": float(recall_score(truth, labels, pos_label=MALIGNANT)),
        "n_train": n_train,
        "n_test": len(held_out),
    }


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    # SageMaker's training toolkit passes a hyperparameter of one letter as -c, a longer one as --name.
    parser.add_argument("-c", "--c", type=float, default=1.0, help="inverse strength of the regularisation")
    parser.add_argument("--estimator", choices=("logistic", "stump"), default="logistic")
    parser.add_argument("--seed", type=int, default=0, help="of the estimator; the split has its own")
    parser.add_argument("--test-fraction", type=float, default=TEST_FRACTION)
    parser.add_argument("--train", type=Path, default=os.environ.get("SM_CHANNEL_TRAIN"))
    parser.add_argument("--model-dir", type=Path, default=os.environ.get("SM_MODEL_DIR"))
    parser.add_argument("--output-data-dir", type=Path, default=os.environ.get("SM_OUTPUT_DATA_DIR"))
    args = parser.parse_args(argv)
    if args.model_dir is None:
        parser.error("no place for the model: give --model-dir or set SM_MODEL_DIR")
    return args


def main(argv: list[str] | None = None) -> None:
    args = parse(argv)
    learned, held_out = split(read_channel(args.train) if args.train else bundled(), args.test_fraction)
    model = make_estimator(args.estimator, args.c, args.seed).fit(*features_and_target(learned))
    metrics = evaluate(model, held_out, len(learned))

    args.model_dir.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, args.model_dir / "model.joblib")
    (args.model_dir / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    if args.output_data_dir:
        args.output_data_dir.mkdir(parents=True, exist_ok=True)
        held_out.to_csv(args.output_data_dir / "held_out.csv", index=False)
    for name, value in metrics.items():
        print(f"held_out:{name}={value:.6g};")  # read by a training job's metric definitions


if __name__ == "__main__":
    main()

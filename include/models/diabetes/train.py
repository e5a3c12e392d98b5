"""Train the diabetes regressors: SageMaker script mode, and a plain script elsewhere.

Both estimators, ``ridge`` and ``boosting``, go into one archive; a variant chooses its own when it is served.
Without a channel the diabetes data that scikit-learn carries is used, in its raw units. With one, every
``*.csv`` file in it is read: a header, the ten features by their names, and the column ``target`` (the
progression of the disease one year after the baseline).
"""

import argparse
import json
import os
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.base import RegressorMixin
from sklearn.datasets import load_diabetes
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score, root_mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

TARGET = "target"
TEST_FRACTION = 0.25
SPLIT_SEED = 42  # no hyperparameter: releases are comparable only on the same held-out rows


def bundled() -> pd.DataFrame:
    return load_diabetes(as_frame=True, scaled=False).frame


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
    learned, held_out = train_test_split(frame, test_size=test_fraction, random_state=SPLIT_SEED)
    return learned, held_out


def make_estimators(alpha: float, iterations: int, seed: int) -> dict[str, RegressorMixin]:
    return {
        "ridge": make_pipeline(StandardScaler(), Ridge(alpha=alpha, random_state=seed)),
        "boosting": HistGradientBoostingRegressor(
            max_iter=iterations, learning_rate=0.05, max_leaf_nodes=6, random_state=seed
        ),
    }


def features_and_target(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    # Bare arrays: a model fitted on named columns warns on every request, which carries none. And in one
    # memory layout: sums depend on it in the last place, and it depends on where the frame came from.
    return np.ascontiguousarray(frame.drop(columns=TARGET)), frame[TARGET].to_numpy()


def evaluate(models: dict[str, RegressorMixin], held_out: pd.DataFrame, n_train: int) -> dict[str, float]:
    features, truth = features_and_target(held_out)
    metrics: dict[str, float] = {"n_train": n_train, "n_test": len(held_out)}
    for flavor, model in models.items():
        predicted = model.predict(features)
        metrics[f"{flavor}_rmse"] = float(root_mean_squared_error(truth, predicted))
        metrics[f"{flavor}_r2"] = float(r2_score(truth, predicted))
    return metrics


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--alpha", type=float, default=10.0, help="strength of ridge's regularisation")
    parser.add_argument("--iterations", type=int, default=80, help="trees of the boosting")
    parser.add_argument("--seed", type=int, default=0, help="of the estimators; the split has its own")
    parser.add_argument("--test-fraction", type=float, default=TEST_FRACTION)
    parser.add_argument("--train", type=Path, default=os.environ.get("SM_CHANNEL_TRAIN"))
    parser.add_argument("--model-dir", type=Path, default=os.environ.get("SM_MODEL_DIR"))
    parser.add_argument("--output-data-dir", type=Path, default=os.environ.get("SM_OUTPUT_DATA_DIR"))
    args = parser.parse_args(argv)
    if args.model_dir is None:
        parser.error("no place for the models: give --model-dir or set SM_MODEL_DIR")
    return args


def main(argv: list[str] | None = None) -> None:
    args = parse(argv)
    learned, held_out = split(read_channel(args.train) if args.train else bundled(), args.test_fraction)
    models = make_estimators(args.alpha, args.iterations, args.seed)
    for model in models.values():
        model.fit(*features_and_target(learned))
    metrics = evaluate(models, held_out, len(learned))

    args.model_dir.mkdir(parents=True, exist_ok=True)
    for flavor, model in models.items():
        joblib.dump(model, args.model_dir / f"{flavor}.joblib")
    (args.model_dir / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    if args.output_data_dir:
        args.output_data_dir.mkdir(parents=True, exist_ok=True)
        held_out.to_csv(args.output_data_dir / "held_out.csv", index=False)
    for name, value in metrics.items():
        print(f"held_out:{name}={value:.6g};")  # read by a training job's metric definitions


if __name__ == "__main__":
    main()

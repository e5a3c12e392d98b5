"""Candidate and champion on the same held-out rows: the program of the evaluation's processing job.

Below `--root` (/opt/ml) it finds

    processing/data/       the held-out files
    processing/candidate/  the candidate's model.tar.gz
    processing/champion/   the champion's, where there is one
    processing/code/       evaluate.py and this package; with `--script`, the team's program

and writes `processing/evaluation/predictions.csv` (row, truth, candidate, champion, candidate_score,
champion_score: a row for each held-out row, in their order) and `evaluation.json` (`{"rows": …}`). A model is
unpacked to <root>/model, as an endpoint's container has it, and answers in a process of its own (answer.py).
With `--script` the team's program writes predictions.csv instead, and what it wrote is held to the same.

Exits with 1 and the reason in <root>/output/message (the job's ExitMessage) unless each model has given
exactly one prediction for each row. A reason that starts with `champion:` is about the model that serves.
"""


class Failed(Exception):
    """What ends the evaluation, in words for a person."""

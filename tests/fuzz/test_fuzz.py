"""A short run of what `make fuzz` does for ten minutes, and that it would tell."""

from pathlib import Path

from tests.fuzz import run
from tests.fuzz.run import Hang, fuzz


def test_a_thousand_inputs_do_no_harm(tmp_path: Path) -> None:
    result = fuzz(7, tmp_path, inputs=1200)
    assert result.problem is None, (result.problem, result.kept)
    assert sum(result.inputs.values()) == 1200
    assert len(result.refusals) >= 15, "the inputs reach but a few of the reasons"


def test_harm_is_told_and_its_input_kept(tmp_path: Path) -> None:
    def fail() -> list[str]:
        raise Hang("too long")

    result = run.Result()
    run._try(result, "archive", b"the input", tmp_path, fail)
    assert "too long" in str(result.problem)
    assert result.kept is not None
    assert result.kept.read_bytes() == b"the input"

"""What is claimed against what the cars say."""

import pytest

from outrider.cli.truth import twice, untrue


@pytest.mark.parametrize(
    ("state", "outcome", "times", "true"),
    [
        ("executed", "done", 1, True),
        ("executed", "done", 0, False),
        ("executed", "already_done", 0, True),
        ("rejected", None, 0, True),
        ("rejected", None, 1, False),
        ("expired", None, 1, False),
        ("cancelled", None, 1, False),
        ("failed", None, 1, True),
        ("unconfirmed", None, 0, True),
        ("unconfirmed", None, 1, True),
    ],
)
def test_a_claim_is_true_if_the_car_agrees(state: str, outcome: str | None, times: int, true: bool) -> None:
    """Executed was done, certainly not was not; unconfirmed claims nothing."""
    command = {"id": "1", "vin": "V", "state": state, "outcome": outcome}

    assert (list(untrue([command], {("V", "1"): times})) == []) is true


def test_twice_is_twice_at_one_car() -> None:
    """The same command, more than once."""
    assert twice({("V", "1"): 2, ("V", "2"): 1}) == [("V", "1")]

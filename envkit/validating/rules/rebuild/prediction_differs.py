"""Rule `prediction-differs`: the answer in the rebuilt environment is the recorded one.

Exactly, or for numbers within `--rtol` and `--atol`. Missing values equal each other; texts are
equal or not.
"""

from envkit.formats import envkit_json
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.rebuild import Rebuilt

LOCATION = Location(envkit_json.FILE_NAME, field="prediction")


@rule("ENV403", "prediction-differs", Severity.ERROR)
def check(_: ModelFacts, rebuilt: Rebuilt) -> Faults:
    """Report each column that differs, with the largest difference."""
    for difference in rebuilt.differences:
        if rebuilt.varies:
            yield Fault(
                problem=f"{difference.text}; a second answer differs too",
                remedy="fix the model's seeds and capture it again, or allow the difference with "
                "`--rtol` or `--atol`",
                location=LOCATION,
            )
        else:
            yield Fault(
                problem=difference.text,
                remedy=(
                    "find what changed with `envkit diff`; if the difference does not matter, "
                    "allow it with `--rtol` or `--atol`"
                ),
                location=LOCATION,
            )

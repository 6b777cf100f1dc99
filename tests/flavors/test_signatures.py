"""The signatures of language models without an example, and those of OpenAI's request forms."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from envkit.flavors._shared import request_forms, task_signatures
from envkit.models.enforcement import enforce

TEXT = [{"type": "string", "required": True}]


def columns(schema: Any) -> dict[str, bool]:
    """Return the names, and whether they are required."""
    return {each["name"]: each["required"] for each in schema.to_dict()}


@pytest.mark.parametrize(
    "task", ["fill-mask", "text-generation", "translation_en_to_fr", "summarization", "ner"]
)
def test_text_to_text_tasks_have_unnamed_columns(task: str) -> None:
    found = task_signatures.signature_of(task)

    assert found is not None
    assert [each and each.to_dict() for each in (found.inputs, found.outputs)] == [TEXT, TEXT]


@pytest.mark.parametrize(
    ("task", "inputs", "outputs"),
    [
        ("text-classification", None, ["label", "score"]),
        (
            "zero-shot-classification",
            ["sequences", "candidate_labels", "hypothesis_template"],
            None,
        ),
        ("table-question-answering", ["query", "table"], None),
        ("question-answering", ["question", "context"], None),
    ],
)
def test_other_tasks_name_their_columns(
    task: str, inputs: list[str] | None, outputs: list[str] | None
) -> None:
    found = task_signatures.signature_of(task)

    assert found is not None
    assert inputs is None or list(columns(found.inputs)) == inputs
    assert outputs is None or list(columns(found.outputs)) == outputs


def test_an_unknown_task_has_no_signature() -> None:
    assert task_signatures.signature_of("depth-estimation") is None


@pytest.mark.parametrize(
    ("form", "needed"),
    [("llm/v1/chat", "messages"), ("llm/v1/completions", "prompt"), ("llm/v1/embeddings", "input")],
)
def test_a_request_requires_its_question_only(form: str, needed: str) -> None:
    found = columns(request_forms.signature(form).inputs)

    assert [name for name, required in found.items() if required] == [needed]


def test_options_of_a_request_that_are_missing_in_the_example_reach_the_model() -> None:
    request = pd.DataFrame([{"prompt": "a good day", "max_tokens": 3, "temperature": 0.5}])

    found = enforce(request, request_forms.signature("llm/v1/completions"))

    assert list(found.columns) == ["prompt", "temperature", "max_tokens"]

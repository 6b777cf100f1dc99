"""What a pipeline of transformers takes and gives, by its task, when no example tells it: as MLflow has it."""

from __future__ import annotations

from envkit.models.data_types import DataType
from envkit.models.schema import ColSpec, Schema, TensorSpec
from envkit.models.signature import ModelSignature

_TEXTS_TO_TEXTS = (
    "conversational",
    "fill-mask",
    "ner",
    "summarization",
    "text-generation",
    "text2text-generation",
    "token-classification",
    "translation",
)
_TEXT, _NUMBER = DataType.string, DataType.double
_UNNAMED = Schema([ColSpec(_TEXT)])


def of_task(task: str) -> ModelSignature | None:
    """Give the signature of a task; None for one that MLflow has none for."""
    if task.startswith("translation") or task in _TEXTS_TO_TEXTS:
        return ModelSignature(_UNNAMED, _UNNAMED)
    return {
        "text-classification": ModelSignature(_UNNAMED, _named(label=_TEXT, score=_NUMBER)),
        "image-classification": ModelSignature(_UNNAMED, _named(label=_TEXT, score=_NUMBER)),
        "zero-shot-classification": ModelSignature(
            _named(sequences=_TEXT, candidate_labels=_TEXT, hypothesis_template=_TEXT),
            _named(sequence=_TEXT, labels=_TEXT, scores=_NUMBER),
        ),
        "automatic-speech-recognition": ModelSignature(
            Schema([ColSpec(DataType.binary)]), _UNNAMED
        ),
        "audio-classification": ModelSignature(
            Schema([ColSpec(DataType.binary)]), _named(score=_NUMBER, label=_TEXT)
        ),
        "table-question-answering": ModelSignature(_named(query=_TEXT, table=_TEXT), _UNNAMED),
        "question-answering": ModelSignature(_named(question=_TEXT, context=_TEXT), _UNNAMED),
        "feature-extraction": ModelSignature(
            _UNNAMED, Schema([TensorSpec("float64", (-1,), "double")])
        ),
    }.get(task)


def _named(**columns: DataType) -> Schema:
    return Schema([ColSpec(kind, name=name) for name, kind in columns.items()])

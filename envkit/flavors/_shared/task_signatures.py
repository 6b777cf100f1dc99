"""The signatures of transformers' tasks without an input example, as MLflow writes them."""

from __future__ import annotations

from envkit.models.data_types import DataType
from envkit.models.schema import ColSpec, Schema, TensorSpec
from envkit.models.signature import ModelSignature

_TEXT_TO_TEXT = (
    "conversational",
    "fill-mask",
    "ner",
    "summarization",
    "text-generation",
    "text2text-generation",
    "token-classification",
    "translation",
)


def _columns(**columns: DataType) -> Schema:
    return Schema([ColSpec(kind, name=name) for name, kind in columns.items()])


_TEXT, _NUMBER = DataType.string, DataType.double
_UNNAMED_TEXT = Schema([ColSpec(_TEXT)])
_UNNAMED_BYTES = Schema([ColSpec(DataType.binary)])
_LABEL_AND_SCORE = _columns(label=_TEXT, score=_NUMBER)
_BY_TASK = {
    "text-classification": (_UNNAMED_TEXT, _LABEL_AND_SCORE),
    "image-classification": (_UNNAMED_TEXT, _LABEL_AND_SCORE),
    "zero-shot-classification": (
        _columns(sequences=_TEXT, candidate_labels=_TEXT, hypothesis_template=_TEXT),
        _columns(sequence=_TEXT, labels=_TEXT, scores=_NUMBER),
    ),
    "automatic-speech-recognition": (_UNNAMED_BYTES, _UNNAMED_TEXT),
    "audio-classification": (_UNNAMED_BYTES, _columns(score=_NUMBER, label=_TEXT)),
    "table-question-answering": (_columns(query=_TEXT, table=_TEXT), _UNNAMED_TEXT),
    "question-answering": (_columns(question=_TEXT, context=_TEXT), _UNNAMED_TEXT),
    "feature-extraction": (_UNNAMED_TEXT, Schema([TensorSpec("float64", (-1,), "double")])),
}


def signature_of(task: str) -> ModelSignature | None:
    """Return the signature of a task, or None if MLflow has none."""
    if task.startswith("translation") or task in _TEXT_TO_TEXT:
        return ModelSignature(_UNNAMED_TEXT, _UNNAMED_TEXT)
    if task not in _BY_TASK:
        return None
    inputs, outputs = _BY_TASK[task]
    return ModelSignature(inputs, outputs)

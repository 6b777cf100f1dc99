"""Stands in for `mlflow.transformers`: a transformers pipeline, or its components.

Needs: transformers and the framework of the model, such as torch; peft for adapters.
Takes: what the pipeline's task takes, or a data frame of it.
Returns: the pipeline's answer in the form that MLflow gives it: texts for tasks that generate
texts, a data frame for labels with scores, an array for features.
"""

from __future__ import annotations

import ast
import json
import os
import re
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Callable, Mapping

from ..request import Flavor, Request
from .native import NativeModel

COMPONENTS = "components"
PROCESSOR = "processor"
TEXT_CLASSIFICATION, SENTIMENT = "text-classification", "sentiment-analysis"
IMAGE_CLASSIFICATION, AUDIO_CLASSIFICATION = (
    "image-classification",
    "audio-classification",
)
ZERO_SHOT, FEATURES = "zero-shot-classification", "feature-extraction"
ENTITIES, NER = "token-classification", "ner"
FILL_MASK, GENERATION = "fill-mask", "text-generation"
SUMMARIZATION, TEXT_TO_TEXT = "summarization", "text2text-generation"
QUESTION, TABLE_QUESTION = "question-answering", "table-question-answering"
TRANSLATION, SPEECH = "translation", "automatic-speech-recognition"

TEMPLATED = (FEATURES, FILL_MASK, SUMMARIZATION, TEXT_TO_TEXT, GENERATION)
"""Tasks whose prompts are put into the model's prompt template."""
TAKE_TEXTS = (
    FILL_MASK,
    GENERATION,
    ENTITIES,
    NER,
    SUMMARIZATION,
    TRANSLATION,
    FEATURES,
)
RETURN_LABELS = (
    TEXT_CLASSIFICATION,
    SENTIMENT,
    IMAGE_CLASSIFICATION,
    AUDIO_CLASSIFICATION,
)
ANSWER_KEYS = {  # of the text in a pipeline's answer
    SUMMARIZATION: "summary_text",
    TEXT_TO_TEXT: "generated_text",
    GENERATION: "generated_text",
    QUESTION: "answer",
    TABLE_QUESTION: "answer",
    TRANSLATION: "translation_text",
    SPEECH: "text",
}
AUTO_CLASSES = {  # that find the class of a component
    "tokenizer": "AutoTokenizer",
    "feature_extractor": "AutoFeatureExtractor",
    "image_processor": "AutoImageProcessor",
    "processor": "AutoProcessor",
}


class Pipeline(NativeModel):
    """What `mlflow.pyfunc` calls.

    config: arguments of each call, which `params` override. template: what prompts are put into.
    flavor: its section of `MLmodel`.
    """

    def __init__(
        self,
        model: Any,
        config: Mapping[str, Any],
        template: str | None,
        flavor: Flavor,
    ) -> None:
        super().__init__(model)
        self._config = config
        self._template = template
        self._request_task = flavor.get("inference_task")
        self._name = flavor.get("source_model_name") or ""
        self._task = str(model.task)
        if self._task.startswith(TRANSLATION):
            self._task = TRANSLATION  # whatever the languages

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Predict. Raises `ValueError` for data that the pipeline's task cannot take."""
        options = {**self._config, **(params or {})}
        if self._request_task:
            from .transformers_requests import (
                answer_request,
            )  # not needed by other pipelines

            return answer_request(self.model, self._request_task, data, options, self._name)
        collapse = options.pop("collapse_whitespace", False)
        options.pop("include_prompt", None)
        inputs = self._inputs(data)
        if isinstance(inputs, dict):
            output = self.model(**inputs, **options)
        else:
            output = self.model(inputs, **options)
        if self._task == SPEECH and options.get("return_timestamps") in (
            "word",
            "char",
        ):
            return [json.dumps(output)]
        answer = self._answer(output, inputs)
        if collapse and _are_texts(answer):
            return [re.sub(r"\s+", " ", text).strip() for text in answer]
        return answer

    def _inputs(self, data: Any) -> Any:
        """Bring the data into the form that the pipeline takes."""
        values = _python_values(data, self._task)
        prepare = PREPARATIONS.get(self._task)
        if prepare is not None:
            values = prepare(values)
        elif self._task in TAKE_TEXTS:
            values = _first_values(values)
        if not self._template or self._task not in TEMPLATED:
            return values
        if isinstance(values, str):
            return self._template.format(prompt=values)
        return [self._template.format(prompt=value) for value in values]

    def _answer(self, output: Any, inputs: Any) -> Any:
        """Bring the pipeline's answer into the form that MLflow gives it."""
        if self._task in RETURN_LABELS:
            rows = [output] if isinstance(output, dict) else output
            return import_module("pandas").DataFrame(rows)
        if self._task == ZERO_SHOT:
            return _labels(output)
        if self._task == FEATURES:
            if hasattr(output, "dtype"):
                return output
            return import_module("numpy").array(output[0][0])
        if self._task in (ENTITIES, NER):
            has_several = output and isinstance(output[0], list)
            texts = output if has_several else [output]
            return [_entities(entities).strip() for entities in texts]
        if self._task == FILL_MASK:
            texts = _fillings(output)
        else:
            texts = _texts(output, ANSWER_KEYS[self._task])
        texts = [text.strip() for text in texts]
        if isinstance(inputs, str):
            return texts[:1]
        return texts


def load(path: str, request: Request) -> Pipeline:  # noqa: ARG001 - as the other loaders
    """Load the pipeline."""
    flavor = request["flavors"]["transformers"]
    config = request["python_function"].get("config")
    if config is None:
        config = _saved_config(request["model"])
    template = (request.get("metadata") or {}).get("prompt_template")
    model = load_native(request["model"], flavor)
    return Pipeline(model, config, template, flavor)


def load_native(
    folder: str,
    flavor: Flavor,
    *,
    components: bool = False,
    base_model_path: str | None = None,
    **options: Any,
) -> Any:
    """Load the pipeline of a model directory.

    components: load its parts only, as arguments of `transformers.pipeline`. base_model_path: where
    the weights are that a PEFT adapter is put on. options: others of the pipeline.
    """
    library = import_module("transformers")
    parts = {
        "model": _model(library, folder, flavor, base_model_path),
        **_components(library, folder, flavor),
    }
    dtype = options.pop("torch_dtype", None) or flavor.get("torch_dtype")
    if dtype:
        if isinstance(dtype, str):
            dtype = getattr(import_module("torch"), dtype.rpartition(".")[2])
        parts["model"] = parts["model"].to(dtype)
    if components:
        return {"task": flavor["task"], **parts}
    if flavor.get("processor_type"):
        raise ValueError("a model that was saved with a processor has components, but no pipeline")
    if flavor.get("framework") and _major_version(library) < 5:
        options.setdefault("framework", flavor["framework"])
    return library.pipeline(task=flavor["task"], **{**parts, **options})


def _model(
    library: Any,
    folder: str,
    flavor: Flavor,
    base: str | None,
) -> Any:
    """Load the model of a pipeline: from the model directory, a base model, or a repository."""
    model_class = getattr(library, flavor["pipeline_model_type"], None)
    base = base or flavor.get("local_base_model_path")
    revision = flavor.get("source_model_revision")
    options = {}
    if base is None and revision is not None:
        place, options = flavor["source_model_name"], {"revision": revision}
    else:
        place = base or os.path.join(folder, flavor.get("model_binary") or "model")
    model = _read(model_class, library.AutoModel, place, **options)
    if flavor.get("peft_adaptor"):
        adapter = os.path.join(folder, flavor["peft_adaptor"])
        return import_module("peft").PeftModel.from_pretrained(model, adapter)
    return model


def _components(library: Any, folder: str, flavor: Flavor) -> dict[str, Any]:
    """Load the other parts of a pipeline, such as its tokenizer."""
    names = list(flavor.get("components", ()))
    if flavor.get("processor_type"):
        names.append(PROCESSOR)
    components = {}
    for name in names:
        component_class = getattr(library, flavor.get(f"{name}_type", ""), None)
        place, options = os.path.join(folder, COMPONENTS, name), {}
        if flavor.get(f"{name}_revision"):
            place, options = (
                flavor[f"{name}_name"],
                {"revision": flavor[f"{name}_revision"]},
            )
        if name == "image_processor" and find_spec("PIL") is not None:
            import_module("PIL.Image")  # transformers asks only whether it is installed
        auto_class = getattr(library, AUTO_CLASSES[name])
        components[name] = _read(component_class, auto_class, place, **options)
    return components


def _read(
    saved_class: Any,
    auto_class: Any,
    place: str,
    **options: Any,
) -> Any:
    """Load with the class that was saved.

    Where the library lacks it, with the one that finds a class.
    """
    if saved_class is not None and hasattr(saved_class, "from_pretrained"):
        return saved_class.from_pretrained(place, **options)
    return auto_class.from_pretrained(place, trust_remote_code=True, **options)


def _saved_config(folder: str) -> Mapping[str, Any]:
    """Read the arguments of calls that MLflow before 2.6 kept in a file of their own."""
    path = os.path.join(folder, COMPONENTS, "inference_config.txt")
    if not os.path.isfile(path):
        return {}
    with open(path, encoding="utf-8") as stream:
        config: Mapping[str, Any] = json.load(stream)
    return config


def _major_version(library: Any) -> int:
    return int(library.__version__.partition(".")[0])


def _python_values(data: Any, task: str) -> Any:
    """Convert a data frame to records.

    For zero-shot classification to its columns, without repetition.
    """
    if not hasattr(data, "iloc"):
        return data
    if task != ZERO_SHOT:
        return data.to_dict(orient="records")
    columns = {}
    for name, values in data.to_dict(orient="list").items():
        unique: list[Any] = []
        for value in values:
            if value not in unique:
                unique.append(value)
        columns[name] = unique if len(unique) > 1 and _are_texts(unique) else unique[0]
    return columns


def _first_values(values: Any) -> Any:
    """Give the first value of each record; what is not a list of records stays."""
    if not _are_records(values):
        return values
    return [next(iter(record.values())) for record in values]


def _classified(values: Any) -> Any:
    """Keep records with `text` and `text_pair`; those of another single column become texts."""
    if isinstance(values, dict):
        return [values]
    if not isinstance(values, list) or not values or not isinstance(values[0], dict):
        return values
    names = list(values[0])
    if set(names) <= {"text", "text_pair"}:
        return values
    if len(names) > 1:
        raise ValueError(
            f"text classification takes the columns text and text_pair, not {', '.join(names)}"
        )
    return [_literal(value) for value in _first_values(values)]


def _literal(value: Any) -> Any:
    """Read the text of a dictionary; everything else stays."""
    if not isinstance(value, str) or not value.startswith("{"):
        return value
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value


def _generated(values: Any) -> Any:
    """Write a dictionary of texts as `key: value …`, which models for many tasks can read."""
    if isinstance(values, dict):
        if "inputs" not in values and _are_texts(list(values)):
            return " ".join(f"{key}: {value}" for key, value in values.items())
        return list(values.values())
    if not _are_records(values):
        return values
    if 0 in values[0]:  # a data frame without names
        return _first_values(values)
    return [_generated(record) for record in values]


def _questions(values: Any) -> Any:
    """Give questions with their contexts."""
    rows = [values] if isinstance(values, dict) else list(values)
    if not all({"question", "context"} <= set(row) for row in rows):
        raise ValueError("question answering takes the columns question and context")
    if len(rows) == 1:
        return dict(rows[0])
    return {name: [row[name] for row in rows] for name in ("question", "context")}


def _candidates(values: Any) -> Any:
    """Read the labels for zero-shot classification, which may be a JSON text."""
    labels = values.get("candidate_labels")
    if isinstance(labels, str) and labels.startswith("["):
        return {**values, "candidate_labels": json.loads(labels)}
    return values


def _table_questions(values: Any) -> Any:
    """Give questions with the table that they are about."""
    rows = [values] if isinstance(values, dict) else list(values)
    table = rows[0]["table"]
    if isinstance(table, str):
        table = ast.literal_eval(table)
    queries = [row["query"] for row in rows]
    return {
        "table": table,
        "query": queries if len(queries) > 1 else queries[0],
    }


def _files(values: Any) -> Any:
    """Give the files, or the only one."""
    values = _first_values(values)
    if isinstance(values, list) and len(values) == 1:
        return values[0]
    return values


def _texts(output: Any, key: str) -> list[str]:
    """Give the texts under a key, however deep the lists are."""
    if isinstance(output, dict):
        return [output[key]]
    texts = []
    for item in output:
        texts += _texts(item, key)
    return texts


def _fillings(output: Any) -> list[str]:
    """Give the best filling of each text."""
    if isinstance(output[0], dict):
        return [output[0]["token_str"]]
    fillings = []
    for candidates in output:
        best = candidates[0]
        if isinstance(best, list):  # of a text with several masks, the first one
            best = best[0]
        fillings.append(best["token_str"])
    return fillings


def _entities(entities: Any) -> str:
    """List the kinds of the entities in a text."""
    return ",".join(entity.get("entity_group") or entity["entity"] for entity in entities)


def _labels(output: Any) -> Any:
    """Make a data frame with a row for each label of each text."""
    rows = []
    for result in [output] if isinstance(output, dict) else output:
        for label, score in zip(result["labels"], result["scores"]):  # noqa: B905 - Python 3.8
            rows.append(
                {
                    "sequence": result["sequence"],
                    "labels": label,
                    "scores": score,
                }
            )
    return import_module("pandas").DataFrame(rows)


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _are_records(values: Any) -> bool:
    if not isinstance(values, list) or not values:
        return False
    return all(isinstance(value, dict) for value in values)


PREPARATIONS: dict[str, Callable[[Any], Any]] = {  # of inputs, by task
    TEXT_CLASSIFICATION: _classified,
    SENTIMENT: _classified,
    TEXT_TO_TEXT: _generated,
    QUESTION: _questions,
    ZERO_SHOT: _candidates,
    TABLE_QUESTION: _table_questions,
    SPEECH: _files,
    AUDIO_CLASSIFICATION: _files,
    IMAGE_CLASSIFICATION: _first_values,
}

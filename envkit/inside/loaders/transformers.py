"""In place of `mlflow.transformers`: a pipeline of transformers, or its parts.

A pipeline's answer is brought into the form that MLflow gives: texts for what generates texts, a
data frame for what tells labels and scores, an array for features.
"""

from __future__ import annotations

import ast
import json
import os
import re
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Callable, Mapping

from .native import Native

COMPONENTS = "components"
PROCESSOR = "processor"
SPEECH = "automatic-speech-recognition"
TEMPLATED = (
    "feature-extraction",
    "fill-mask",
    "summarization",
    "text2text-generation",
    "text-generation",
)
OF_TEXTS = (
    "fill-mask",
    "text-generation",
    "token-classification",
    "ner",
    "summarization",
    "text2text-generation",
)
ANSWERS = {  # the key of an answer that is what was asked for, of tasks that give texts
    "summarization": "summary_text",
    "text2text-generation": "generated_text",
    "text-generation": "generated_text",
    "question-answering": "answer",
    "table-question-answering": "answer",
    SPEECH: "text",
    "fill-mask": "token_str",
}
TABLES = (
    "text-classification",
    "sentiment-analysis",
    "image-classification",
    "audio-classification",
)
AUTO = {  # the classes that find what kind a component is
    "tokenizer": "AutoTokenizer",
    "feature_extractor": "AutoFeatureExtractor",
    "image_processor": "AutoImageProcessor",
    "processor": "AutoProcessor",
}


class Pipeline(Native):
    """What `mlflow.pyfunc` calls.

    config: arguments of each call, which `params` override. template: what a prompt is put into.
    flavor: its section of `MLmodel`.
    """

    def __init__(
        self, model: Any, config: Mapping[str, Any], template: str | None, flavor: Mapping[str, Any]
    ) -> None:
        super().__init__(model)
        self._config, self._template = config, template
        self._llm_task, self._name = (
            flavor.get("inference_task"),
            flavor.get("source_model_name") or "",
        )
        self._task = "translation" if str(model.task).startswith("translation") else model.task

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Predict. Raises `ValueError` for data that the pipeline's task cannot take."""
        if self._llm_task:
            from .transformers_requests import answer_request

            options = {**self._config, **(params or {})}
            return answer_request(self.model, self._llm_task, data, options, self._name)
        options = {**self._config, **(params or {})}
        collapse = options.pop("collapse_whitespace", False)
        options.pop("include_prompt", None)
        given = self._given(data)
        if isinstance(given, dict):
            answer = self.model(**given, **options)
        else:
            answer = self.model(given, **options)
        if self._task == SPEECH and options.get("return_timestamps") in ("word", "char"):
            return [json.dumps(answer)]
        found = self._answer(answer, given)
        if collapse and _are_texts(found):
            return [re.sub(r"\s+", " ", each).strip() for each in found]
        return found

    def _given(self, data: Any) -> Any:
        """Give the data as the pipeline takes them."""
        values = _values(data, self._task)
        prepare: Callable[[Any], Any] | None = PREPARATIONS.get(self._task)
        if prepare is not None:
            values = prepare(values)
        elif self._task in (*OF_TEXTS, "translation", "feature-extraction"):
            values = _first_values(values)
        if self._template and self._task in TEMPLATED:
            texts = [
                self._template.format(prompt=each)
                for each in ([values] if isinstance(values, str) else values)
            ]
            values = texts[0] if isinstance(values, str) else texts
        return values

    def _answer(self, answer: Any, given: Any) -> Any:
        if self._task in TABLES:
            return import_module("pandas").DataFrame(
                [answer] if isinstance(answer, dict) else answer
            )
        if self._task == "zero-shot-classification":
            return _labels(answer)
        if self._task == "feature-extraction":
            numpy = import_module("numpy")
            if hasattr(answer, "dtype"):
                return answer
            return numpy.array(answer[0][0])
        if self._task in ("token-classification", "ner"):
            several = answer and isinstance(answer[0], list)
            found = [_entities(each) for each in (answer if several else [answer])]
        elif self._task == "fill-mask":
            found = _fillings(answer)
        else:
            found = _texts(
                answer, "translation_text" if self._task == "translation" else ANSWERS[self._task]
            )
        texts = [text.strip() for text in found]
        if isinstance(given, str) and self._task not in ("token-classification", "ner"):
            return texts[:1]
        return texts


def load(path: str, request: Mapping[str, Any]) -> Pipeline:  # noqa: ARG001 - as the other loaders
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
    flavor: Mapping[str, Any],
    *,
    components: bool = False,
    base_model_path: str | None = None,
    **options: Any,
) -> Any:
    """Give the pipeline of a model directory, or its parts by name, as `transformers.pipeline` takes them.

    base_model_path: where the weights lie that an adapter of PEFT is put on. options: others of the
    pipeline.
    """
    library = import_module("transformers")
    parts = _parts(library, folder, flavor, base_model_path)
    dtype = options.pop("torch_dtype", None) or flavor.get("torch_dtype")
    if dtype:
        if isinstance(dtype, str):
            dtype = getattr(import_module("torch"), dtype.rpartition(".")[2])
        parts["model"] = parts["model"].to(dtype)
    if components:
        return {"task": flavor["task"], **parts}
    if flavor.get("processor_type"):
        raise ValueError(
            "a model that was saved with a processor is no pipeline: load its components"
        )
    if flavor.get("framework") and _major(library) < 5:
        options.setdefault("framework", flavor["framework"])
    return library.pipeline(task=flavor["task"], **{**parts, **options})


def _parts(
    library: Any, folder: str, flavor: Mapping[str, Any], base: str | None
) -> dict[str, Any]:
    kind = getattr(library, flavor["pipeline_model_type"], None)
    base = base or flavor.get("local_base_model_path")
    revision = flavor.get("source_model_revision")
    if base is None and revision is not None:
        model = _read(kind, library.AutoModel, flavor["source_model_name"], revision=revision)
    else:
        own = os.path.join(folder, flavor.get("model_binary") or "model")
        model = _read(kind, library.AutoModel, base or own)
    if flavor.get("peft_adaptor"):
        model = import_module("peft").PeftModel.from_pretrained(
            model, os.path.join(folder, flavor["peft_adaptor"])
        )
    parts = {"model": model}
    names = [*flavor.get("components", ()), *([PROCESSOR] if flavor.get("processor_type") else [])]
    for name in names:
        kind = getattr(library, flavor.get(f"{name}_type", ""), None)
        where, given = os.path.join(folder, COMPONENTS, name), {}
        if flavor.get(f"{name}_revision"):
            where, given = flavor[f"{name}_name"], {"revision": flavor[f"{name}_revision"]}
        if name == "image_processor" and find_spec("PIL") is not None:
            import_module("PIL.Image")  # transformers asks only whether it is installed
        parts[name] = _read(kind, getattr(library, AUTO[name]), where, **given)
    return parts


def _read(kind: Any, auto: Any, where: str, **options: Any) -> Any:
    """Load by the class that was saved; by the one that finds the class when this library has it no more."""
    if kind is not None and hasattr(kind, "from_pretrained"):
        return kind.from_pretrained(where, **options)
    return auto.from_pretrained(where, trust_remote_code=True, **options)


def _saved_config(folder: str) -> Mapping[str, Any]:
    """The arguments that MLflow before 2.6 kept in a file of their own."""
    path = os.path.join(folder, COMPONENTS, "inference_config.txt")
    if not os.path.isfile(path):
        return {}
    with open(path, encoding="utf-8") as stream:
        config: Mapping[str, Any] = json.load(stream)
    return config


def _major(library: Any) -> int:
    return int(library.__version__.partition(".")[0])


def _values(data: Any, task: str) -> Any:
    """Give a data frame as records; of zero-shot classification its columns, each value once."""
    if not hasattr(data, "iloc"):
        return data
    if task != "zero-shot-classification":
        return data.to_dict(orient="records")
    columns = {}
    for name, values in data.to_dict(orient="list").items():
        unique = [each for index, each in enumerate(values) if each not in values[:index]]
        columns[name] = unique if len(unique) > 1 and _are_texts(unique) else unique[0]
    return columns


def _first_values(values: Any) -> Any:
    """Give the texts of records of one column."""
    if isinstance(values, list) and values and all(isinstance(each, dict) for each in values):
        return [next(iter(each.values())) for each in values]
    return values


def _classified(values: Any) -> Any:
    """Records with `text` and `text_pair` stay; those of another single column are texts."""
    if not isinstance(values, list) or not values or not isinstance(values[0], dict):
        if isinstance(values, dict):
            return [values]
        return values
    if set(values[0]) <= {"text", "text_pair"}:
        return values
    if len(values[0]) > 1:
        raise ValueError(
            f"a text classification takes the columns text and text_pair, not {', '.join(values[0])}"
        )
    return [_literal(each) for each in _first_values(values)]


def _literal(text: Any) -> Any:
    try:
        if isinstance(text, str) and text.startswith("{"):
            return ast.literal_eval(text)
        return text
    except (ValueError, SyntaxError):
        return text


def _generated(values: Any) -> Any:
    """A dictionary of texts is told as `key: value …`, as models of many tasks are trained to read."""
    if isinstance(values, dict):
        if "inputs" not in values and all(isinstance(key, str) for key in values):
            return " ".join(f"{key}: {value}" for key, value in values.items())
        return list(values.values())
    if isinstance(values, list) and values and all(isinstance(each, dict) for each in values):
        if 0 in values[0]:
            return _first_values(values)
        return [_generated(each) for each in values]
    return values


def _asked(values: Any) -> Any:
    """Questions with their contexts."""
    rows = [values] if isinstance(values, dict) else list(values)
    if not all({"question", "context"} <= set(row) for row in rows):
        raise ValueError("question answering takes the columns question and context")
    if len(rows) == 1:
        return dict(rows[0])
    return {key: [row[key] for row in rows] for key in ("question", "context")}


def _candidates(values: Any) -> Any:
    labels = values.get("candidate_labels")
    if isinstance(labels, str) and labels.startswith("["):
        return {**values, "candidate_labels": json.loads(labels)}
    return values


def _tabled(values: Any) -> Any:
    rows = [values] if isinstance(values, dict) else list(values)
    table = rows[0]["table"]
    queries = [row["query"] for row in rows]
    return {
        "table": ast.literal_eval(table) if isinstance(table, str) else table,
        "query": queries if len(queries) > 1 else queries[0],
    }


def _files(values: Any) -> Any:
    values = _first_values(values)
    if isinstance(values, list) and len(values) == 1:
        return values[0]
    return values


PREPARATIONS: Mapping[str, Callable[[Any], Any]] = {
    "text-classification": _classified,
    "sentiment-analysis": _classified,
    "text2text-generation": _generated,
    "question-answering": _asked,
    "zero-shot-classification": _candidates,
    "table-question-answering": _tabled,
    SPEECH: _files,
    "audio-classification": _files,
    "image-classification": _first_values,
}


def _texts(answer: Any, key: str) -> list[str]:
    """The texts under that key, however deep the lists are."""
    if isinstance(answer, dict):
        return [answer[key]]
    return [text for each in answer for text in _texts(each, key)]


def _fillings(answer: Any) -> list[str]:
    """The best filling of each text."""
    if isinstance(answer[0], dict):
        return [answer[0]["token_str"]]
    return [
        each[0]["token_str"] if isinstance(each[0], dict) else each[0][0]["token_str"]
        for each in answer
    ]


def _entities(found: Any) -> str:
    return ",".join(each.get("entity_group") or each["entity"] for each in found)


def _labels(answer: Any) -> Any:
    rows = [
        {"sequence": each["sequence"], "labels": label, "scores": score}
        for each in ([answer] if isinstance(answer, dict) else answer)
        for label, score in zip(each["labels"], each["scores"])  # noqa: B905 - Python 3.8
    ]
    return import_module("pandas").DataFrame(rows)


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(each, str) for each in values)

"""Pipelines of transformers, their parts, and checkpoints.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.transformers.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

from envkit.errors import InvalidArgument
from envkit.flavors._shared import loading, request_forms, task_signatures
from envkit.flavors._shared.flavor import Flavor, Options
from envkit.inside.loaders import transformers as loader
from envkit.models.signature import ModelSignature
from envkit.pyfunc import saving

FLAVOR_NAME = "transformers"
_FLAVOR = Flavor(
    name=FLAVOR_NAME,
    loader=loader,
    library="transformers",
    version_key="transformers_version",
    also=("torch",),
    parameter="transformers_model",
)
_PARTS = ("feature_extractor", "tokenizer", "image_processor")
_OF_REQUESTS = {
    request_forms.CHAT: "text-generation",
    request_forms.COMPLETIONS: "text-generation",
    request_forms.EMBEDDINGS: "feature-extraction",
}


@saving.with_options
def save_model(
    transformers_model: Any,
    path: str | Path,
    *,
    processor: Any = None,
    task: str | None = None,
    torch_dtype: Any = None,
    model_card: Any = None,
    model_config: Mapping[str, Any] | None = None,
    prompt_template: str | None = None,
    **options: Unpack[Options],
) -> None:
    """Save a pipeline, a dictionary of its parts (`model`, `tokenizer`, …), or the folder of a checkpoint.

    task: of the pipeline, which parts and checkpoints need; or `llm/v1/chat`, `llm/v1/completions`,
    `llm/v1/embeddings`, and it answers requests in OpenAI's form. processor: saved beside the
    parts; such a model is loaded as parts and does not predict. torch_dtype: the type of the
    weights when it is loaded. model_card: a text that goes along. model_config: arguments of each
    call. prompt_template: a text with `{prompt}` into which each prompt is put. The other
    parameters are those of `envkit.pyfunc.saving.save`.
    """
    _FLAVOR.imported()
    request = task if task in _OF_REQUESTS else None
    pipeline = _pipeline(transformers_model, _OF_REQUESTS.get(task or "", task))
    if request and pipeline.task != _OF_REQUESTS[request]:
        raise InvalidArgument(
            f"task {request} is for a pipeline of {_OF_REQUESTS[request]}, not of {pipeline.task}."
        )
    _check_template(prompt_template, pipeline.task)
    if pipeline.task == "zero-shot-classification":
        options["input_example"] = _labels_as_text(options.get("input_example"))
    names = [name for name in _PARTS if getattr(pipeline, name, None) is not None]

    def put(folder: Path) -> None:
        pipeline.model.save_pretrained(folder)
        parts = folder.parent / loader.COMPONENTS
        for name in names:
            getattr(pipeline, name).save_pretrained(parts / name)
        if processor is not None:
            processor.save_pretrained(parts / loader.PROCESSOR)
        if model_card is not None:
            (folder.parent / "model_card.md").write_text(str(model_card), encoding="utf-8")

    fields = _section(pipeline, names, processor, torch_dtype)
    config = dict(model_config or {})
    if prompt_template and pipeline.task == "text-generation":
        config.setdefault("return_full_text", False)
    _FLAVOR.save(
        path,
        put,
        options,
        data="model",
        fields={**fields, **({"inference_task": request} if request else {})},
        python_function={"model_config": config} if config else {},
        predicts=processor is None,
        signature=_signature(request, pipeline.task, options.get("input_example")),
        metadata={
            **({"task": request} if request else {}),
            **({"prompt_template": prompt_template} if prompt_template else {}),
        },
    )


def load_model(
    model_uri: str | Path,
    dst_path: str | Path | None = None,
    return_type: str = "pipeline",
    device: Any = None,
    base_model_path: str | Path | None = None,
    **kwargs: Any,
) -> Any:
    """Load the pipeline, or its parts by name.

    return_type: `pipeline` or `components`. device: where it is to run. base_model_path: the
    weights that an adapter of PEFT belongs to. kwargs: others of `transformers.pipeline`.
    """
    if return_type not in ("pipeline", "components"):
        raise InvalidArgument(f"return_type is pipeline or components, not {return_type!r}.")
    model, section = loading.opened(model_uri, FLAVOR_NAME, dst_path)
    base = str(base_model_path) if base_model_path is not None else None
    options = {**({"device": device} if device is not None else {}), **kwargs}
    whole = return_type == "pipeline"
    return loader.load_native(
        str(model.path), section, components=not whole, base_model_path=base, **options
    )


_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model


def get_default_pip_requirements(model: Any = None) -> list[str]:  # noqa: ARG001 - MLflow's asks the model
    """Give the requirements that every model of this flavor has at least."""
    return _FLAVOR.get_default_pip_requirements()


def get_default_conda_env(model: Any = None) -> dict[str, Any]:
    """Give the conda environment that every model of this flavor needs at least."""
    return saving.conda_environment(get_default_pip_requirements(model))


def _pipeline(given: Any, task: str | None) -> Any:
    library = _FLAVOR.imported()
    if isinstance(given, library.Pipeline):
        return given
    if isinstance(given, str | Path):
        folder = Path(given)
        if not (folder / "config.json").is_file():
            raise InvalidArgument(f"{folder} is no checkpoint: it has no config.json.")
        given = {"model": str(folder), "tokenizer": str(folder)}
    if not isinstance(given, Mapping) or "model" not in given:
        raise InvalidArgument(
            "transformers_model is a pipeline, its parts with a `model`, or a checkpoint's folder."
        )
    if task is None:
        raise InvalidArgument(
            "task says what a pipeline of these parts is to do, as `text-classification`."
        )
    return library.pipeline(task=task, **given)


def _section(pipeline: Any, names: list[str], processor: Any, dtype: Any) -> dict[str, Any]:
    """Describe the pipeline as MLflow does: what each part is, and where the model came from."""
    own = getattr(pipeline, "framework", None)
    dtype = dtype or getattr(pipeline.model, "dtype", None)
    return {
        "task": pipeline.task,
        "instance_type": type(pipeline).__name__,
        **({"framework": own} if own else {}),
        **({"torch_dtype": str(dtype)} if dtype else {}),
        "pipeline_model_type": type(pipeline.model).__name__,
        "source_model_name": pipeline.model.name_or_path,
        "model_binary": "model",
        **{f"{name}_type": type(getattr(pipeline, name)).__name__ for name in names},
        **({"processor_type": type(processor).__name__} if processor is not None else {}),
        "components": names,
    }


def _check_template(template: str | None, task: str) -> None:
    if template is None:
        return
    if template.count("{prompt}") != 1:
        raise InvalidArgument("prompt_template holds `{prompt}` once, where each prompt is put.")
    if task not in loader.TEMPLATED:
        raise InvalidArgument(
            f"prompt_template is for {', '.join(loader.TEMPLATED)}, not for {task}."
        )


def _labels_as_text(example: Any) -> Any:
    """Give the example with its labels in one text, as MLflow's signature has them."""
    if isinstance(example, tuple):
        return (_labels_as_text(example[0]), *example[1:])
    if isinstance(example, Mapping):
        labels = example.get("candidate_labels")
    else:
        labels = None
    if isinstance(labels, list):
        return {**example, "candidate_labels": json.dumps(labels)}
    return example


def _signature(request: str | None, task: str, example: Any) -> ModelSignature | None:
    """Requests have a signature of their own; of others an example tells it, or the task."""
    if request:
        return request_forms.signature(request)
    if example is None:
        return task_signatures.of_task(task)
    return None

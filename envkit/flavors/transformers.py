"""transformers pipelines, their parts, and checkpoints.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.transformers.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

from envkit.errors import InvalidArgument
from envkit.flavors._shared import loading, request_forms, task_signatures
from envkit.flavors._shared.flavor import Content, Flavor, Options
from envkit.inside.loaders import transformers as loader
from envkit.models.signature import ModelSignature
from envkit.pyfunc import saving

FLAVOR_NAME = "transformers"
_FLAVOR = Flavor(
    name=FLAVOR_NAME,
    loader=loader,
    library="transformers",
    version_key="transformers_version",
    requires=("torch",),
    parameter="transformers_model",
)
_COMPONENTS = ("feature_extractor", "tokenizer", "image_processor")
# The task of the pipeline that answers requests of a form.
_TASK_OF_FORM = {
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
    """Save a transformers model. Corresponds to `mlflow.transformers.save_model`.

    Args:
        transformers_model: A pipeline, a dict of its parts (`model`, `tokenizer`, …), or the
            folder of a checkpoint.
        path: The model directory; a new or an empty folder.
        processor: Processor to save with the parts; the model is then loaded as parts and does not
            predict.
        task: Task of the pipeline, required for parts and checkpoints; or `llm/v1/chat`,
            `llm/v1/completions` or `llm/v1/embeddings` for a model that answers requests in
            OpenAI's form.
        torch_dtype: Type of the weights when the model is loaded.
        model_card: Text to store with the model.
        model_config: Arguments of each call of the pipeline.
        prompt_template: Text with `{prompt}`, into which each prompt is inserted.
        **options: Parameters that every flavor has: those of `envkit.pyfunc.save_model` from
            `conda_env` to `timeout`, and `extra_files`, a list of files to copy into the model.

    Raises:
        ToolNotFound: If transformers is not installed.
        InvalidArgument: If an argument is invalid.
        CaptureFailed: If the model does not load and predict in a process of its own.
    """
    form = task if task in _TASK_OF_FORM else None
    pipeline_task = _TASK_OF_FORM[form] if form else task
    pipeline = _pipeline(transformers_model, pipeline_task)
    if form and pipeline.task != pipeline_task:
        raise InvalidArgument(
            f"task {form} needs a pipeline for {pipeline_task}, not for {pipeline.task}."
        )
    _check_template(prompt_template, pipeline.task)
    if pipeline.task == "zero-shot-classification":
        options["input_example"] = _with_labels_as_text(options.get("input_example"))
    components = [name for name in _COMPONENTS if getattr(pipeline, name, None) is not None]

    def write(folder: Path) -> None:
        pipeline.model.save_pretrained(folder)
        parts = folder.parent / loader.COMPONENTS
        for name in components:
            getattr(pipeline, name).save_pretrained(parts / name)
        if processor is not None:
            processor.save_pretrained(parts / loader.PROCESSOR)
        if model_card is not None:
            (folder.parent / "model_card.md").write_text(str(model_card), encoding="utf-8")

    section = _section(pipeline, components, processor, torch_dtype)
    config = dict(model_config or {})
    metadata = {}
    if form:
        section["inference_task"] = form
        metadata["task"] = form
    if prompt_template:
        metadata["prompt_template"] = prompt_template
        if pipeline.task == "text-generation":
            # Otherwise the answer would repeat the template.
            config.setdefault("return_full_text", False)
    content = Content(
        data="model",
        write=write,
        section=section,
        python_function={"model_config": config} if config else {},
        predicts=processor is None,
        signature=_signature(form, pipeline.task, options.get("input_example")),
        metadata=metadata,
    )
    _FLAVOR.save(path, options, content)


def load_model(
    model_uri: str | Path,
    dst_path: str | Path | None = None,
    return_type: str = "pipeline",
    device: Any = None,
    base_model_path: str | Path | None = None,
    **kwargs: Any,
) -> Any:
    """Load a transformers model. Corresponds to `mlflow.transformers.load_model`.

    Loading a model runs its code.

    Args:
        model_uri: Path or URI of a model that envkit or MLflow saved.
        dst_path: Existing folder for the files of a remote model.
        return_type: `pipeline`, or `components` for the parts.
        device: Device of the pipeline.
        base_model_path: Folder of the weights that a PEFT adapter belongs to.
        **kwargs: Further arguments of `transformers.pipeline`.

    Returns:
        The pipeline, or a dict of its parts.

    Raises:
        ModelNotFound: If there is no model.
        InvalidFile: If the model does not have this flavor, or is malformed.
        InvalidArgument: If `return_type` is unknown.
        ToolNotFound: If transformers is not installed.
    """
    if return_type not in ("pipeline", "components"):
        raise InvalidArgument(f"return_type must be pipeline or components, not {return_type!r}.")
    model, section = loading.open_flavor(model_uri, FLAVOR_NAME, dst_path)
    options = {} if device is None else {"device": device}
    options.update(kwargs)
    return loader.load_native(
        str(model.path),
        section,
        components=return_type == "components",
        base_model_path=None if base_model_path is None else str(base_model_path),
        **options,
    )


_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model


def get_default_pip_requirements(model: Any = None) -> list[str]:  # noqa: ARG001 - as MLflow
    """Return the requirements that every model of this flavor has at least.

    Args:
        model: Accepted and ignored.

    Returns:
        PEP 508 lines, pinned to the installed versions.
    """
    return _FLAVOR.get_default_pip_requirements()


def get_default_conda_env(model: Any = None) -> dict[str, Any]:  # noqa: ARG001 - as MLflow
    """Return the conda environment that every model of this flavor needs at least.

    Args:
        model: Accepted and ignored.

    Returns:
        Content of a `conda.yaml`.
    """
    return _FLAVOR.get_default_conda_env()


def _pipeline(model: Any, task: str | None) -> Any:
    """Return a pipeline, made of parts or of a checkpoint if necessary."""
    library = _FLAVOR.import_library()
    if isinstance(model, library.Pipeline):
        return model
    if isinstance(model, str | Path):
        folder = Path(model)
        if not (folder / "config.json").is_file():
            raise InvalidArgument(f"{folder} is not a checkpoint: it has no config.json.")
        model = {"model": str(folder), "tokenizer": str(folder)}
    if not isinstance(model, Mapping) or "model" not in model:
        raise InvalidArgument(
            "transformers_model must be a pipeline, a dict of its parts with a `model`, or the "
            "folder of a checkpoint."
        )
    if task is None:
        raise InvalidArgument(
            "Parts and checkpoints need a task, for example task='text-classification'."
        )
    return library.pipeline(task=task, **model)


def _section(
    pipeline: Any, components: list[str], processor: Any, torch_dtype: Any
) -> dict[str, Any]:
    """Describe a pipeline as MLflow does: the type of each part, and the model's origin."""
    framework = getattr(pipeline, "framework", None)
    dtype = torch_dtype or getattr(pipeline.model, "dtype", None)
    section = {"task": pipeline.task, "instance_type": type(pipeline).__name__}
    if framework:
        section["framework"] = framework
    if dtype:
        section["torch_dtype"] = str(dtype)
    section["pipeline_model_type"] = type(pipeline.model).__name__
    section["source_model_name"] = pipeline.model.name_or_path
    section["model_binary"] = "model"
    for name in components:
        section[f"{name}_type"] = type(getattr(pipeline, name)).__name__
    if processor is not None:
        section["processor_type"] = type(processor).__name__
    section["components"] = components
    return section


def _check_template(template: str | None, task: str) -> None:
    if template is None:
        return
    if template.count("{prompt}") != 1:
        raise InvalidArgument("prompt_template must contain `{prompt}` exactly once.")
    if task not in loader.TEMPLATED:
        tasks = ", ".join(loader.TEMPLATED)
        raise InvalidArgument(f"prompt_template works for {tasks}, not for {task}.")


def _with_labels_as_text(example: Any) -> Any:
    """Return an example with its labels in one text, as MLflow's signature has them."""
    if isinstance(example, tuple):
        return (_with_labels_as_text(example[0]), *example[1:])
    if not isinstance(example, Mapping) or not isinstance(example.get("candidate_labels"), list):
        return example
    return {**example, "candidate_labels": json.dumps(example["candidate_labels"])}


def _signature(form: str | None, task: str, example: Any) -> ModelSignature | None:
    """Return the signature of a form or a task; None if an example determines it."""
    if form:
        return request_forms.signature(form)
    if example is None:
        return task_signatures.signature_of(task)
    return None

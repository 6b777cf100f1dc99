"""The interface of a model, its signature and examples: the parts of it that cannot be read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from envkit.errors import InvalidArgument, InvalidFile
from envkit.formats import mlmodel
from envkit.formats.text import MAX_BYTES, read_text
from envkit.models.input_example import FILE_NAME, SERVING_FILE_NAME
from envkit.validating.files import requirement_files
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import Broken


def broken_parts(facts: ModelFacts) -> Iterator[Broken]:
    """Yield the parts of the signature, and the examples, that are malformed."""
    if facts.mlmodel is None:
        return
    if facts.mlmodel.signature is not None:
        yield from _broken_signature(facts.mlmodel.signature)
    for name in _example_names(facts.mlmodel):
        yield from _broken_example(facts, name)


def _broken_signature(signature: Mapping[str, Any]) -> Iterator[Broken]:
    # 15 ms that only a model with a signature costs
    from envkit.models.param_schema import ParamSchema
    from envkit.models.schema import Schema

    readers = {
        "inputs": Schema.from_json,
        "outputs": Schema.from_json,
        "params": ParamSchema.from_json,
    }
    for part, read in readers.items():
        if not signature.get(part):
            continue
        try:
            read(signature[part])
        except (InvalidArgument, RecursionError) as error:
            reason = str(error).rstrip(".")
            yield Broken(
                file=mlmodel.FILE_NAME,
                field=f"signature.{part}",
                problem=f"is not a valid schema: {reason}",
                hint="Save the model again with its signature.",
            )


def _example_names(content: mlmodel.MLModel) -> list[str]:
    """The example and the request made of it, under the names in `MLmodel` or MLflow's."""
    names = [FILE_NAME, SERVING_FILE_NAME]
    if content.example is not None:
        names[0] = content.example.path
        names[1] = content.example.serving_path or SERVING_FILE_NAME
    return names


def _broken_example(facts: ModelFacts, name: str) -> Iterator[Broken]:
    path = facts.path / name
    # a missing file has its own rule, and a larger one would take seconds
    if not facts.has(name) or path.stat().st_size > MAX_BYTES:
        return
    try:
        json.loads(read_text(path))
    except InvalidFile as error:
        yield requirement_files.broken(error, facts.path)
    except json.JSONDecodeError as error:
        yield Broken(
            file=name,
            field=f"line {error.lineno}",
            problem=f"is not valid JSON: {error.msg}",
            hint="Save the model again with its input example.",
        )
    except (ValueError, RecursionError) as error:
        yield Broken(file=name, field="", problem=f"is not valid JSON: {error}")

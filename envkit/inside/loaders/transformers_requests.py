"""Pipelines of transformers that answer requests in OpenAI's form: chats, completions and embeddings."""

from __future__ import annotations

import time
import uuid
from importlib import import_module
from typing import Any, Mapping

from .sentence_transformers import EMBEDDING, embeddings_answer

CHAT, COMPLETIONS = "llm/v1/chat", "llm/v1/completions"
PROMPTS = {CHAT: "messages", COMPLETIONS: "prompt"}
OBJECTS = {CHAT: "chat.completion", COMPLETIONS: "text_completion"}


def answer_request(
    pipeline: Any, task: str, data: Any, options: Mapping[str, Any], name: str = ""
) -> Any:
    """Answer a request, or a data frame of requests whose options are those of its first row.

    task: which of the three. options: of each call of the pipeline. name: what the answer calls the
    model. Raises `ValueError` when the request lacks what is asked.
    """
    field = PROMPTS.get(task, "input")
    asked, given = _asked(data, field)
    if task == EMBEDDING:
        texts = asked[0] if isinstance(asked[0], list) else asked
        numpy = import_module("numpy")
        return embeddings_answer(
            texts, [numpy.array(each[0][0]) for each in pipeline(texts)], pipeline.tokenizer
        )
    if task == CHAT:
        prompts = [_prompt(pipeline.tokenizer, each) for each in asked]
    else:
        prompts = asked
    call = _call_options(pipeline.tokenizer, {**options, **given})
    found = pipeline(prompts, return_tensors=True, **call)
    return [
        {**_answer(pipeline.tokenizer, task, prompt, _tokens(each), call), "model": name}
        for prompt, each in zip(prompts, found)  # noqa: B905 - Python 3.8
    ]


def _asked(data: Any, field: str) -> tuple[list[Any], dict[str, Any]]:
    if hasattr(data, "iloc"):
        columns = data.to_dict(orient="list")
    else:
        columns = {key: [data[key]] for key in data}
    if field not in columns:
        raise ValueError(
            f"the request lacks {field!r}; it has {', '.join(map(str, columns)) or 'nothing'}"
        )
    first = {key: values[0] for key, values in columns.items() if key != field}
    return columns[field], {
        key: value for key, value in first.items() if value is not None and value == value
    }


def _prompt(tokenizer: Any, messages: Any) -> str:
    text: str = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return text


def _call_options(tokenizer: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Give OpenAI's options the names that transformers has for them."""
    options = dict(given)
    for name in ("return_full_text", "include_prompt", "collapse_whitespace", "n", "stream"):
        options.pop(name, None)
    most, stop = options.pop("max_tokens", None), options.pop("stop", None)
    if most:
        options["max_new_tokens"] = most
    if stop:
        options.update(
            stop_strings=[stop] if isinstance(stop, str) else list(stop), tokenizer=tokenizer
        )
    return options


def _tokens(found: Any) -> list[int]:
    tokens: list[int] = (found[0] if isinstance(found, list) else found)["generated_token_ids"]
    return tokens


def _answer(
    tokenizer: Any, task: str, prompt: str, tokens: list[int], options: Mapping[str, Any]
) -> dict[str, Any]:
    asked = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    whole = tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=True)
    before = tokenizer.decode(asked, skip_special_tokens=True, clean_up_tokenization_spaces=True)
    text = whole[len(before) :].lstrip()
    new = len(tokens) - len(asked)
    at_end = new == options.get("max_new_tokens") or len(tokens) > options.get(
        "max_length", float("inf")
    )
    if task == CHAT:
        said = {"message": {"role": "assistant", "content": text}}
    else:
        said = {"text": text}
    return {
        "id": str(uuid.uuid4()),
        "object": OBJECTS[task],
        "created": int(time.time()),
        "usage": {
            "prompt_tokens": len(asked),
            "completion_tokens": new,
            "total_tokens": len(tokens),
        },
        "choices": [{"index": 0, "finish_reason": "length" if at_end else "stop", **said}],
    }

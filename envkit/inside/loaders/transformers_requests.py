"""Requests in OpenAI's form to transformers pipelines: chats, completions and embeddings."""

from __future__ import annotations

import time
import uuid
from importlib import import_module
from typing import Any, Mapping

from .sentence_transformers import EMBEDDING, embeddings_answer

CHAT, COMPLETIONS = "llm/v1/chat", "llm/v1/completions"
PROMPTS = {CHAT: "messages", COMPLETIONS: "prompt"}
OBJECTS = {CHAT: "chat.completion", COMPLETIONS: "text_completion"}
UNUSED_OPTIONS = (
    "return_full_text",
    "include_prompt",
    "collapse_whitespace",
    "n",
    "stream",
)


def answer_request(
    pipeline: Any,
    task: str,
    data: Any,
    options: Mapping[str, Any],
    name: str = "",
) -> Any:
    """Answer a request, or a data frame of requests whose options are those of its first row.

    task: one of the three. options: of each call of the pipeline. name: what the answer calls the
    model. Raises `ValueError` when the request lacks the prompts.
    """
    prompts, request_options = _split(data, PROMPTS.get(task, "input"))
    if task == EMBEDDING:
        return _embeddings(pipeline, prompts)
    tokenizer = pipeline.tokenizer
    if task == CHAT:
        prompts = [_as_text(tokenizer, messages) for messages in prompts]
    call_options = _call_options(tokenizer, {**options, **request_options})
    outputs = pipeline(prompts, return_tensors=True, **call_options)
    answers = []
    for prompt, output in zip(prompts, outputs):  # noqa: B905 - Python 3.8
        answer = _answer(tokenizer, task, prompt, _tokens(output), call_options)
        answers.append({**answer, "model": name})
    return answers


def _split(data: Any, field: str) -> tuple[list[Any], dict[str, Any]]:
    """Give the prompts, and the options that are set."""
    if hasattr(data, "iloc"):
        columns = data.to_dict(orient="list")
    else:
        columns = {name: [data[name]] for name in data}
    if field not in columns:
        names = ", ".join(map(str, columns)) or "nothing"
        raise ValueError(f"the request has no {field!r}; it has {names}")
    options = {}
    for name, values in columns.items():
        if name == field:
            continue
        value = values[0]
        if value is not None and value == value:  # a data frame has NaN for what is not set
            options[name] = value
    return columns[field], options


def _embeddings(pipeline: Any, texts: list[Any]) -> dict[str, Any]:
    """Answer a request for embeddings."""
    if isinstance(texts[0], list):
        texts = texts[0]
    numpy = import_module("numpy")
    vectors = [numpy.array(output[0][0]) for output in pipeline(texts)]
    return embeddings_answer(texts, vectors, pipeline.tokenizer)


def _as_text(tokenizer: Any, messages: Any) -> str:
    """Write the messages of a chat as the model's prompt."""
    text: str = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return text


def _call_options(tokenizer: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """Rename OpenAI's options as transformers has them."""
    call_options = {name: value for name, value in options.items() if name not in UNUSED_OPTIONS}
    max_tokens, stop = (
        call_options.pop("max_tokens", None),
        call_options.pop("stop", None),
    )
    if max_tokens:
        call_options["max_new_tokens"] = max_tokens
    if stop:
        call_options["stop_strings"] = [stop] if isinstance(stop, str) else list(stop)
        call_options["tokenizer"] = tokenizer
    return call_options


def _tokens(output: Any) -> list[int]:
    """Give the tokens of an answer, the prompt's among them."""
    if isinstance(output, list):
        output = output[0]
    tokens: list[int] = output["generated_token_ids"]
    return tokens


def _answer(
    tokenizer: Any,
    task: str,
    prompt: str,
    tokens: list[int],
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """Make the answer to one prompt."""
    prompt_tokens = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    start = _decoded(tokenizer, prompt_tokens)
    text = _decoded(tokenizer, tokens)[len(start) :].lstrip()
    new_tokens = len(tokens) - len(prompt_tokens)
    is_cut_off = new_tokens == options.get("max_new_tokens")
    is_cut_off = is_cut_off or len(tokens) > options.get("max_length", float("inf"))
    choice: dict[str, Any] = {
        "index": 0,
        "finish_reason": "length" if is_cut_off else "stop",
    }
    if task == CHAT:
        choice["message"] = {"role": "assistant", "content": text}
    else:
        choice["text"] = text
    return {
        "id": str(uuid.uuid4()),
        "object": OBJECTS[task],
        "created": int(time.time()),
        "usage": {
            "prompt_tokens": len(prompt_tokens),
            "completion_tokens": new_tokens,
            "total_tokens": len(tokens),
        },
        "choices": [choice],
    }


def _decoded(tokenizer: Any, tokens: Any) -> str:
    """Convert tokens to text."""
    text: str = tokenizer.decode(
        tokens, skip_special_tokens=True, clean_up_tokenization_spaces=True
    )
    return text

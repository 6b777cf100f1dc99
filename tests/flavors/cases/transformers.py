"""Tiny pipelines with random weights and a tokenizer of a few words."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import transformers

from tests.flavors.case import Case

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "good", "bad", "day", "thing", "what", "is", "it", "."]
SMALL = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}


def cases() -> list[Case]:
    texts = ["a good day", "a bad thing"]
    question = {"question": ["what is it"], "context": ["it is a good day ."]}
    few = {"max_new_tokens": 3, "do_sample": False}
    return [
        Case(name="text-classification", make=partial(bert, "text-classification"), example=texts),
        Case(name="fill-mask", make=partial(bert, "fill-mask"), example=["a [MASK] day"]),
        Case(name="token-classification", make=partial(bert, "token-classification"), example=texts),
        Case(name="feature-extraction", make=partial(bert, "feature-extraction"), example=texts[:1]),
        Case(name="text-generation", make=generator, example=texts, options={"model_config": few}),
        Case(
            name="prompt_template",
            make=generator,
            example=texts[:1],
            options={"model_config": few, "prompt_template": "what is {prompt}"},
        ),
        Case(name="question-answering", make=partial(bert, "question-answering"), example=pd.DataFrame(question))
        if hasattr(transformers, "QuestionAnsweringPipeline")
        else Case(name="parts", make=parts, example=texts, options={"task": "text-classification"}),
    ]


def tokenizer() -> Any:
    folder = Path(tempfile.mkdtemp())
    (folder / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    return transformers.BertTokenizerFast(vocab_file=str(folder / "vocab.txt"), model_max_length=32)


def bert(task: str) -> Any:
    torch.manual_seed(0)
    kinds = {
        "text-classification": transformers.BertForSequenceClassification,
        "fill-mask": transformers.BertForMaskedLM,
        "token-classification": transformers.BertForTokenClassification,
        "feature-extraction": transformers.BertModel,
        "question-answering": transformers.BertForQuestionAnswering,
    }
    model = kinds[task](transformers.BertConfig(vocab_size=len(WORDS), max_position_embeddings=32, **SMALL))
    return transformers.pipeline(task, model=model.eval(), tokenizer=tokenizer())


def parts() -> Mapping[str, Any]:
    whole = bert("text-classification")
    return {"model": whole.model, "tokenizer": whole.tokenizer}


def generator() -> Any:
    torch.manual_seed(0)
    config = transformers.GPT2Config(vocab_size=len(WORDS), n_positions=32, n_embd=8, n_layer=1, n_head=2,
                                     bos_token_id=2, eos_token_id=3, pad_token_id=0)  # fmt: skip
    words = tokenizer()
    return transformers.pipeline("text-generation", model=transformers.GPT2LMHeadModel(config).eval(), tokenizer=words)

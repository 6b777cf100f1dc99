"""A tiny model with random weights."""

from __future__ import annotations

import tempfile
from typing import Any

import pandas as pd
import torch
import transformers
from sentence_transformers import SentenceTransformer, models

from tests.flavors.case import Case

from .pipelines import SMALL, WORDS, tokenizer


def cases() -> list[Case]:
    texts = ["a good day", "a bad thing"]
    request = {"input": texts}
    return [
        Case(name="encode", make=encoder, example=texts),
        Case(name="data frame", make=encoder, example=pd.DataFrame({"text": texts})),
        Case(name="parameters", make=encoder, example=texts, params={"normalize_embeddings": True}),
        Case(
            name="llm/v1/embeddings",
            make=encoder,
            example=request,
            options={"task": "llm/v1/embeddings"},
        ),
    ]


def encoder() -> Any:
    torch.manual_seed(0)
    folder = tempfile.mkdtemp()
    config = transformers.BertConfig(vocab_size=len(WORDS), max_position_embeddings=32, **SMALL)
    transformers.BertModel(config).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    inner = models.Transformer(folder, max_seq_length=32)
    return SentenceTransformer(modules=[inner, models.Pooling(8)], device="cpu")

"""A tiny model with random weights, made of modules."""

from __future__ import annotations

import tempfile
from typing import Any

import torch
import transformers
from sentence_transformers import SentenceTransformer, models

from tests.flavors.case import Case

from .transformers import SMALL, WORDS, tokenizer


def cases() -> list[Case]:
    texts = ["a good day", "a bad thing"]
    return [Case(name="encode", make=encoder, example=texts)]


def encoder() -> Any:
    torch.manual_seed(0)
    folder = tempfile.mkdtemp()
    config = transformers.BertConfig(vocab_size=len(WORDS), max_position_embeddings=32, **SMALL)
    transformers.BertModel(config).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    inner = models.Transformer(folder, max_seq_length=32)
    return SentenceTransformer(modules=[inner, models.Pooling(8)], device="cpu")

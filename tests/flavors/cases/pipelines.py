"""Tiny transformers pipelines with random weights and a few words; nothing is downloaded."""

from __future__ import annotations

import base64
import io
import json
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from transformers.pipelines import SUPPORTED_TASKS

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "a",
    "good",
    "bad",
    "day",
    "thing",
    "what",
    "is",
    "it",
    ".",
]
WORDS += ["how", "many", "1", "2", "user", "assistant", ":"]
SMALL = {
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "initializer_range": 1.0,
}
TEMPLATE = (
    "{% for each in messages %}{{ each['role'] }} : {{ each['content'] }} {% endfor %}assistant :"
)


def known(task: str) -> bool:
    """Return whether the installed transformers has a task; version 5 lacks some."""
    return task in SUPPORTED_TASKS


def image() -> str:
    """An image in base64, as in requests."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def sound() -> np.ndarray:
    """A tenth of a second of a tone."""
    return np.sin(np.arange(1600, dtype=np.float32) / 8).astype(np.float32)


def bert(task: str) -> Any:
    """A pipeline of texts."""
    kinds = {
        "text-classification": "BertForSequenceClassification",
        "zero-shot-classification": "BertForSequenceClassification",
        "fill-mask": "BertForMaskedLM",
        "token-classification": "BertForTokenClassification",
        "feature-extraction": "BertModel",
        "question-answering": "BertForQuestionAnswering",
    }
    labels = {"label2id": {"entailment": 0, "other": 1}, "id2label": {0: "entailment", 1: "other"}}
    given = labels if task == "zero-shot-classification" else {}
    config = transformers.BertConfig(
        vocab_size=len(WORDS), max_position_embeddings=32, **SMALL, **given
    )
    made = _pipeline(
        task, partial(getattr(transformers, kinds[task]), config), tokenizer=tokenizer()
    )
    if task == "fill-mask":
        made.model.cls.predictions.bias.data[:5] = -99  # no special tokens
    return made


def generator(template: str | None = None) -> Any:
    """A pipeline that continues texts. template: the chat template, in Jinja."""
    words = tokenizer()
    words.chat_template = template
    config = transformers.GPT2Config(
        vocab_size=len(WORDS),
        n_positions=64,
        n_embd=8,
        n_layer=1,
        n_head=2,
        bos_token_id=2,
        eos_token_id=3,
        pad_token_id=0,
        initializer_range=1.0,
    )
    return _pipeline(
        "text-generation", partial(transformers.GPT2LMHeadModel, config), tokenizer=words
    )


def writer(task: str) -> Any:
    """A text-to-text pipeline."""
    config = transformers.T5Config(
        vocab_size=len(WORDS),
        d_model=8,
        d_kv=4,
        d_ff=8,
        num_layers=1,
        num_heads=2,
        decoder_start_token_id=0,
        eos_token_id=3,
        pad_token_id=0,
    )
    return _pipeline(
        task, partial(transformers.T5ForConditionalGeneration, config), tokenizer=tokenizer()
    )


def tables() -> Any:
    """A pipeline that answers questions about tables."""
    folder = _vocabulary()
    words = transformers.TapasTokenizer(vocab_file=str(folder / "vocab.txt"), model_max_length=64)
    config = transformers.TapasConfig(vocab_size=len(WORDS), max_position_embeddings=64, **SMALL)
    return _pipeline(
        "table-question-answering",
        partial(transformers.TapasForQuestionAnswering, config),
        tokenizer=words,
    )


def pictures() -> Any:
    """A pipeline that classifies images."""
    config = transformers.ViTConfig(image_size=8, patch_size=4, **SMALL)
    processor = transformers.ViTImageProcessor(size={"height": 8, "width": 8})
    made = partial(transformers.ViTForImageClassification, config)
    return _pipeline("image-classification", made, image_processor=processor)


def sounds(task: str) -> Any:
    """A pipeline that classifies sounds, or recognises speech."""
    layers: Mapping[str, Any] = {
        "conv_dim": (8,),
        "conv_stride": (80,),
        "conv_kernel": (80,),
        "num_conv_pos_embeddings": 4,
        "num_conv_pos_embedding_groups": 2,
    }
    config = transformers.Wav2Vec2Config(
        vocab_size=5, pad_token_id=0, num_feat_extract_layers=1, **layers, **SMALL
    )
    extractor = transformers.Wav2Vec2FeatureExtractor()
    if task == "audio-classification":
        made = partial(transformers.Wav2Vec2ForSequenceClassification, config)
        return _pipeline(task, made, feature_extractor=extractor)
    file = Path(tempfile.mkdtemp(), "vocab.json")
    file.write_text(json.dumps({"[PAD]": 0, "[UNK]": 1, "|": 2, "a": 3, "b": 4}), encoding="utf-8")
    letters = transformers.Wav2Vec2CTCTokenizer(str(file), pad_token="[PAD]", unk_token="[UNK]")
    made = partial(transformers.Wav2Vec2ForCTC, config)
    return _pipeline(task, made, feature_extractor=extractor, tokenizer=letters)


def parts() -> Mapping[str, Any]:
    """The parts of a pipeline."""
    whole = bert("text-classification")
    return {"model": whole.model, "tokenizer": whole.tokenizer}


def checkpoint() -> str:
    """Return a folder with a model and its tokenizer."""
    folder = tempfile.mkdtemp()
    for each in parts().values():
        each.save_pretrained(folder)
    return folder


def tokenizer() -> Any:
    """A tokenizer of a few words."""
    return transformers.BertTokenizerFast(
        vocab_file=str(_vocabulary() / "vocab.txt"), model_max_length=32
    )


def _vocabulary() -> Path:
    folder = Path(tempfile.mkdtemp())
    (folder / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    return folder


def _pipeline(task: str, make: Callable[[], Any], **given: Any) -> Any:
    """Create the same weights each time."""
    torch.manual_seed(1)
    return transformers.pipeline(task, model=make().eval(), **given)

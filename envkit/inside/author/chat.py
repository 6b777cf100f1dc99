"""Requests and answers of chat completions, as objects and as JSON.

https://platform.openai.com/docs/api-reference/chat, as far as MLflow's `mlflow.types.llm` has it:
the names of the classes and of their fields are the same.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import Any, ClassVar, Dict, List, Mapping, Optional, Set, Tuple


@dataclass
class Part:
    """Base class of all parts of a request or an answer.

    PARTS: fields that hold a part, or a list of parts, with their classes. NEEDED: required fields.
    Making one raises `ValueError` when a required field is None or a part has another class.
    """

    PARTS: ClassVar[Mapping[str, Any]] = {}
    NEEDED: ClassVar[Tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for name in self.NEEDED:
            if getattr(self, name) is None:
                raise ValueError(f"`{name}` of a {type(self).__name__} is required")
        for name, kind in self.PARTS.items():
            setattr(self, name, _part(getattr(self, name), kind, name))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Any:
        """Make one from a JSON object.

        Args:
            data: the object; keys that are not fields are ignored.

        Returns:
            The part.

        Raises:
            ValueError: a required field is missing, or a part has another class.
        """
        names = cls.keys()
        return cls(**{name: value for name, value in data.items() if name in names})

    def to_dict(self) -> Dict[str, Any]:
        """Convert to a JSON object.

        Returns:
            The object, without the fields that are None.
        """
        names = self.keys()
        values = {}
        for name in type(self).__dataclass_fields__:
            value = getattr(self, name)
            if name in names and value is not None:
                values[name] = _as_json(value)
        return values

    @classmethod
    def keys(cls) -> Set[str]:
        """Name the fields.

        Returns:
            The names. `dataclasses.fields` has none for a class that was pickled by value.
        """
        return set(cls.__dataclass_fields__) - {"PARTS", "NEEDED"}


def _part(value: Any, kind: Any, name: str) -> Any:
    """Make the part, or the parts, that a field holds."""
    if isinstance(value, list):
        return [_part(item, kind, name) for item in value]
    if value is None or isinstance(value, kind) or hasattr(value, "to_dict"):
        return value
    if isinstance(value, dict):
        return kind.from_dict(value)
    raise ValueError(f"`{name}` must be a {kind.__name__} or an object, not {type(value).__name__}")


def _as_json(value: Any) -> Any:
    """Convert parts, also in lists; everything else stays."""
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if hasattr(value, "to_dict"):
        return value.to_dict()
    return value


@dataclass
class FunctionToolCallArguments(Part):
    """The function that the model wants to be called, with its arguments as a JSON text."""

    name: Optional[str] = None
    arguments: Optional[str] = None
    NEEDED = ("name", "arguments")


@dataclass
class ToolCall(Part):
    """A tool that the model wants to be called."""

    function: Any = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    type: str = "function"
    PARTS: ClassVar[Mapping[str, Any]] = {"function": FunctionToolCallArguments}
    NEEDED = ("function",)


@dataclass
class ChatMessage(Part):
    """A message of a conversation."""

    role: Optional[str] = None
    content: Any = None
    refusal: Optional[str] = None
    name: Optional[str] = None
    tool_calls: Optional[List[Any]] = None
    tool_call_id: Optional[str] = None
    PARTS: ClassVar[Mapping[str, Any]] = {"tool_calls": ToolCall}
    NEEDED = ("role",)


@dataclass
class ChatParams(Part):
    """What a request has besides its messages."""

    temperature: float = 1.0
    max_tokens: Optional[int] = None
    stop: Optional[List[str]] = None
    n: int = 1
    stream: bool = False
    top_p: Optional[float] = None
    top_k: Optional[int] = None
    frequency_penalty: Optional[float] = None
    presence_penalty: Optional[float] = None
    custom_inputs: Optional[Dict[str, Any]] = None
    tools: Optional[List[Any]] = None


@dataclass
class ChatCompletionRequest(ChatParams):
    """A whole request."""

    messages: List[Any] = field(default_factory=list)
    PARTS: ClassVar[Mapping[str, Any]] = {"messages": ChatMessage}


@dataclass
class ChatChoice(Part):
    """One of the answers."""

    message: Any = None
    index: int = 0
    finish_reason: str = "stop"
    logprobs: Any = None
    PARTS: ClassVar[Mapping[str, Any]] = {"message": ChatMessage}
    NEEDED = ("message",)


@dataclass
class ChatChoiceDelta(Part):
    """What a piece of a stream adds to a message."""

    role: Optional[str] = "assistant"
    content: Optional[str] = None
    refusal: Optional[str] = None
    name: Optional[str] = None
    tool_calls: Optional[List[Any]] = None
    PARTS: ClassVar[Mapping[str, Any]] = {"tool_calls": ToolCall}


@dataclass
class ChatChunkChoice(Part):
    """One of the answers, in a piece of a stream."""

    delta: Any = None
    index: int = 0
    finish_reason: Optional[str] = None
    logprobs: Any = None
    PARTS: ClassVar[Mapping[str, Any]] = {"delta": ChatChoiceDelta}
    NEEDED = ("delta",)


@dataclass
class TokenUsageStats(Part):
    """How many tokens were read and written."""

    prompt_tokens: Optional[int] = None
    completion_tokens: Optional[int] = None
    total_tokens: Optional[int] = None


@dataclass
class ChatCompletionResponse(Part):
    """A whole answer. created: seconds since 1970."""

    choices: Any = None
    usage: Any = None
    id: Optional[str] = None
    model: Optional[str] = None
    object: str = "chat.completion"
    created: int = field(default_factory=lambda: int(time.time()))
    custom_outputs: Optional[Dict[str, Any]] = None
    PARTS: ClassVar[Mapping[str, Any]] = {
        "choices": ChatChoice,
        "usage": TokenUsageStats,
    }
    NEEDED = ("choices",)


@dataclass
class ChatCompletionChunk(Part):
    """A piece of a streamed answer. created: seconds since 1970."""

    choices: Any = None
    usage: Any = None
    id: Optional[str] = None
    model: Optional[str] = None
    object: str = "chat.completion.chunk"
    created: int = field(default_factory=lambda: int(time.time()))
    custom_outputs: Optional[Dict[str, Any]] = None
    PARTS: ClassVar[Mapping[str, Any]] = {
        "choices": ChatChunkChoice,
        "usage": TokenUsageStats,
    }
    NEEDED = ("choices",)


ChatResponse = ChatCompletionResponse

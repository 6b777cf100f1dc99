"""In place of `mlflow.pyfunc.loaders.chat_model`: a model of a conversation, asked in chat completions."""

from __future__ import annotations

import sys
from typing import Any, Iterator, Mapping

from ...author import base_classes, chat
from ...data.signature import InvalidInput
from .python_model import context_of, unpickle


class ChatModel:
    """What `mlflow.pyfunc` calls: makes objects of a request, and a JSON object of the answer.

    python_model: what its author wrote.
    """

    takes_raw_inputs = True

    def __init__(self, model: Any, context: base_classes.PythonModelContext) -> None:
        self.python_model = (
            model.model if type(model).__name__ == base_classes.ChatAdapter.__name__ else model
        )
        self._types: Any = sys.modules.get("mlflow.types.llm") or chat
        self.context = context

    def predict(self, data: Any, params: Any = None) -> Any:
        """Answer a request."""
        function = self.python_model.predict
        return _object(
            function(*base_classes.arguments(function, self.context, *self._parts(data, params)))
        )

    def predict_stream(self, data: Any, params: Any = None) -> Iterator[Any]:
        """Answer piece by piece."""
        function = self.python_model.predict_stream
        for each in function(
            *base_classes.arguments(function, self.context, *self._parts(data, params))
        ):
            yield _object(each)

    def _parts(self, data: Any, params: Any) -> tuple[Any, Any]:
        request = {**_row(data), **(params or {})}
        try:
            messages = [
                self._types.ChatMessage.from_dict(each) if isinstance(each, dict) else each
                for each in request.pop("messages", None) or ()
            ]
            return messages, self._types.ChatParams.from_dict(request)
        except (
            ValueError,
            TypeError,
        ) as error:  # as the objects of both libraries refuse what is missing or another
            raise InvalidInput(str(error)) from error


def load(path: str, request: Mapping[str, Any]) -> ChatModel:
    """Unpickle the model, then let it load its context."""
    conf = request["python_function"]
    return wrapped(unpickle(path, conf), path, conf)


def wrapped(model: Any, path: str, conf: Mapping[str, Any]) -> ChatModel:
    """Let a model load its context, and make it one that can be asked."""
    context = context_of(path, conf)
    model.load_context(context)
    return ChatModel(model, context)


def _row(data: Any) -> dict[str, Any]:
    """A request is an object, a list of messages, or the one row of a data frame."""
    if isinstance(data, dict):
        return data
    if isinstance(data, list):
        return {"messages": data}
    if hasattr(data, "iloc") and hasattr(data, "to_dict"):
        return {name: _list(column[0]) for name, column in data.to_dict(orient="list").items()}
    raise TypeError(f"a chat model takes an object with `messages`, not a {type(data).__name__}")


def _list(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    return value


def _object(answer: Any) -> Any:
    if hasattr(answer, "to_dict"):
        return answer.to_dict()
    if isinstance(answer, dict):
        return answer
    raise TypeError(
        f"a chat model answers with a ChatCompletionResponse, not a {type(answer).__name__}"
    )

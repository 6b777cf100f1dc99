"""Stands in for `mlflow.pyfunc.loaders.chat_model`: a model of a conversation.

Needs: what the model's own code needs.
Takes: a chat completion request: an object, a list of messages, or a data frame with one row.
Returns: the answer as a JSON object.
"""

from __future__ import annotations

import sys
from typing import Any, Iterator

from ...author import base_classes, chat
from ...data.signature import InvalidInput
from ...request import Flavor, Request
from .python_model import context_of, unpickle


class ChatModel:
    """What `mlflow.pyfunc` calls. python_model: what its author wrote."""

    takes_raw_inputs = True

    def __init__(self, model: Any, context: base_classes.PythonModelContext) -> None:
        if type(model).__name__ == base_classes.ChatAdapter.__name__:
            model = model.model
        self.python_model = model
        self.context = context
        # the model's code may compare classes, so it gets MLflow's if it has imported them
        self._classes: Any = sys.modules.get("mlflow.types.llm") or chat

    def read_raw(self, value: Any) -> Any:
        """Take a request as it is."""
        return value

    def predict(self, data: Any, params: Any = None) -> Any:
        """Answer a request."""
        predict = self.python_model.predict
        return _json_object(predict(*self._arguments(predict, data, params)))

    def predict_stream(self, data: Any, params: Any = None) -> Iterator[Any]:
        """Answer a request piece by piece."""
        predict = self.python_model.predict_stream
        for chunk in predict(*self._arguments(predict, data, params)):
            yield _json_object(chunk)

    def _arguments(self, function: Any, data: Any, params: Any) -> tuple[Any, ...]:
        """Make the arguments of the model's function. Raises `InvalidInput`."""
        request = {**_request(data), **(params or {})}
        try:
            messages = self._messages(request.pop("messages", None) or ())
            chat_params = self._classes.ChatParams.from_dict(request)
        except (
            ValueError,
            TypeError,
        ) as error:  # what the classes raise for a malformed request
            raise InvalidInput(str(error)) from error
        return base_classes.chat_arguments(function, self.context, messages, chat_params)

    def _messages(self, messages: Any) -> list[Any]:
        """Make objects of the messages."""
        chat_message = self._classes.ChatMessage
        return [
            chat_message.from_dict(message) if isinstance(message, dict) else message
            for message in messages
        ]


def load(path: str, request: Request) -> ChatModel:
    """Unpickle the model, then let it load its context."""
    conf = request["python_function"]
    return wrapped(unpickle(path, conf), path, conf)


def wrapped(model: Any, path: str, conf: Flavor) -> ChatModel:
    """Let a model load its context, and wrap it."""
    context = context_of(path, conf)
    model.load_context(context)
    return ChatModel(model, context)


def _request(data: Any) -> dict[str, Any]:
    """Give the request: the data are it, its messages, or a data frame with one row."""
    if isinstance(data, dict):
        return data
    if isinstance(data, list):
        return {"messages": data}
    if not hasattr(data, "iloc") or not hasattr(data, "to_dict"):
        raise TypeError(
            f"a chat model takes an object with `messages`, not a {type(data).__name__}"
        )
    request = {}
    for name, values in data.to_dict(orient="list").items():
        value = values[0]
        request[name] = value.tolist() if hasattr(value, "tolist") else value
    return request


def _json_object(answer: Any) -> Any:
    """Convert an answer, or a piece of one."""
    if hasattr(answer, "to_dict"):
        return answer.to_dict()
    if isinstance(answer, dict):
        return answer
    raise TypeError(
        f"a chat model must return a ChatCompletionResponse, not a {type(answer).__name__}"
    )

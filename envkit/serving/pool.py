"""The workers of a server: kept at their number, lent to one request at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress

from envkit.child.runner import Journal
from envkit.environments.workers import Workplace
from envkit.errors import EnvkitError, PredictionFailed, gerund
from envkit.serving import refusal
from envkit.serving.metrics import Meters
from envkit.serving.options import Settings
from envkit.serving.refusal import Refusal
from envkit.serving.request import Question
from envkit.serving.worker_client import Conversation, Gone, Message

MOST_FAILURES = 5  # in a row, of a worker that nobody asked anything; then it is given up
LONGEST_PAUSE = 10.0  # before a worker that failed again is started anew
# for a worker to end a stream that nobody wants, and to end by itself when the server does
STOPPING_SECONDS = 1.0


class Pool:
    """Keeps the workers. `tell` is given a line of text when something happens to one."""

    def __init__(
        self, workplace: Workplace, settings: Settings, meters: Meters, tell: Callable[[str], None]
    ) -> None:
        self._workplace, self._settings, self._meters, self._tell = (
            workplace,
            settings,
            meters,
            tell,
        )
        self._alive: set[Conversation] = set()
        self._idle: deque[Conversation] = deque()
        self._waiting: deque[asyncio.Future[Conversation]] = deque()
        self._keepers: list[asyncio.Task[None]] = []
        self._settling: set[asyncio.Task[None]] = set()
        self._closing = False
        self._loaded = 0
        self._given_up = 0
        self.started = asyncio.Event()
        self.failed: asyncio.Future[EnvkitError] = asyncio.get_running_loop().create_future()

    @property
    def is_ready(self) -> bool:
        """Whether all workers have loaded once, and one of them can answer."""
        return self.started.is_set() and bool(self._alive) and not self._closing

    @property
    def streamable(self) -> bool:
        """Whether the model can be asked for a stream."""
        return any(each.streamable for each in self._alive)

    @property
    def is_full(self) -> bool:
        """Whether no request may wait any more."""
        return not self._idle and len(self._waiting) >= self._settings.queue

    def open(self) -> None:
        """Start the workers; `started` is set when all have loaded, `failed` when that will never be."""
        self._keepers = [asyncio.create_task(self._keep()) for _ in range(self._settings.workers)]

    async def close(self, patience: float = STOPPING_SECONDS) -> None:
        """End all workers; they are killed when they have not ended after `patience` seconds."""
        self._closing = True
        for each in tuple(self._alive):
            each.stop("closing", patience)
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, *self._settling, return_exceptions=True)

    async def answer(self, question: Question) -> bytes:
        """Give the model's answer as JSON. Raises `Refusal`."""
        lent = await self._borrow(question)
        try:
            async with asyncio.timeout(self._settings.timeout):
                await lent.ask(
                    {"ask": "predict", "content_type": question.kind}, question.body, question.size
                )
                header, body = await lent.told()
        except BaseException as error:  # noqa: BLE001 - it is raised again, or what it means
            raise await self._broken(lent, error) from None
        lent.answers += 1
        self._give_back(lent)
        return self._answer((header, body))

    async def stream(self, question: Question) -> AsyncGenerator[bytes, None]:
        """Yield the pieces of the model's answer, each as JSON. Raises `Refusal`, also between pieces."""
        lent = await self._borrow(question)
        try:
            async with asyncio.timeout(self._settings.timeout):
                await lent.ask(
                    {"ask": "stream", "content_type": question.kind}, question.body, question.size
                )
            while True:
                async with asyncio.timeout(self._settings.timeout):
                    header, body = await lent.told()
                if header["event"] != "piece":
                    break
                yield body
        except (GeneratorExit, asyncio.CancelledError):  # the client has gone
            self._settle(lent)
            raise
        except BaseException as error:  # noqa: BLE001 - it is raised again, or what it means
            raise await self._broken(lent, error) from None
        lent.answers += 1
        self._give_back(lent)
        if header["event"] == "error":
            self._answer((header, body))

    def _answer(self, message: Message) -> bytes:
        header, body = message
        if header["event"] == "answer":
            return body
        if header["kind"] != "input":
            self._tell(
                f"The model failed while {gerund(header['phase'])}:\n{header['traceback'].rstrip()}"
            )
        raise refusal.of_failure(header, show_traceback=self._settings.show_traceback)

    async def _borrow(self, question: Question) -> Conversation:
        """Wait for a worker. Raises `Refusal`, also when nobody waits for the answer any more."""
        if self._idle:
            return self._idle.pop()
        if self.is_full:
            raise refusal.busy("All workers are busy, and no more requests may wait.")
        place: asyncio.Future[Conversation] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            async with asyncio.timeout(self._settings.timeout):
                lent = await place
            await question.check_is_wanted()
        except TimeoutError:
            self._take_back(place)
            raise refusal.busy(f"No worker was free within {self._settings.timeout:g} s.") from None
        except BaseException:
            self._take_back(place)
            raise
        else:
            return lent
        finally:
            with suppress(ValueError):
                self._waiting.remove(place)
            self._count()

    def _take_back(self, place: asyncio.Future[Conversation]) -> None:
        """Give a worker that came too late to somebody else."""
        if place.done() and not place.cancelled():
            self._give_back(place.result())

    def _give_back(self, lent: Conversation) -> None:
        """Lend a worker to who waits longest, or keep it for whoever comes."""
        if lent.gone.is_set():
            return
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(lent)
                self._count()
                return
        self._idle.append(lent)

    def _count(self) -> None:
        self._meters.waiting.set(len(self._waiting))
        self._meters.workers.set(len(self._alive))

    async def _broken(self, lent: Conversation, error: BaseException) -> BaseException:
        """Stop a worker whose answer did not come; give what is to be raised."""
        if isinstance(error, TimeoutError):
            lent.stop("timeout")
            self._tell(
                f"The model was still busy after {self._settings.timeout:g} s; its worker is started anew."
            )
            return Refusal(
                504, f"The model was still busy after {self._settings.timeout:g} s and was stopped."
            )
        if isinstance(error, Gone):
            if lent.stopped_because == "closing":
                return refusal.busy("The server is ending.")
            journal = await asyncio.shield(lent.ended)
            return Refusal(502, f"The model's process {journal.ended.how} while it was to predict.")
        lent.stop("cancelled")
        return error

    def _settle(self, lent: Conversation) -> None:
        """See to it, after this, that a worker ends the stream that nobody wants any more."""
        task = asyncio.create_task(self._end_stream(lent))
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    async def _end_stream(self, lent: Conversation) -> None:
        try:
            lent.request_stop()
            async with asyncio.timeout(STOPPING_SECONDS):
                while (await lent.told())[0]["event"] == "piece":
                    pass
        except (TimeoutError, Gone):
            lent.stop("abandoned")
        else:
            self._give_back(lent)

    async def _keep(self) -> None:
        """Have one worker, and another when it has ended, until it is hopeless or the server ends."""
        failures = 0
        while failures < MOST_FAILURES:
            try:
                conversation = await self._load()
            except EnvkitError as error:
                if not self.started.is_set():
                    self._fail(error)
                    return
                failures += 1
                reason, told = "load", str(error)
            else:
                journal = await self._lend_out(conversation)
                if self._closing:
                    return
                if conversation.answers or conversation.stopped_because:
                    failures = 0
                else:
                    failures = failures + 1
                if conversation.questions and failures >= MOST_FAILURES:
                    # it died of requests, of which the next may be a better one
                    failures = MOST_FAILURES - 1
                reason = conversation.stopped_because or "died"
                if conversation.stopped_because:
                    told = ""
                else:
                    told = f"A worker's process {journal.ended.how}."
            if told:
                self._tell(f"{told} It is started anew." if failures < MOST_FAILURES else told)
            self._meters.restarts.labels(reason).inc()
            await asyncio.sleep(min(0.1 * 2**failures, LONGEST_PAUSE) if failures > 1 else 0)
        self._give_up()

    async def _load(self) -> Conversation:
        """Start a worker and wait until it has loaded the model. Raises `EnvkitError`."""
        preparation = await asyncio.to_thread(self._workplace.prepare)
        worker = self._workplace.start(preparation)  # in this thread, with which it ends
        conversation = await Conversation.begin(worker)
        try:
            header, _ = await conversation.told()
        except Gone:
            raise self._workplace.failure(await conversation.end()) from None
        except BaseException:
            conversation.stop("closing")
            await conversation.end()
            raise
        conversation.streamable = bool(header["streamable"])
        if header["uncompiled"]:
            await asyncio.to_thread(self._workplace.keep_bytecode, header["uncompiled"])
        return conversation

    async def _lend_out(self, conversation: Conversation) -> Journal:
        """Have a worker answer requests until it has ended."""
        self._alive.add(conversation)
        self._loaded += 1
        if self._loaded == self._settings.workers:
            self.started.set()
        self._give_back(conversation)
        self._count()
        try:
            await conversation.gone.wait()
        finally:
            self._alive.discard(conversation)
            with suppress(ValueError):
                self._idle.remove(conversation)
            self._count()
            journal = await conversation.end()
        return journal

    def _give_up(self) -> None:
        self._given_up += 1
        problem = f"its process ended {MOST_FAILURES} times in a row"
        self._tell(f"A worker is given up: {problem}.")
        if self._given_up == self._settings.workers:
            self._fail(PredictionFailed("run", problem))

    def _fail(self, error: EnvkitError) -> None:
        if not self.failed.done():
            self.failed.set_result(error)

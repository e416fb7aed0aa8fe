"""Writing on a background thread, so that a slow disk delays no frame."""

import queue
import threading
from collections.abc import Callable


class BackgroundWriter:
    """Run jobs one after the other on a background thread.

    Parameters
    ----------
    max_pending : int
        Jobs that may wait.
    """

    def __init__(self, max_pending: int) -> None:
        self._jobs: queue.Queue[Callable[[], object] | None] = queue.Queue(max_pending)
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._work, name="disk", daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[], object], *, wait: bool) -> bool:
        """Queue a job and return whether there was room for it.

        Parameters
        ----------
        job : callable
        wait : bool
            Wait until there is room; otherwise the job is dropped where there is none.
        """
        try:
            self._jobs.put(job, block=wait)
        except queue.Full:
            return False
        return True

    def check(self) -> None:
        """Raise the error of the first job that has failed, once.

        Raises
        ------
        Exception
            That error.
        """
        error, self._error = self._error, None
        if error is not None:
            raise error

    def close(self) -> None:
        """Wait for all jobs and stop the thread.

        Raises
        ------
        Exception
            The error of the first job that has failed, unless `check` has raised it.
        """
        if self._thread.is_alive():
            self._jobs.put(None)
            self._thread.join()
        self.check()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception as error:  # noqa: BLE001 - raised again by `check` and `close`
                self._error = error if self._error is None else self._error

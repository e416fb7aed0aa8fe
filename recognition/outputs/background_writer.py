"""A thread that writes, so that a slow disk holds nobody up."""

import queue
import threading
from collections.abc import Callable


class BackgroundWriter:
    """Does jobs one after the other in the background.

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
        """Have a job done some time later, and return whether it will be.

        Parameters
        ----------
        job : callable
        wait : bool
            Wait for room where there is none; otherwise the job is not done.
        """
        try:
            self._jobs.put(job, block=wait)
        except queue.Full:
            return False
        return True

    def check(self) -> None:
        """Make sure that no job has failed.

        Raises
        ------
        Exception
            What the first one failed with, once.
        """
        error, self._error = self._error, None
        if error is not None:
            raise error

    def close(self) -> None:
        """Wait until all is done.

        Raises
        ------
        Exception
            What a job failed with, unless `check` has told.
        """
        if self._thread.is_alive():
            self._jobs.put(None)
            self._thread.join()
        self.check()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception as error:  # noqa: BLE001 - who gave the jobs is told, whatever it is
                self._error = error if self._error is None else self._error

"""Where a run writes to, checked before anything is loaded: nothing may take the place of what it is made from."""

from pathlib import Path

from recognition.errors import SaveError
from recognition.events.event_file import refuse_other_file
from recognition.options import Options
from recognition.outputs.image_files import same_file
from recognition.sources.source import Source


def check_outputs(source: Source, options: Options) -> None:
    """Refuse outputs that would replace the head, the source, each other, or a file of another kind.

    Raises
    ------
    SaveError
        If one would.
    """
    if options.save is not None:
        _refuse(Path(options.save), options.head, "is the head; save the annotated copy somewhere else")
    if options.events in (None, "-"):
        return
    events = Path(str(options.events))
    _refuse(events, options.head, "is the head; give another name for --events")
    if not source.kind.is_live:
        _refuse(events, Path(source.address), "is what is looked at; give another name for --events")
    if options.save is not None:
        _refuse(events, Path(options.save), "is given for --save too; give another name for --events")
    if events.is_dir():
        raise SaveError(
            f"{events}: expected a file for the events, found a folder; name a file in it, such as events.jsonl"
        )
    refuse_other_file(events)


def _refuse(output: Path, other: Path, why: str) -> None:
    if output.resolve() == other.resolve() or same_file(output, other):
        raise SaveError(f"{output}: {why}")

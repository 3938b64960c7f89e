"""Objects that were there before the file that names them: adopted, they outlive it.

That is noted in the store before the file is first applied to them: wherever the process ends, nobody's object is taken
for one of the file's making, nor one of its making for somebody else's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

from appliance.manifests import targets
from appliance.manifests.abreast import abreast
from appliance.manifests.claims import File
from store.errors import StatusError
from store.log.contract import Key
from store.service import Service

# Makes the store remember File.adopted. Raises StatusError.
Note = Callable[[File], Awaitable[None]]


class Adoption:
    """Keeps File.adopted true. files: all that are known, by path."""

    def __init__(self, service: Service, files: Mapping[str, File], note: Note) -> None:
        self._service = service
        self._files = files
        self._note = note
        self._unnoted: dict[str, StatusError] = {}

    async def prepare(self, work: Iterable[tuple[Key, File]]) -> None:
        """Note which of the objects that files are about to name for the first time are there already."""
        changed = {}
        for key, file in work:
            if key not in file.held and self._found(key, file) != (key in file.adopted):
                file.adopted ^= {key}
                changed[file.path] = file
        changed |= {path: self._files[path] for path in self._unnoted if path in self._files}
        if changed:
            await abreast(self._try_to_note, changed.values())

    def refusal(self, key: Key, file: File) -> StatusError | None:
        """Why the file may not be applied to the object yet: the store could not be told of what was adopted."""
        return None if key in file.held else self._unnoted.get(file.path)

    def settle(self, key: Key, file: File, *, created: bool) -> None:
        """The file was applied to an object, which it did not hold: somebody may have been faster since `prepare`."""
        if created:
            file.adopted.discard(key)
        elif not self._made_by_a_file(key, file):
            file.adopted.add(key)

    def _found(self, key: Key, file: File) -> bool:
        """Whether an object is there that no file has made."""
        target = targets.target_of(self._service.registry, key)
        if target is None:
            return False
        try:
            self._service.get(target)
        except StatusError:
            return False
        return not self._made_by_a_file(key, file)

    def _made_by_a_file(self, key: Key, file: File) -> bool:
        return any(
            key in other.held and key not in other.adopted for other in self._files.values() if other is not file
        )

    async def _try_to_note(self, file: File) -> None:
        try:
            await self._note(file)
        except StatusError as error:
            self._unnoted[file.path] = error
        else:
            self._unnoted.pop(file.path, None)

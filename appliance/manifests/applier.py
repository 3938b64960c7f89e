"""Manifest files applied to the store: readings come in, server-side applies go out.

Every file is a field manager of its own, so that what it leaves out is removed and what others own is left alone. The
applier never fights: a field that somebody else holds stays as it is, and the file says so.
"""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from collections.abc import Collection as Many
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import orjson

from appliance.manifests import targets
from appliance.manifests.abreast import abreast
from appliance.manifests.adoption import Adoption, Note
from appliance.manifests.claims import Claim, File, held_by_files, owned_fields
from appliance.manifests.overrides import note_overrides, of_files
from appliance.manifests.placing import conflicting_managers, file_of, manager_of, place
from appliance.manifests.reader import Document, Problem, Reading, describe
from appliance.manifests.release import release
from store.errors import StatusError
from store.log.contract import Change, Key
from store.service import Service
from store.verbs import Answer, Patch, Target, WriteOptions

_LOG = logging.getLogger(__name__)
_OPENING = ("namespaces", "customresourcedefinitions.apiextensions.k8s.io")
_TRANSIENT = (429, 500, 503, 504, 507)


# An object, the file that names it, and whether the file has changed since it was last applied.
_Work = tuple[Key, File, bool]


@dataclass(frozen=True, slots=True)
class _Plan:
    """An object of a file, and where it goes. renewed: the file has changed, so it takes back what a REST writer had
    forced from it."""

    file: File
    claim: Claim
    target: Target
    renewed: bool


@dataclass(frozen=True, slots=True)
class Content:
    """A file as read."""

    data: bytes
    reading: Reading


class Applier:
    """The files' side of the store. `files` is the state, by path; call from one task at a time.

    note: makes the store remember what a file has adopted.
    """

    def __init__(self, service: Service, note: Note) -> None:
        self._service = service
        self.files: dict[str, File] = {}
        self._adoption = Adoption(service, self.files, note)
        self.revision = 0
        # Whatever was refused, and perhaps some that no longer is: changes of these may help.
        self._refused: set[Key] = set()

    def start(self, remembered: Iterable[File]) -> None:
        """Learn from the store which objects belong to which files. remembered: what the files' own objects say.

        What the objects themselves say is true wherever the life before ended; the files also remember those of which
        another writer has taken every field.
        """
        self.files.update({file.path: file for file in remembered})
        self.revision, objects = self._service.snapshot()
        for path, held in held_by_files(objects).items():
            self.files.setdefault(path, File(path)).held |= held

    async def update(self, changed: Mapping[str, Content], removed: Iterable[str] = ()) -> set[str]:
        """Take in new contents and removed files. The paths whose state may differ now."""
        touched = set(changed)
        work: list[_Work] = []
        for path in sorted(changed):
            work += self._take(path, changed[path])
        for path in removed:
            if file := self.files.get(path):
                file.claims, file.complete, file.problems = {}, True, []
                touched.add(path)
        for group in _groups(work):
            await self._carry_out(group)
        complete = [self.files[path] for path in sorted(touched) if self.files[path].complete]
        await abreast(partial(release, self._service, self.files), complete)
        self._forget_passed()
        return touched

    def refuse(self, path: str, problem: Problem) -> None:
        """A file that is there and is not read: its objects stay as they are."""
        file = self.files.setdefault(path, File(path))
        file.problems, file.complete = [problem], False

    async def retry(self, *, transient: bool = False) -> set[str]:
        """Try again what was refused and may pass by now: namespaces, kinds and other files come and go.

        transient: only what failed for want of the store, not of the object. The paths whose state differs now.
        """
        waiting = [
            (key, file)
            for file in (self.files.values() if self._refused else ())
            for key, claim in file.claims.items()
            if (claim.refused in _TRANSIENT if transient else claim.refused)
        ]
        touched = set()
        for key, file in sorted(waiting, key=lambda item: (targets.rank(item[0]), item[1].path)):
            claim = file.claims[key]
            before = claim.problems
            await self._carry_out([[(key, file, False)]])
            if claim.problems != before:
                touched.add(file.path)
        self._forget_passed()
        return touched

    def concerns(self, change: Change) -> bool:
        """Whether `observe` may find anything in a change."""
        return change.key in self._refused or change.key.resource in _OPENING or of_files(change)

    def observe(self, changes: Sequence[Change]) -> tuple[set[str], bool]:
        """Notice what others did to objects of files. Paths whose state differs now; whether a retry may help."""
        hopeful = bool(self._refused) and any(
            change.key in self._refused or change.key.resource in _OPENING for change in changes
        )
        return note_overrides(self.files, changes), hopeful

    def _take(self, path: str, content: Content) -> list[_Work]:
        """Note what a file says now; what is to be applied, and whether the file changed since it was last applied."""
        file = self.files.setdefault(path, File(path))
        digest = hashlib.sha256(content.data).hexdigest()
        renewed = bool(file.digest) and file.digest != digest
        recognisable, file.as_applied = file.as_applied and file.digest == digest, False
        file.digest = digest
        file.problems = list(content.reading.problems)
        file.complete = content.reading.complete
        if not content.reading.readable:
            return []
        file.data = content.data
        before, file.claims = file.claims, {}
        for document in content.reading.documents:
            resolved = targets.resolve(self._service.registry, document, file.data)
            key = targets.unknown_key(document) if isinstance(resolved, Problem) else resolved[0]
            if (first := file.claims.get(key)) is not None:
                message = f"is declared in line {first.document.line} of this file already"
                name = describe(document.value)
                file.problems.append(Problem(message, "Remove one of the two.", document.line, 1, name))
                continue
            old = before.get(key)
            file.claims[key] = Claim(document, old.owned, revision=old.revision) if old else Claim(document)
        return [(key, file, renewed) for key in file.claims if not (recognisable and self._recognise(key, file))]

    def _recognise(self, key: Key, file: File) -> bool:
        """Whether an object of an unchanged file is still there, so that a restart need not apply it again."""
        target = targets.target_of(self._service.registry, key)
        if target is None or key not in file.held:
            return False
        try:
            obj = orjson.loads(self._service.get(target))
        except StatusError:  # it is gone: then it is applied, and what stands against that is said there
            return False
        owned = owned_fields(obj, file.path)
        file.claims[key].owned, file.claims[key].revision = owned, self.revision
        return bool(owned)

    def _forget_passed(self) -> None:
        if self._refused:
            self._refused = {key for file in self.files.values() for key in file.claims if file.claims[key].refused}

    async def _carry_out(self, group: Iterable[Sequence[_Work]]) -> None:
        """Apply what does not build upon each other: the lists side by side, each list in its order."""
        resolved = [[plan for work in turns if (plan := self._resolve(*work)) is not None] for turns in group]
        await self._adoption.prepare([(targets.key_of(plan.target), plan.file) for turns in resolved for plan in turns])
        await abreast(self._apply_in_turn, resolved)

    def _resolve(self, key: Key, file: File, renewed: bool) -> _Plan | None:
        """What an object of a file means by now; its claim moves to the key that it has then."""
        claim = file.claims[key]
        resolved = targets.resolve(self._service.registry, claim.document, file.data)
        if isinstance(resolved, Problem):
            # It may be an object that the file holds, its kind mistyped: nothing follows from its absence.
            claim.problems, claim.refused, file.complete = [resolved], 404, False
            self._refused.add(key)
            return None
        if resolved[0] != key:
            file.claims[resolved[0]] = file.claims.pop(key)
        return _Plan(file, claim, resolved[1], renewed)

    async def _apply_in_turn(self, plans: Sequence[_Plan]) -> None:
        for plan in plans:
            await self._apply(plan)

    async def _apply(self, plan: _Plan) -> None:
        file, claim, key = plan.file, plan.claim, targets.key_of(plan.target)
        try:
            if (refusal := self._adoption.refusal(key, file)) is not None:
                raise refusal
            answer = await self._write(plan)
        except StatusError as error:
            claim.problems, claim.refused = place(error, claim.document, file.data), error.code
            self._refused.add(key)
            return
        except Exception:  # a fault of ours over one object must not end the work for all others, at each start anew
            _LOG.exception("manifests: %s: %s cannot be judged", file.path, describe(claim.document.value))
            claim.problems, claim.refused = [_unjudged(claim.document)], 422
            self._refused.add(key)
            return
        if key not in file.held:
            self._adoption.settle(key, file, created=answer.created)
            file.held.add(key)
        claim.owned, claim.revision = owned_fields(orjson.loads(answer.value), file.path), answer.revision
        claim.problems, claim.overridden, claim.refused = [], [], 0

    async def _write(self, plan: _Plan) -> Answer:
        manager = manager_of(plan.file.path)
        patch = Patch("apply", targets.configuration(plan.claim.document.value, plan.target))
        try:
            return await self._service.patch(plan.target, patch, WriteOptions(manager=manager, validation="Strict"))
        except StatusError as error:
            holders = conflicting_managers(error)
            if not holders or not self._may_take(plan, holders):
                raise
        options = WriteOptions(manager=manager, validation="Strict", force=True)
        return await self._service.patch(plan.target, patch, options)

    def _may_take(self, plan: _Plan, holders: Many[str]) -> bool:
        """Whether a file may force its fields: from files that no longer name the object; and, when it has changed and
        the object is its own, from REST writers."""
        key = targets.key_of(plan.target)
        for holder in holders:
            if path := file_of(holder):
                other = self.files.get(path)
                if other is not None and key in other.claims:
                    return False
            elif not (plan.renewed and key in plan.file.held):
                return False
        return True


def _unjudged(document: Document) -> Problem:
    message = "cannot be judged, for a fault of the appliance that its log tells of"
    return Problem(message, "Look for what is odd about the object.", document.line, 1, describe(document.value))


def _groups(work: Iterable[_Work]) -> list[list[list[_Work]]]:
    """Work in the order it must have: groups one after the other, and in a group one list for each object.

    Files that name the same object take their turns in the order of their paths.
    """
    ranks: dict[int, dict[Key, list[_Work]]] = defaultdict(lambda: defaultdict(list))
    for item in sorted(work, key=lambda item: (targets.rank(item[0]), item[1].path)):
        ranks[targets.rank(item[0])[0]][item[0]].append(item)
    return [list(by_key.values()) for _, by_key in sorted(ranks.items())]

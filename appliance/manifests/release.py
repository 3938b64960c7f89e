"""Objects that a file no longer names are let go of: deleted, unless they are somebody else's as well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from appliance.manifests import targets
from appliance.manifests.claims import File, others
from appliance.manifests.placing import file_of, manager_of
from appliance.manifests.reader import Problem
from store.errors import StatusError
from store.log.contract import Key
from store.service import Service
from store.verbs import DeleteOptions, Patch, WriteOptions


async def release(service: Service, files: Mapping[str, File], file: File) -> None:
    """Let go of what the file holds and does not name; what stands against that becomes a problem of the file.

    files: all, by path; of some that let go of one object at the same time, none is the other's heir.
    """
    for key in sorted(file.held - file.claims.keys(), key=targets.rank, reverse=True):
        try:
            await _release_object(service, files, file, key)
        except StatusError as error:
            if error.code != 404:
                message = f"{key.resource} {key.namespace}/{key.name} cannot be removed: {error.message}"
                file.problems.append(Problem(message, "Remove it with kubectl, or put it back into the file."))
                continue
        file.held.discard(key)
        file.adopted.discard(key)


async def _release_object(service: Service, files: Mapping[str, File], file: File, key: Key) -> None:
    """Delete the object; or only give up its fields where it was there before, or others applied to it too."""
    target = targets.target_of(service.registry, key)
    if target is None:
        return
    obj = orjson.loads(service.get(target))
    manager = manager_of(file.path)
    if key in file.adopted or _has_heirs(files, file, key, obj):
        nothing = targets.identity(obj)
        await service.patch(target, Patch("apply", nothing), WriteOptions(manager=manager, force=True))
    else:
        uid = obj["metadata"]["uid"]
        await service.delete(target, DeleteOptions(uid=uid, manager=manager, force=True))


def _has_heirs(files: Mapping[str, File], file: File, key: Key, obj: Mapping[str, Any]) -> bool:
    """Whether anybody else applied to the object who has not let go of it either."""
    for manager in others(obj, file.path):
        other = files.get(file_of(manager))
        if other is None or key in other.claims or not other.complete:
            return True
    return False

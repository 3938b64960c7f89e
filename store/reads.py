"""Reading verbs: get, list, watch. Targets and options come in; bytes, pages and watches go out. Never waits for IO."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from store import paging
from store.current import Current
from store.kinds.kind import Kind
from store.log.contract import Key
from store.objects.field_selectors import Fields, parse_fields
from store.objects.label_selectors import Labels, parse_labels
from store.objects.selector_error import SelectorError
from store.objects.selectors import Selector
from store.paging import Continue
from store.refusals import CONTINUE_EXPIRED, bad_request, expired, not_found, too_large_revision
from store.state.objects import Entry, Place, Shelf
from store.verbs import Collection, Event, ListOptions, Page, Selection, Target, WatchOptions
from store.versions import Rendering
from store.watching import INITIAL_END, Watch

OLD_LIST = "The resourceVersion for the provided list is too old."

Predicate = Callable[[Mapping[str, Any]], bool]


def selector_of(kind: Kind, selection: Selection) -> Selector:
    """Parse both selectors. Raises StatusError 400."""
    try:
        labels = parse_labels(selection.labels)
        fields = parse_fields(selection.fields, kind.resource, kind.custom)
    except SelectorError as error:
        raise bad_request(str(error)) from None
    return Selector(labels, fields)


class Reads:
    """The reading verbs over the current objects."""

    def __init__(self, current: Current) -> None:
        self._current = current
        self._objects = current.objects
        self._renderings: dict[tuple[str, str], Rendering] = {}

    def rendering(self, kind: Kind, version: str) -> Rendering:
        """How the kind looks in a version; remembered while the kind stays the same."""
        known = self._renderings.get((kind.resource, version))
        if known is None or known.kind is not kind:
            known = self._renderings[kind.resource, version] = Rendering(kind, version)
        return known

    def get(self, target: Target) -> bytes:
        """One object. Raises StatusError 404."""
        kind = target.kind
        entry = self._objects.get(Key(kind.resource, target.namespace if kind.namespaced else "", target.name))
        if entry is None:
            raise not_found(kind, target.name)
        return self.rendering(kind, target.version)(entry.value)

    def list(self, collection: Collection, options: ListOptions) -> Page:
        """A page of a list. Raises StatusError 400, 410, 422 or 504."""
        paging.check_list(options)
        selector = selector_of(collection.kind, options.selection)
        start, revision = self._where(options)
        shelf = None if revision == self._objects.revision else self._past(collection, revision, options)
        matching = self._matching(collection, selector, shelf, start)
        rendering = self.rendering(collection.kind, collection.version)
        items: list[bytes] = []
        last: Place = ("", "")
        for place, entry in matching:
            if options.limit and len(items) == options.limit:
                token = Continue(revision, *last).token()
                remaining = None if selector.predicate() else 1 + sum(1 for _ in matching)
                return Page(tuple(items), revision, token, remaining)
            items.append(rendering(entry.value))
            last = place
        return Page(tuple(items), revision)

    def _where(self, options: ListOptions) -> tuple[Place | None, int]:
        """Where a list starts, and at which revision it is."""
        now = self._objects.revision
        if options.continue_:
            token = paging.parse_continue(options.continue_)
            if token.revision > now:
                raise too_large_revision(token.revision, now)
            return (token.namespace, token.name), now if token.revision < 0 else token.revision
        asked = paging.parse_revision(options.resource_version)
        if asked > now:
            raise too_large_revision(asked, now)
        exact = paging.exact_revision(options)
        return None, now if exact is None else exact

    def _past(self, collection: Collection, revision: int, options: ListOptions) -> Shelf:
        if revision < self._current.ring.floor:
            if options.continue_:
                token = paging.parse_continue(options.continue_)
                fresh = Continue(paging.INCONSISTENT, token.namespace, token.name).token()
                raise expired(CONTINUE_EXPIRED, fresh)
            raise expired(OLD_LIST)
        return self._objects.as_of(collection.kind.resource, self._current.ring.newest_first(revision))

    def _matching(
        self, collection: Collection, selector: Selector, shelf: Shelf | None, start: Place | None
    ) -> Iterator[tuple[Place, Entry]]:
        kind = collection.kind
        namespace = collection.namespace if kind.namespaced else ""
        found = self._objects.list(kind.resource, namespace, start) if shelf is None else shelf.list(namespace, start)
        if name := selector.name:
            found = (pair for pair in found if pair[0][1] == name)
        if selector.labels:
            labels = Labels(selector.labels)
            found = (pair for pair in found if labels.match(pair[1].labels()))
        if selector.fields:
            fields = Fields(selector.fields)
            found = (pair for pair in found if fields.match(orjson.loads(pair[1].value)))
        return found

    def watch(self, collection: Collection, options: WatchOptions) -> Watch:
        """A watch. Raises StatusError 400, 422 or 504; 410 comes out of the watch itself."""
        paging.check_watch(options)
        kind = collection.kind
        selector = selector_of(kind, options.selection)
        now = self._objects.revision
        asked = paging.parse_revision(options.resource_version)
        if asked > now:
            raise too_large_revision(asked, now)
        rendering = self.rendering(kind, collection.version)
        namespace = collection.namespace if kind.namespaced else ""
        late = None
        start: Sequence[Event] = ()
        replay = []
        since = asked or now
        if options.send_initial_events or not asked:
            start, since = self._initial(collection, selector, rendering, options.bookmarks), now
        elif asked < self._current.ring.floor:
            late = expired(f"too old resource version: {asked} ({self._current.ring.floor})")
        else:
            replay = self._current.ring.after(asked)
        return Watch(
            self._current.hub.subscribe(kind.resource, namespace, replay),
            rendering,
            selector.predicate(),
            revision=since,
            now_revision=lambda: self._objects.revision,
            start=start,
            late=late,
            bookmarks=options.bookmarks,
            timeout_s=options.timeout_s,
        )

    def _initial(
        self, collection: Collection, selector: Selector, rendering: Rendering, bookmarks: bool
    ) -> Sequence[Event]:
        """Everything that matches now as ADDED, and the bookmark that says so."""
        events = [
            Event("ADDED", entry.revision, rendering(entry.value))
            for _, entry in self._matching(collection, selector, None, None)
        ]
        if bookmarks:
            events.append(Watch.bookmark(rendering, self._objects.revision, INITIAL_END))
        return events

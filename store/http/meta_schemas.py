"""OpenAPI schemas of what all kinds share: metadata, lists, Status and DeleteOptions (meta.k8s.io/v1), in our words."""

from __future__ import annotations

from typing import Any

PREFIX = "io.k8s.apimachinery.pkg.apis.meta.v1."


def ref(name: str) -> dict[str, Any]:
    """A reference to a component of any document."""
    return {"$ref": f"#/components/schemas/{name}"}


def meta_ref(name: str, description: str = "") -> dict[str, Any]:
    """A field that is one of the schemas of this module."""
    return {"description": description, "allOf": [ref(PREFIX + name)], "default": {}}


def _string(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


def _time(description: str) -> dict[str, Any]:
    return {"description": description, "allOf": [ref(PREFIX + "Time")]}


def _integer(description: str, format_: str = "int64") -> dict[str, Any]:
    return {"type": "integer", "format": format_, "description": description}


def _boolean(description: str) -> dict[str, Any]:
    return {"type": "boolean", "description": description}


def _strings(description: str) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string", "default": ""}, "description": description}


def _string_map(description: str) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": {"type": "string", "default": ""}, "description": description}


def _objects(name: str, description: str) -> dict[str, Any]:
    return {"type": "array", "items": {"allOf": [ref(PREFIX + name)], "default": {}}, "description": description}


API_VERSION = _string("Group and version of the schema that this object is written in. The server keeps one of them.")
KIND = _string("What the object is, in CamelCase. It follows from the URL and cannot be changed.")
METADATA = "Name, labels and what the server keeps about the object."

OBJECT_META: dict[str, Any] = {
    "type": "object",
    "description": "What every stored object carries beside its own fields: its identity, its labels and its history.",
    "properties": {
        "annotations": _string_map("Free notes for people and tools. They cannot be selected by."),
        "creationTimestamp": _time("When the server accepted the object. Set by the server."),
        "deletionGracePeriodSeconds": _integer(
            "Seconds that the object was given to end. Set by the server on deletion."
        ),
        "deletionTimestamp": _time(
            "When deletion was asked for. The object stays until its finalizers are gone; there is no way back."
        ),
        "finalizers": _strings("Who still has something to clean up. The object goes when the list is empty.")
        | {"x-kubernetes-list-type": "set", "x-kubernetes-patch-strategy": "merge"},
        "generateName": _string("A prefix to which the server adds five characters when no name is given."),
        "generation": _integer("Counts the changes of what is asked for. Status does not count. Set by the server."),
        "labels": _string_map("Words to select the object by."),
        "managedFields": _objects("ManagedFieldsEntry", "Who has set which fields. Kept by the server."),
        "name": _string("What the object is called, unique among its kind in a namespace. It cannot be changed."),
        "namespace": _string(
            "The namespace that the object lies in, empty for cluster-wide kinds. It cannot be changed."
        ),
        "ownerReferences": _objects("OwnerReference", "Objects that this one goes away with.")
        | {
            "x-kubernetes-list-map-keys": ["uid"],
            "x-kubernetes-list-type": "map",
            "x-kubernetes-patch-merge-key": "uid",
            "x-kubernetes-patch-strategy": "merge",
        },
        "resourceVersion": _string(
            "The revision of the last write. Sent back with an update, it guards against lost updates."
        ),
        "selfLink": _string("No longer set by any server."),
        "uid": _string("Tells apart objects that had the same name one after the other. Set by the server."),
    },
}

SCHEMAS: dict[str, dict[str, Any]] = {
    PREFIX + "ObjectMeta": OBJECT_META,
    PREFIX + "Time": {
        "type": "string",
        "format": "date-time",
        "description": "A moment as RFC 3339 writes it, in seconds.",
    },
    PREFIX + "FieldsV1": {
        "type": "object",
        "description": "A set of fields as a tree, whose names tell fields from keys and values.",
    },
    PREFIX + "ManagedFieldsEntry": {
        "type": "object",
        "description": "The fields that one writer has set.",
        "properties": {
            "apiVersion": _string("The version in which the fields are named."),
            "fieldsType": _string("How fieldsV1 is written; FieldsV1 is the only way there is."),
            "fieldsV1": {"description": "The fields.", "allOf": [ref(PREFIX + "FieldsV1")]},
            "manager": _string("The name that the writer gave itself."),
            "operation": _string("Apply or Update, the way the fields were written."),
            "subresource": _string(
                "The subresource through which the fields were written, empty for the object itself."
            ),
            "time": _time("When these fields, or their values, last changed."),
        },
    },
    PREFIX + "OwnerReference": {
        "type": "object",
        "description": "Names an object that owns this one, in the same namespace or cluster-wide.",
        "properties": {
            "apiVersion": _string("Group and version of the owner."),
            "blockOwnerDeletion": _boolean("A foreground deletion of the owner waits for this object."),
            "controller": _boolean("The owner is the one that manages this object."),
            "kind": _string("Kind of the owner."),
            "name": _string("Name of the owner."),
            "uid": _string("Uid of the owner."),
        },
        "required": ["apiVersion", "kind", "name", "uid"],
        "x-kubernetes-map-type": "atomic",
    },
    PREFIX + "Condition": {
        "type": "object",
        "description": "One thing that is or is not so, and why.",
        "properties": {
            "lastTransitionTime": _time("When the status last changed."),
            "message": _string("What happened, for people."),
            "observedGeneration": _integer("Generation that this was found out about."),
            "reason": _string("What happened, in one word for programs."),
            "status": _string("True, False or Unknown."),
            "type": _string("What the condition is about."),
        },
        "required": ["type", "status", "lastTransitionTime", "reason", "message"],
    },
    PREFIX + "LabelSelector": {
        "type": "object",
        "description": "A selector of objects by their labels; all its parts must hold.",
        "properties": {
            "matchExpressions": _objects("LabelSelectorRequirement", "Requirements, all of which must hold.")
            | {"x-kubernetes-list-type": "atomic"},
            "matchLabels": _string_map("Labels and the values that they must have."),
        },
        "x-kubernetes-map-type": "atomic",
    },
    PREFIX + "LabelSelectorRequirement": {
        "type": "object",
        "description": "A requirement on one label.",
        "properties": {
            "key": _string("Label that the requirement is about."),
            "operator": _string("In, NotIn, Exists or DoesNotExist."),
            "values": _strings("Values for In and NotIn.") | {"x-kubernetes-list-type": "atomic"},
        },
        "required": ["key", "operator"],
    },
    PREFIX + "ListMeta": {
        "type": "object",
        "description": "What a list carries beside its items.",
        "properties": {
            "continue": _string("Sent back, it brings the next page."),
            "remainingItemCount": _integer("How many items follow this page, where that is known."),
            "resourceVersion": _string("The revision of the list; a watch can begin here."),
            "selfLink": _string("No longer set by any server."),
        },
    },
    PREFIX + "Status": {
        "type": "object",
        "description": "How a request ended, where there is no object to tell it.",
        "properties": {
            "apiVersion": API_VERSION,
            "code": _integer("The HTTP status.", "int32"),
            "details": {"description": "What exactly was refused.", "allOf": [ref(PREFIX + "StatusDetails")]},
            "kind": KIND,
            "message": _string("The sentence for people."),
            "metadata": meta_ref("ListMeta", "Of a list that could not be continued, where to go on."),
            "reason": _string("The word for programs."),
            "status": _string("Success or Failure."),
        },
        "x-kubernetes-group-version-kind": [{"group": "", "kind": "Status", "version": "v1"}],
    },
    PREFIX + "StatusDetails": {
        "type": "object",
        "description": "What a Status is about.",
        "properties": {
            "causes": _objects("StatusCause", "Each single problem."),
            "group": _string("Group of the object."),
            "kind": _string("Kind or resource of the object."),
            "name": _string("Name of the object."),
            "retryAfterSeconds": _integer("How long to wait before the next try.", "int32"),
            "uid": _string("Uid of the object."),
        },
    },
    PREFIX + "StatusCause": {
        "type": "object",
        "description": "One problem.",
        "properties": {
            "field": _string("Path of the field."),
            "message": _string("The problem, for people."),
            "reason": _string("The problem, for programs."),
        },
    },
    PREFIX + "Preconditions": {
        "type": "object",
        "description": "What must be true of an object for it to be deleted.",
        "properties": {
            "resourceVersion": _string("The object is at this revision."),
            "uid": _string("The object is this very one."),
        },
    },
    PREFIX + "DeleteOptions": {
        "type": "object",
        "description": "How to delete.",
        "properties": {
            "apiVersion": API_VERSION,
            "dryRun": _strings("All: judge the request and change nothing."),
            "gracePeriodSeconds": _integer("Seconds to let the object end; 0 is at once."),
            "kind": KIND,
            "orphanDependents": _boolean("The old form of propagationPolicy."),
            "preconditions": {"description": "Only if.", "allOf": [ref(PREFIX + "Preconditions")]},
            "propagationPolicy": _string(
                "Orphan, Background or Foreground: what becomes of the objects that this one owns."
            ),
        },
        "x-kubernetes-group-version-kind": [{"group": "", "kind": "DeleteOptions", "version": "v1"}],
    },
    PREFIX + "Patch": {"type": "object", "description": "A change, in the form that the Content-Type says."},
}

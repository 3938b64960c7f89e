"""What the official suite asserts, rule by rule, and what shows that it holds here.

A golden case is named TOPIC/NAME, as it lies under translate/; what only the data plane decides has a test, as pytest
names it. A rule that the translator has a part in has a golden case at least.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Rule(NamedTuple):
    """One rule in a sentence, the golden cases and the tests that show it."""

    says: str
    cases: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()


RULES: Final[dict[int, Rule]] = {
    1: Rule(
        "every condition has the generation that was read",
        ("gateways/every-condition-speaks-of-the-generation-that-was-read",),
    ),
    2: Rule(
        "a route's status repeats each parentRef with its defaults",
        ("attachment/section-names-and-ports-choose-listeners",),
    ),
    3: Rule(
        "a route that listeners do not allow is NotAllowedByListeners, and its references resolve",
        ("attachment/a-route-of-the-wrong-kind-is-not-allowed", "attachment/only-the-own-namespace-by-default"),
    ),
    4: Rule(
        "a wrong section or port is NoMatchingParent, a wrong hostname NoMatchingListenerHostname",
        ("attachment/section-names-and-ports-choose-listeners", "attachment/hostnames-meet-those-of-listeners"),
    ),
    5: Rule(
        "a route that goes is counted no more",
        ("gateways/one-unsupported-protocol-leaves-the-other-listeners-alone",),
        ("tests/appliance/gatewayapi/test_memory.py::test_a_change_concerns_its_own_routes_and_listeners",),
    ),
    6: Rule(
        "accepted routes are counted whatever their references, or their listener's, come to",
        (
            "attachment/a-route-counts-though-its-backend-is-missing",
            "certificates/a-route-counts-where-the-certificate-is-missing",
        ),
    ),
    7: Rule(
        "an unknown protocol is UnsupportedProtocol without kinds; the Gateway lives on its other listeners",
        (
            "gateways/one-unsupported-protocol-leaves-the-other-listeners-alone",
            "gateways/a-gateway-with-only-unsupported-protocols-is-not-accepted",
        ),
    ),
    8: Rule(
        "kinds that cannot attach are InvalidRouteKinds, and those that can stay",
        ("gateways/a-kind-that-does-not-fit-the-protocol-is-told-and-the-rest-stays",),
    ),
    9: Rule(
        "a bad certificateRef is InvalidCertificateRef, one that is not granted RefNotPermitted",
        (
            "certificates/what-is-wrong-with-a-certificate-is-said",
            "certificates/a-secret-of-another-namespace-needs-a-grant",
        ),
    ),
    10: Rule("parameters of an unknown kind are InvalidParameters", ("gateways/parameters-of-a-gateway-are-refused",)),
    11: Rule(
        "a backend that does not resolve is told in ResolvedRefs and answers 500; other rules go on",
        ("backends/references-that-do-not-resolve-answer-500",),
    ),
    12: Rule(
        "a rule without backends answers 500, and its references resolve", ("http/rules-without-backends-answer-500",)
    ),
    13: Rule(
        "a grant that goes takes the backend along",
        ("backends/a-service-of-another-namespace-needs-a-grant", "l4/a-backend-of-another-namespace-needs-a-grant"),
        ("tests/appliance/gatewayapi/test_memory.py::test_a_grant_that_goes_takes_its_backends_along",),
    ),
    14: Rule(
        "backends get requests by their weights, and none where it is zero",
        ("http/weights-are-kept-and-nothing-goes-where-they-are-zero", "grpc/what-cannot-be-reached-is-unavailable"),
        ("tests/proxy/routing/test_http_rules.py::test_a_split_gives_each_its_weight_in_every_round",),
    ),
    15: Rule(
        "a request belongs to the listener with the most specific hostname and to no other",
        (
            "gateways/listeners-of-one-port-keep-their-routes-apart",
            "certificates/a-listener-without-a-certificate-leaves-its-names-to-no-wider-one",
        ),
        (
            "tests/proxy/listeners/test_tls.py::test_the_most_specific_listener_takes_the_name_and_no_other_is_asked",
            "tests/proxy/listeners/test_tls.py::test_a_listener_without_a_certificate_leaves_its_names_to_no_wider_one",
            "tests/proxy/routing/test_http_rules.py::test_hostnames_match_most_specific_first",
        ),
    ),
    16: Rule(
        "a request for a host of another listener than the connection's is misdirected: 421",
        (),
        ("tests/attacks/test_tls.py::test_the_host_must_belong_to_the_listener_of_the_handshake",),
    ),
    17: Rule(
        "clients are asked for certificates by port, and strangers' handshakes fail",
        ("clients/clients-are-asked-for-certificates-by-port",),
        ("tests/proxy/listeners/test_client_validation.py::test_a_listener_lets_in_whom_it_trusts",),
    ),
    18: Rule(
        "authorities that do not resolve close their port and no other",
        ("clients/authorities-that-do-not-resolve-close-their-port",),
    ),
    19: Rule(
        "backends are shown the Gateway's certificate",
        ("clients/backends-are-shown-the-gateway's-certificate",),
        (
            "tests/proxy/http/test_tls_backends.py::test_every_gateway_shows_its_own_certificate_and_shares_no_connection",
        ),
    ),
    20: Rule(
        "a BackendTLSPolicy answers to Gateways, and backends are verified as it says",
        (
            "backend_tls/a-policy-answers-to-the-gateways-whose-traffic-it-touches",
            "backend_tls/backends-are-reached-as-their-policies-say",
        ),
        ("tests/proxy/http/test_tls_backends.py::test_a_backend_that_speaks_no_tls_gets_nothing",),
    ),
    21: Rule(
        "a policy whose authorities do not resolve is NoValidCACertificate, and requests fail",
        ("backend_tls/a-policy-that-trusts-nobody-answers-500",),
    ),
    22: Rule(
        "of two policies for one target the older wins; one for a section goes before one for all",
        ("backend_tls/the-older-policy-wins-and-a-section-goes-first",),
    ),
    23: Rule(
        "names in a policy are what the certificate must have; its hostname is only sent then",
        ("backend_tls/backends-are-reached-as-their-policies-say",),
    ),
    24: Rule(
        "a ListenerSet that its Gateway does not allow is NotAllowed and not counted",
        ("listener_sets/a-gateway-says-from-which-namespaces-it-takes-sets",),
    ),
    25: Rule(
        "the Gateway's listeners go before those of older sets, and these before younger ones",
        ("listener_sets/the-gateway-and-then-the-older-set-keep-what-they-have",),
    ),
    26: Rule(
        "a route attaches to a set or to its Gateway, each by a parentRef of its own",
        ("listener_sets/routes-attach-to-a-set-or-to-its-gateway-and-never-to-both-by-one-reference",),
    ),
    27: Rule(
        "a set needs grants of its own, and is not accepted without a good listener",
        (
            "listener_sets/a-set-needs-grants-of-its-own-for-certificates",
            "listener_sets/what-is-wrong-with-a-listener-of-a-set-is-told-at-the-set",
        ),
    ),
    28: Rule(
        "TLS is relayed by the most specific name; what leads nowhere is cut without an alert",
        ("l4/tls-is-relayed-by-name-or-ended-here",),
        (
            "tests/proxy/listeners/test_tls.py::test_the_most_specific_listener_takes_the_name_and_no_other_is_asked",
            "tests/proxy/l4/test_tcp.py::test_a_connection_that_leads_nowhere_is_reset_and_logged",
        ),
    ),
    29: Rule(
        "where TLS ends the backend sees plain TCP, beside relayed TLS on the same port",
        ("l4/tls-is-relayed-by-name-or-ended-here",),
        ("tests/proxy/listeners/test_tls.py::test_one_port_carries_all_three_kinds",),
    ),
    30: Rule(
        "of several TCP or UDP routes of a listener all are accepted and the oldest has the traffic",
        ("l4/the-oldest-tcp-route-has-the-traffic",),
    ),
    31: Rule(
        "a server may speak first",
        (),
        ("tests/proxy/l4/test_tcp.py::test_the_server_may_speak_first_and_end_first",),
    ),
    32: Rule(
        "preflights are answered with exact lists, and other answers say who may read them",
        ("filters/cross-origin-requests",),
        ("tests/proxy/filters/test_cors.py::test_a_preflight_gets_the_lists_of_the_rule",),
    ),
    33: Rule(
        "a timeout is a 504, and zero is none",
        ("http/timeouts-in-the-api's-notation",),
        ("tests/proxy/http/test_exchange.py::test_a_rules_timeout_is_a_504",),
    ),
    34: Rule(
        "a request is tried again as often, and for the codes, that its rule says",
        ("http/retries-as-the-rule-says",),
        ("tests/proxy/http/test_retries.py::test_codes_are_tried_again_and_the_last_answer_is_the_clients",),
    ),
    35: Rule(
        "mirrors get their share of requests, and change nothing for clients",
        ("filters/mirrors-that-do-not-resolve-are-told-and-left-out",),
        (
            "tests/proxy/http/test_mirrors.py::test_a_copy_goes_to_every_mirror_and_its_answer_nowhere",
            "tests/proxy/http/test_mirrors.py::test_a_share_of_requests_is_copied",
        ),
    ),
    36: Rule(
        "one port speaks HTTP/1.1 and HTTP/2; backends are spoken with as their appProtocol says",
        ("backends/application-protocols", "grpc/every-match-in-its-order-of-precedence"),
        ("tests/scenarios/test_clients.py::test_curl_that_knows_of_http2",),
    ),
    37: Rule(
        "filters of a backendRef work on what goes to that backend alone",
        ("filters/every-filter-of-a-backend", "grpc/what-cannot-be-reached-is-unavailable"),
    ),
    38: Rule(
        "a redirect's Location says what the filter says and keeps the rest",
        ("http/every-filter-is-carried",),
        ("tests/proxy/filters/test_filters.py::test_a_location_keeps_what_the_redirect_does_not_name",),
    ),
    39: Rule(
        "hosts match without their port, wildcards several labels; matches win by the API's precedence",
        ("http/matches-are-ordered-by-precedence", "attachment/hostnames-meet-those-of-listeners"),
        ("tests/proxy/routing/test_http_rules.py::test_hostnames_match_most_specific_first",),
    ),
    40: Rule(
        "what is made for a Gateway has its labels and annotations",
        (),
        ("tests/appliance/controller/test_gateway_services.py::test_a_service_has_what_its_gateway_asks_for",),
    ),
    41: Rule(
        "every class of this controller is accepted",
        ("classes/a-second-class-of-this-controller-is-accepted-too",),
    ),
    42: Rule("endpoints of Services come from EndpointSlices alone", ("backends/every-form-of-service",)),
}

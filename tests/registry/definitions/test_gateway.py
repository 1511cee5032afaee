"""Services and routes, auth configurations, applications, schemas, task definitions."""

from __future__ import annotations

import json

import pytest

from services.errors import InvalidDefinition
from services.registry.definitions import KINDS, Definition, Document, Json, Reference, parse


def faults(document: Document) -> list[str]:
    with pytest.raises(InvalidDefinition) as caught:
        parse(document)
    return [str(fault) for fault in caught.value.faults]


def accepted(document: Document) -> Definition:
    definition = parse(document)
    assert definition.warnings == ()
    return definition


def route(method: str = "GET", path: str = "/a", **fields: Json) -> Document:
    return {"httpMethod": method, "path": path, "mappedWorkflow": {"name": "w"}, **fields}


def service(*routes: Json, **fields: Json) -> Document:
    return {
        "kind": "service", "id": "orders", "path": "/api/orders", "authConfigId": "partners",
        "routes": list(routes), **fields,
    }  # fmt: skip


def declaring(**fields: Json) -> Document:
    return route("GET", "/a", queryParameters=[{"name": "currency"}], **fields)


def limit(**fields: Json) -> Document:
    return {"name": "burst", "limit": 5, "windowSeconds": 60, **fields}


def hooked(mode: str = "ASYNCHRONOUS", **fields: Json) -> Document:
    webhook = {"secretName": "KEY", **fields}
    return route(workflowExecutionMode=mode, completionWebhook=webhook)


def auth(**fields: Json) -> Document:
    return {
        "kind": "auth", "id": "partners", "authenticationType": "API_KEY",
        "applicationId": "storefront", **fields,
    }  # fmt: skip


# --- services


def test_a_completion_webhook_refers_to_its_secret() -> None:
    definition = accepted(
        service(hooked(url="https://h/x"), hooked(callerUrl=True) | {"path": "/b"})
    )

    assert Reference("secret", "KEY", None, "routes[1].completionWebhook.secretName") in (
        definition.references
    )


def test_a_service_refers_to_its_auth_and_its_workflows() -> None:
    mapped: Document = {"name": "checkout", "version": 2, "requestMetadataAsInput": True}
    definition = accepted(service(route(mappedWorkflow=mapped), route(path="/b")))

    assert definition.references == (
        Reference("workflow", "checkout", 2, "routes[0].mappedWorkflow.name"),
        Reference("workflow", "w", None, "routes[1].mappedWorkflow.name"),
        Reference("auth", "partners", None, "authConfigId"),
    )


def test_a_service_as_another_gateway_exports_it_is_taken() -> None:
    exported: Document = {
        "name": "Feedback Service", "description": "", "enabled": True, "createTime": 1, "tags": [],
        "basePath": "https://x.example/api", "orgId": "o", "createdBy": "a@b.example",
    }  # fmt: skip
    sent: Document = {
        "serviceId": "feedback-service", "workflowMetadataInOutput": False, "waitUntilTasks": "",
        "timeoutInSeconds": 0, "queryParameters": [], "createTime": 1, "orgId": "o",
        "workflowExecutionMode": "SYNCHRONOUS", "description": "",
    }  # fmt: skip

    definition = accepted(service(route("POST", "/user-feedback/{user-id}", **sent), **exported))

    assert "basePath" not in definition.document
    assert "serviceId" not in str(definition.document)


def test_a_cache_may_be_keyed_by_all_that_a_call_has() -> None:
    key = "${principal}-${path.id}-${query.q}-${headers.X-Tenant}-${body}-${body.order.id}"
    whole: Document = {"key": key, "ttlInSecond": 2_592_000, "shared": True}

    accepted(service(route(path="/{id}", cacheConfig=whole), route(cacheConfig={})))


def test_a_cache_where_no_answer_is_ever_waited_for_is_told() -> None:
    never = route(workflowExecutionMode="ASYNCHRONOUS", cacheConfig={"ttlInSecond": 300})

    assert [str(warning) for warning in parse(service(never)).warnings] == [
        "routes[0].cacheConfig: has no effect on an ASYNCHRONOUS route, which answers 202"
    ]


@pytest.mark.parametrize(
    ("fields", "written"),
    [
        ("all", "${principal}, ${path.NAME} or ${query.NAME}"),
        ("principal", "${principal}"),
        ("query.page", "${query.page}"),
    ],
)
def test_a_key_that_names_nothing_of_a_call_is_told(fields: str, written: str) -> None:
    alike = "names nothing of a call, so all calls are alike to it"
    told = f"{alike}: write {written}, or leave it out"
    concurrent: Json = {"concurrentExecLimit": 1, "rateLimitKey": fields}
    bare = route(
        rateLimits=[limit(key=fields)], cacheConfig={"key": fields}, rateLimitConfig=concurrent
    )

    assert parse(service(bare)).warnings == (
        f"routes[0].rateLimits[0].key: {told}",
        f"routes[0].cacheConfig.key: {told}",
        f"routes[0].rateLimitConfig.rateLimitKey: {told}",
    )


def test_a_key_may_name_any_field_of_a_query_that_is_not_declared() -> None:
    accepted(service(route(cacheConfig={"key": "${query.curency}"}, queryParameters=[])))
    accepted(service(declaring(cacheConfig={"key": "${query.currency}"})))


def test_what_a_route_says_in_vain_is_told() -> None:
    vain = route(path="/files/*", idempotencyOnPublic=True)

    assert parse(service(vain)).warnings == (
        "routes[0].path: '*' is taken literally: no path has wildcards, {name} is any one segment",
        "routes[0].idempotencyOnPublic: has no effect: no Idempotency-Key is heeded on GET",
    )


def test_a_schema_may_be_text_or_named_and_a_copy_beside_the_name_is_told() -> None:
    reference: Document = {"name": "Rating", "version": 1}
    text = '{"$schema": "http://json-schema.org/draft-07/schema", "type": "object"}'

    definition = parse(service(route(inputSchema=text, inputSchemaRef=reference)))
    alone = accepted(service(route(inputSchema=text, queryParameters=[{"name": "q-1_X"}])))

    assert definition.warnings == (
        "routes[0].inputSchema: is kept, and not used: inputSchemaRef is",
    )
    name = "routes[0].inputSchemaRef.name"
    assert Reference("schema", "Rating", 1, name) in definition.references
    assert '"type": "object"' in json.dumps(alone.document)


@pytest.mark.parametrize("enabled", [True, False, None])
def test_routes_are_tools_or_not(enabled: bool | None) -> None:
    accepted(service(route(), corsConfig={}, mcpEnabled=enabled))


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"id": "Orders"}, "id: must be lowercase letters, digits and hyphens, not 'Orders'"),
        ({"id": "orders-"}, "id: must be lowercase letters, digits and hyphens, not 'orders-'"),
        ({"path": "api"}, "path: must begin with '/', not 'api'"),
        ({"path": "/-/x"}, "path: must not be below '/-', which is the gateway's own"),
        ({"path": "/-"}, "path: must not be below '/-', which is the gateway's own"),
        ({"path": "/a//b"}, "path: must not have an empty segment ('//')"),
        ({"path": "//"}, "path: must not have an empty segment ('//')"),
        ({"path": "/a/../b"}, "path: must not have the segment '..'"),
        ({"path": "/a/{b}"}, "path: must not hold parameters: '{b}' belongs into a route"),
        ({"path": "/a?b"}, "path: 'a?b' holds a character that no path has"),
        ({"path": 5}, "path: must be text, not 5"),
        ({"authConfigId": None}, "authConfigId: is required"),
        ({"enabled": "maybe"}, "enabled: must be true or false, not 'maybe'"),
        ({"corsConfig": {"accessControlAllowOrigins": []}},
         "corsConfig.accessControlAllowOrigins: is no field of a CORS configuration; did you mean "
         "'accessControlAllowOrigin'?"),
        ({"corsConfig": {"allowOrigin": ["*"]}},
         "corsConfig.allowOrigin: is no field of a CORS configuration; did you mean "
         "'accessControlAllowOrigin'?"),
        ({"corsConfig": {"accessControlAllowOrigin": "*"}},
         "corsConfig.accessControlAllowOrigin: must be a list, not '*'"),
        ({"corsConfig": {"accessControlAllowOrigin": ["https://shop.example/"]}},
         "corsConfig.accessControlAllowOrigin[0]: must be an origin like https://shop.example or "
         "https://*.shop.example, without a path, or '*', not 'https://shop.example/'"),
        ({"corsConfig": {"accessControlAllowOrigin": ["*"], "accessControlAllowCredentials": True}},
         "corsConfig.accessControlAllowCredentials: must not be true where any origin may call: "
         "list the origins"),
        ({"corsConfig": {"accessControlAllowOrigin": ["https://*.*.example"]}},
         "corsConfig.accessControlAllowOrigin[0]: must not have more than one '*' in it"),
        ({"corsConfig": {"accessControlAllowHeaders": ["a b"]}},
         "corsConfig.accessControlAllowHeaders[0]: must be the name of a header, or '*', not "
         "'a b'"),
        ({"corsConfig": {"accessControlMaxAge": 86_401}},
         "corsConfig.accessControlMaxAge: must be at most 86400, not 86401"),
    ],
)  # fmt: skip
def test_a_service_refuses(fields: Document, fault: str) -> None:
    assert faults(service(**fields)) == [fault]


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (route("HEAD"), "httpMethod: must be one of GET, POST, PUT, DELETE, PATCH, not 'HEAD'"),
        (route(path="a"), "path: must begin with '/', not 'a'"),
        (route(path="/{a}b"), "path: '{a}b': a parameter is one whole segment like {orderId}"),
        (route(path="/{}"), "path: '{}': a parameter is one whole segment like {orderId}"),
        (route(path="/{a}/{a}"), "path: has the parameter 'a' twice"),
        (route(path="/:id"), "path: ':id': a parameter is written {id}"),
        (route(path="/a%20b"), "path: 'a%20b': write the character itself; requests are decoded "
                               "before matching"),
        (route(path="/{requestMetadata}"), "path: 'requestMetadata' is set by the gateway; name it "
                                           "otherwise"),
        (route(mappedWorkflow=None), "mappedWorkflow: is required"),
        (route(mappedWorkflow={}), "mappedWorkflow.name: is required"),
        (route(mappedWorkflow={"name": "w", "version": -1}),
         "mappedWorkflow.version: must be at least 0, not -1"),
        (route(timeoutInSeconds=900), "timeoutInSeconds: must be at most 300, not 900"),
        (route(workflowExecutionMode="ASYNC"),
         "workflowExecutionMode: must be one of SYNCHRONOUS, ASYNCHRONOUS, not 'ASYNC'"),
        (route(workflowMetadataInOutput=True),
         "workflowMetadataInOutput: is not supported: the answer is the output; its id is in "
         "Podium-Execution-Id"),
        (hooked(url="https://h/", mode="SYNCHRONOUS"),
         "completionWebhook: needs workflowExecutionMode: ASYNCHRONOUS: the caller of another "
         "route is told by the answer"),
        (hooked(), "completionWebhook.url: is required unless callerUrl is true"),
        (hooked(url="https://u:p@h/"),
         "completionWebhook.url: must have no user name or password in it"),
        (hooked(url=5), "completionWebhook.url: must be a URL, not 5"),
        (hooked(url="https://h/", secretName=None), "completionWebhook.secretName: is required"),
        (hooked(url="https://h/", secret="x"),
         "completionWebhook.secret: is no field of a completion webhook; "
         "did you mean 'secretName'?"),
        (route(rateLimits=[{"name": "burst", "limit": 5}]),
         "rateLimits[0].windowSeconds: is required"),
        (route(rateLimits=[limit(), limit()]), "rateLimits[1].name: 'burst' is declared twice"),
        (route(rateLimits=[limit(name="a b")]),
         "rateLimits[0].name: must be letters, digits, '_', '.' and '-', not 'a b'"),
        (route(rateLimits=[limit(limit=0)]), "rateLimits[0].limit: must be at least 1, not 0"),
        (route(path="/{orderId}", rateLimits=[limit(key="${path.order}")]),
         "rateLimits[0].key: 'order' is no parameter of the path; did you mean 'orderId'?"),
        (route(rateLimits=[limit(key="${headers.Authorization}")]),
         "rateLimits[0].key: must not name the header Authorization: ${principal} is who calls"),
        (route(rateLimits=[limit(key="${cookie.x}")]),
         "rateLimits[0].key: 'cookie.x' is none of principal, path.NAME, query.NAME, headers.NAME"),
        (route(rateLimits=[limit(key="${body.x}")]),
         "rateLimits[0].key: must not name body.x: calls are counted before the body is read"),
        (route(rateLimits=[limit(key="${query}")]), "rateLimits[0].key: 'query' names nothing"),
        (route(rateLimits=[limit(key="a-${principal")]),
         "rateLimits[0].key: has a '${' without its '}'"),
        (route(cacheConfig={"ttlInSecond": 299}),
         "cacheConfig.ttlInSecond: must be at least 300, not 299"),
        (route(cacheConfig={"ttlInSecond": 2_592_001}),
         "cacheConfig.ttlInSecond: must be at most 2592000, not 2592001"),
        (route(cacheConfig={"key": "${path.id}"}),
         "cacheConfig.key: 'id' is no parameter of the path"),
        (route(cacheConfig={"key": "${headers.X-API-Key}"}),
         "cacheConfig.key: must not name the header X-API-Key: ${principal} is who calls"),
        (route(cacheConfig={"key": "${body.}"}), "cacheConfig.key: 'body.' names nothing"),
        (route(cacheConfig={"key": "${body.a..b}"}),
         "cacheConfig.key: 'body.a..b' names nothing"),
        (route(cacheConfig={"key": "${workflow.id}"}),
         "cacheConfig.key: 'workflow.id' is none of principal, path.NAME, query.NAME, "
         "headers.NAME, body, body.FIELD"),
        (route(cacheConfig={"ttl": 300}),
         "cacheConfig.ttl: is no field of a cache configuration; did you mean 'ttlInSecond'?"),
        (route(rateLimits=[limit(windowsInMinutes=1)]),
         "rateLimits[0].windowsInMinutes: is no field of a rate limit"),
        (route(rateLimits=[limit(window=1)]),
         "rateLimits[0].window: is no field of a rate limit; did you mean 'windowSeconds'?"),
        (route(rateLimitConfig={"concurrentExecLimit": 1, "limit": 1}),
         "rateLimitConfig.limit: is no field of a rate limit configuration; did you mean "
         "'concurrentExecLimit'?"),
        (declaring(rateLimits=[limit(key="${query.curency}")]),
         "rateLimits[0].key: 'curency' is none of queryParameters; did you mean 'currency'?"),
        (declaring(cacheConfig={"key": "${query.curency}"}),
         "cacheConfig.key: 'curency' is none of queryParameters; did you mean 'currency'?"),
        (declaring(rateLimitConfig={"concurrentExecLimit": 1, "rateLimitKey": "${query.page}"}),
         "rateLimitConfig.rateLimitKey: 'page' is none of queryParameters"),
        (route(path="/{naïve}"),
         "path: '{naïve}': the name of a parameter is ASCII letters, digits, '_' and '-', and "
         "begins with a letter or '_'"),
        (route(rateLimitConfig={"rateLimitKey": "${principal}"}),
         "rateLimitConfig.concurrentExecLimit: is required"),
        (route(rateLimitConfig={"concurrentExecLimit": 0}),
         "rateLimitConfig.concurrentExecLimit: must be at least 1, not 0"),
        (route(rateLimitConfig={"concurrentExecLimit": 1, "rateLimitKey": "${path.x}"}),
         "rateLimitConfig.rateLimitKey: 'x' is no parameter of the path"),
        (route(rateLimitConfig={"concurrentExecLimit": 1, "onFull": "WAIT"}),
         "rateLimitConfig.onFull: must be one of REJECT, QUEUE, not 'WAIT'"),
        (route(rateLimitConfig={"concurrentExecLimit": 1, "onFull": "QUEUE", "maxQueued": 1001}),
         "rateLimitConfig.maxQueued: must be at most 1000, not 1001"),
        (route(rateLimitConfig={"concurrentExecLimit": 1}, rateLimits=[limit(name="concurrent")]),
         "rateLimits[0].name: 'concurrent' is the name of the limit of rateLimitConfig"),
        (route(idempotencyOnPublic="yes"),
         "idempotencyOnPublic: must be true or false, not 'yes'"),
        (route(preRequestScript=1), "preRequestScript: must be text, not 1"),
        (route(responseEnvelope=True),
         "responseEnvelope: needs a postResponseScript, which gives the envelope"),
        (route(outputSchema=5), "outputSchema: must be a JSON Schema, an object, not 5"),
        (route(inputSchema=[]), "inputSchema: must be a JSON Schema, an object, not a list"),
        (route(inputSchema="{"), "inputSchema: cannot be read: line 1: is no JSON: "
                                 "Expecting property name enclosed in double quotes"),
        (route(inputSchema={"type": "text"}),
         "inputSchema.type: must be one of array, boolean, integer, null, number, object, string, "
         "or a list of them, not 'text'"),
        (route(inputSchema={"properties": {"a": {"type": "objekt"}}}),
         "inputSchema.properties.a.type: must be one of array, boolean, integer, null, number, "
         "object, string, or a list of them, not 'objekt'; did you mean 'object'?"),
        (route(inputSchema={"type": ["string", 5]}),
         "inputSchema.type: must be one of array, boolean, integer, null, number, object, string, "
         "or a list of them"),
        (route(inputSchema={"$ref": "http://x.example/s"}),
         "inputSchema: refers to 'http://x.example/s', which is outside of the schema"),
        (route(inputSchema={"anyOf": [{"$ref": "#"}], "oneOf": [{"$ref": "#"}]}),
         "inputSchema: leads by '#' back to itself, without going into the value"),
        (route(inputSchemaRef={"version": 1}), "inputSchemaRef.name: is required"),
        (route(queryParameters=[{"name": "a b"}]),
         "queryParameters[0].name: must be letters, digits, '_' and '-', not 'a b'"),
        (route(queryParameters=[{"name": "a", "type": "text"}]),
         "queryParameters[0].type: must be one of string, integer, number, boolean, array, not "
         "'text'"),
        (route(queryParameters=[{"name": "a"}, {"name": "a"}]),
         "queryParameters[1].name: 'a' is declared twice"),
        (route(path="/{a}", queryParameters=[{"name": "a"}]),
         "queryParameters[0].name: 'a' is a parameter of the path"),
        (route(queryParameters=[{"name": "requestMetadata"}]),
         "queryParameters[0].name: 'requestMetadata' is set by the gateway; name it otherwise"),
        (route(queryParameters=[{"name": "a", "type": "integer", "default": "1"}]),
         "queryParameters[0].default: must be a whole number, not '1'"),
        (route(queryParameters=[{"name": "a", "enum": ["x"], "default": "y"}]),
         "queryParameters[0].default: must be one of enum, not 'y'"),
        (route(queryParameters=[{"name": "a", "type": "array", "default": "y"}]),
         "queryParameters[0].default: must be a list, not 'y'"),
        (route(queryParameters=[{"name": "a", "type": "boolean", "enum": [1]}]),
         "queryParameters[0].enum[0]: must be true or false, not 1"),
        (route(timeoutInSecond=5), "timeoutInSecond: is no field of a route; did you mean "
                                   "'timeoutInSeconds'?"),
    ],
)  # fmt: skip
def test_a_route_refuses(bad: Document, fault: str) -> None:
    assert faults(service(bad)) == [f"routes[0].{fault}"]


def test_two_routes_for_the_same_requests_are_refused() -> None:
    accepted(service(route(path="/a"), route(path="/{b}"), route("POST", "/{c}")))

    assert faults(service(route(path="/a/{x}"), route(path="/a/b"), route(path="/a/{y}/"))) == [
        "routes[2]: answers the same requests as routes[0]"
    ]


def test_a_route_over_what_the_gateway_answers_is_refused() -> None:
    assert faults(service(route(path="/docs"), path="/orders")) == [
        "routes[0].path: would hide /orders/docs, which the gateway answers"
    ]
    accepted(service(route(path="/{page}"), path="/orders"))
    accepted(service(route(path="/-/x")))
    for path in ("/-", "/-/", "/-/x"):
        assert faults(service(route(path=path), path="/")) == [
            "routes[0].path: must not be below '/-', which is the gateway's own"
        ]
    accepted(service(route(path="/-x"), path="/"))


def test_two_slashes_are_no_root() -> None:
    accepted(service(route(path="/"), path="/"))
    assert faults(service(route(path="//"))) == [
        "routes[0].path: must not have an empty segment ('//')"
    ]


# --- auth configurations and applications


def test_keys_are_text_or_named_and_may_expire() -> None:
    accepted(auth())
    accepted(auth(authenticationType="PUBLIC", apiKeys=[]))
    definition = accepted(
        auth(
            apiKeys=[
                "0123456789abcdef",
                {"name": "a", "key": "0123456789abcdeF", "expiresAt": "2027-01-31T00:00:00+01:00"},
                {"name": "b", "key": "0123456789abcdeE", "expiresAt": 1_800_000_000_000},
            ]
        )
    )

    assert definition.references == (Reference("application", "storefront", None, "applicationId"),)
    assert KINDS["auth"].hidden == ("apiKeys",)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"authenticationType": "OIDC"}, ["authenticationType: OIDC is not supported yet"]),
        ({"authenticationType": "KEY"},
         ["authenticationType: must be one of API_KEY, JWT, NONE, PUBLIC, not 'KEY'"]),
        ({"applicationId": None}, ["applicationId: is required"]),
        ({"authenticationType": "NONE", "apiKeys": ["0123456789abcdef"]},
         ["apiKeys: has no meaning where authenticationType is NONE"]),
        ({"apiKeys": ["0123456789abcdef", {"key": "0123456789abcdef"}]},
         ["apiKeys[1]: has the same key as one before it"]),
        ({"apiKeys": [{}, 5, "a b", {"name": "kept"}]},
         ["apiKeys[0].key: is required",
          "apiKeys[1]: must be printable ASCII without spaces or API key",
          "apiKeys[2]: must be printable ASCII without spaces"]),
        ({"apiKeys": [{"key": "0123456789abcdef", "expiresAt": "2027-01-31"}]},
         ["apiKeys[0].expiresAt: must be a moment with its zone, like 2027-01-31T00:00:00Z"]),
        ({"passthrough": True}, ["passthrough: is not supported yet"]),
    ],
)  # fmt: skip
def test_an_auth_configuration_refuses(fields: Document, expected: list[str]) -> None:
    assert faults(auth(**fields)) == expected


def tokens(**rules: Json) -> Document:
    good: Document = {"issuer": "https://issuer.example", "audience": "api://orders"}
    return auth(authenticationType="JWT", jwt=good | rules)


def test_tokens_are_taken_by_keys_from_one_place() -> None:
    key: Document = {"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "A" * 43}
    pem = (
        "-----BEGIN PUBLIC KEY-----\n"
        "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"
    )
    for rules in (
        {},
        {"jwksUri": "https://issuer.example/jwks"},
        {"jwksUri": "http://127.0.0.1:9000/jwks"},
        {"jwksUri": "http://localhost:9000/jwks"},
        {"jwks": {"keys": [key]}},
        {"publicKey": pem},
        {"issuer": "no URL", "publicKey": pem},
        {"audience": ["a", "b"], "scopes": ["orders.read"], "type": "at+jwt"},
        {"algorithms": ["PS512"], "clockSkewSeconds": 0, "principalClaim": "azp", "claims": ["a"]},
    ):
        assert not accepted(tokens(**rules)).warnings


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"issuer": None}, "jwt.issuer: is required"),
        ({"audience": None}, "jwt.audience: is required"),
        ({"audience": []}, "jwt.audience: must not be empty"),
        ({"algorithms": ["HS256"]}, "jwt.algorithms[0]: must be one of RS256"),
        ({"algorithms": ["none"]}, "jwt.algorithms[0]: must be one of RS256"),
        ({"algorithms": []}, "jwt.algorithms: must not be empty"),
        ({"jwksUri": "file:///etc/passwd"}, "jwt.jwksUri: must be an absolute http or https URL"),
        ({"jwksUri": "https://a:b@x.example/"}, "jwt.jwksUri: must have no user name"),
        (
            {
                "jwksUri": "https://x.example/",
                "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}]},
            },
            "jwt.jwks: must not be there",
        ),
        ({"issuer": "issuer"}, "jwt.jwksUri: is required"),
        ({"jwks": {}}, "jwt.jwks: is no set of keys"),
        ({"jwks": {"keys": []}}, "jwt.jwks: has no key"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}}, "jwt.jwks: must hold public keys"),
        ({"jwks": {"keys": [{"kty": ["RSA"]}]}}, "jwt.jwks: has no key"),
        ({"publicKey": "-----BEGIN PUBLIC KEY-----"}, "jwt.publicKey: is no PEM"),
        ({"publicKey": "-----BEGIN PRIVATE KEY-----"}, "jwt.publicKey: must be a public key"),
        ({"clockSkewSeconds": 301}, "jwt.clockSkewSeconds: must be"),
        ({"scopes": ["two words"]}, "jwt.scopes[0]: must be one scope"),
        ({"claims": ["c"] * 33}, "jwt.claims: must be at most 32"),
        ({"secret": "s"}, "jwt.secret: is no field of"),
    ],
)
def test_tokens_are_refused(rules: Document, expected: str) -> None:
    found = faults(tokens(**rules))

    assert len(found) == 1
    assert found[0].startswith(expected)


def test_rules_of_tokens_are_there_where_tokens_are_taken_only() -> None:
    assert faults(auth(authenticationType="JWT")) == [
        "jwt: is required where authenticationType is JWT"
    ]
    rules: Document = {"issuer": "https://issuer.example", "audience": "a"}
    assert faults(auth(jwt=rules)) == ["jwt: has no meaning where authenticationType is not JWT"]
    keyed = auth(authenticationType="JWT", jwt=rules, apiKeys=["0123456789abcdef"])
    assert faults(keyed) == ["apiKeys: has no meaning where authenticationType is JWT"]


def test_keys_that_come_in_plain_text_are_told() -> None:
    (told,) = parse(tokens(jwksUri="http://issuer.example/jwks")).warnings
    assert "is not https" in told
    (told,) = parse(tokens(issuer="http://issuer.example")).warnings
    assert "is not https" in told


def test_a_short_key_is_told() -> None:
    assert parse(auth(apiKeys=["secret"])).warnings == (
        "apiKeys[0]: is shorter than 16 characters and can be guessed",
    )


def test_an_application_has_known_roles_and_grants() -> None:
    grant: Document = {"target": {"type": "workflow", "id": "checkout"}, "access": ["EXECUTE"]}
    accepted({"kind": "application", "id": "a", "roles": ["WORKER"], "permissions": [grant]})

    bad: Document = {"target": {"type": "workfow"}, "access": ["RUN"]}
    assert faults(
        {"kind": "application", "id": "a b", "roles": ["ROOT"], "permissions": [bad]}
    ) == [
        "id: must be letters, digits, '.', '_' and '-', not 'a b'",
        "roles[0]: must be one of ADMIN, EDITOR, OPERATOR, VIEWER, WORKER, not 'ROOT'",
        "permissions[0].target.type: must be one of workflow, task, schema, application, auth, "
        "service, secret, schedule, event, webhook, tag, not 'workfow'; did you mean 'workflow'?",
        "permissions[0].target.id: is required",
        "permissions[0].access[0]: must be one of READ, CREATE, UPDATE, DELETE, EXECUTE, not 'RUN'",
    ]


# --- schemas


def schema(data: Json, **fields: Json) -> Document:
    return {"kind": "schema", "name": "order", "data": data, **fields}


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": {}}},
        {"$schema": "http://json-schema.org/draft-07/schema", "required": ["rating"]},
        {"$schema": "https://json-schema.org/draft/2020-12/schema"},
    ],
)
def test_a_json_schema_is_taken(data: Document) -> None:
    assert accepted(schema(data, version="3")).version == 3


def test_every_fault_of_a_json_schema_has_its_path() -> None:
    data: Document = {"properties": {"a": {"minimum": "x"}, "b": {"pattern": 5}}, "required": "a"}

    paths = sorted(fault.partition(":")[0] for fault in faults(schema(data)))

    assert paths == ["data.properties.a.minimum", "data.properties.b.pattern", "data.required"]


@pytest.mark.parametrize(
    "reference", ["http://127.0.0.1:9/x.json", "file:///etc/passwd", "other.json"]
)
def test_a_schema_that_reads_something_else_is_refused(reference: str) -> None:
    (fault,) = faults(schema({"$ref": reference}))

    assert fault.startswith("data: refers to '")
    assert fault.endswith("which is outside of the schema")


def test_a_schema_of_another_kind_is_refused() -> None:
    assert faults(schema({}, type="AVRO")) == ["type: AVRO is not supported yet"]
    assert faults(schema({"$schema": "http://json-schema.org/draft-04/schema#"})) == [
        "data.$schema: must be https://json-schema.org/draft/2020-12/schema or "
        "http://json-schema.org/draft-07/schema#, not 'http://json-schema.org/draft-04/schema#'"
    ]
    assert faults(schema("{}")) == ["data: must be an object, not '{}'"]


# --- task definitions


def test_a_task_definition_follows_conductors_rules() -> None:
    bad: Document = {
        "kind": "task", "name": "t", "retryCount": -1, "responseTimeoutSeconds": 0,
        "backoffScaleFactor": 0, "maxRetryDelaySeconds": -1, "backoffJitterMs": -1,
        "timeoutSeconds": 90, "totalTimeoutSeconds": 60, "pollTimeoutSeconds": -1,
        "concurrentExecLimit": -1,
    }  # fmt: skip

    assert faults(bad) == [
        "retryCount: must be at least 0, not -1",
        "responseTimeoutSeconds: must be at least 1, not 0",
        "backoffScaleFactor: must be at least 1, not 0",
        "maxRetryDelaySeconds: must be at least 0, not -1",
        "backoffJitterMs: must be at least 0, not -1",
        "pollTimeoutSeconds: must be at least 0, not -1",
        "concurrentExecLimit: must be at least 0, not -1",
        "timeoutSeconds: must be at most totalTimeoutSeconds, 60, not 90",
    ]


def test_a_task_definition_as_an_sdk_sends_it_is_taken() -> None:
    accepted(
        {"kind": "task", "name": "t", "retryCount": 3, "timeoutSeconds": 60, "enforceSchema": False,
         "timeoutPolicy": "TIME_OUT_WF", "retryLogic": "FIXED", "responseTimeoutSeconds": 60,
         "inputSchema": {"name": "x", "version": 1}, "rateLimitFrequencyInSeconds": 1,
         "rateLimitPerFrequency": 0, "inputKeys": [], "ownerEmail": "a@b.example", "updateTime": 1,
         "inputTemplate": {"a": "${anything.output}"}}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"backoffScaleFactor": 2}, "backoffScaleFactor: has no effect: retryLogic is FIXED"),
        ({"backoffScaleFactor": 2, "retryLogic": "EXPONENTIAL_BACKOFF"},
         "backoffScaleFactor: has no effect: retryLogic is EXPONENTIAL_BACKOFF"),
        ({"rateLimitFrequencyInSeconds": 5, "rateLimitPerFrequency": 0},
         "rateLimitFrequencyInSeconds: has no effect without rateLimitPerFrequency"),
        ({"retryDelaySeconds": 30, "maxRetryDelaySeconds": 20},
         "retryDelaySeconds: is cut to maxRetryDelaySeconds, 20"),
        ({"totalTimeoutSeconds": 20, "pollTimeoutSeconds": 30},
         "pollTimeoutSeconds: has no effect: totalTimeoutSeconds, 20, is over before"),
        ({"totalTimeoutSeconds": 20, "responseTimeoutSeconds": 30},
         "responseTimeoutSeconds: has no effect: totalTimeoutSeconds, 20, is over before"),
    ],
)  # fmt: skip
def test_what_a_task_definition_says_in_vain_is_warned_of(fields: Document, told: str) -> None:
    assert parse({"kind": "task", "name": "t", **fields}).warnings == (told,)
    embedded: Document = {"name": "a", "taskReferenceName": "a", "type": "SIMPLE",
                          "taskDefinition": fields}  # fmt: skip
    assert parse({"name": "w", "tasks": [embedded]}).warnings == (
        f"tasks[0].taskDefinition.{told}",
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"backoffScaleFactor": 2, "retryLogic": "LINEAR_BACKOFF"},
        {"rateLimitFrequencyInSeconds": 5, "rateLimitPerFrequency": 1},
        {"retryDelaySeconds": 20, "maxRetryDelaySeconds": 20},
        {"totalTimeoutSeconds": 30, "pollTimeoutSeconds": 30, "responseTimeoutSeconds": 30},
        # As clients send them that have written nothing.
        {"retryDelaySeconds": 60, "maxRetryDelaySeconds": 5, "backoffScaleFactor": 1,
         "totalTimeoutSeconds": 30, "responseTimeoutSeconds": 3600,
         "rateLimitFrequencyInSeconds": 1},
    ],
)  # fmt: skip
def test_what_a_task_definition_says_with_effect_is_not_warned_of(fields: Document) -> None:
    assert parse({"kind": "task", "name": "t", **fields}).warnings == ()


def test_a_secrets_name_can_be_written_in_an_expression() -> None:
    accepted({"kind": "secret", "name": "PARTNER_TOKEN", "value": "x"})
    accepted({"kind": "secret", "name": "PARTNER_TOKEN"})
    assert len(faults({"kind": "secret", "name": "a.b", "value": ""})) == 2

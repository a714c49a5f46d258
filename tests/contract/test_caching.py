"""Lists may be answered out of API Gateway's cache, by parameter; nothing else ever is, and no list in the place of another.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-caching.html
"""

from __future__ import annotations

import re
from typing import Any

from tests.support.contract import events, method_settings, template
from tests.support.translated import translated

LISTS = {call for call, (name, _) in events().items() if name.startswith("List")}


def integrations() -> dict[str, dict[str, Any]]:
    """What API Gateway does at each call."""
    paths = translated()["Api"]["Properties"]["Body"]["paths"]
    return {
        f"{method.upper()} {path}": it["x-amazon-apigateway-integration"] for path, item in paths.items() for method, it in item.items()
    }


def test_lists_alone_are_cached_for_as_long_as_the_parameter_says() -> None:
    cached = {call: it for call, it in method_settings().items() if "CachingEnabled" in it}
    assert len(LISTS) == 5
    assert cached.pop("* *") == {"ResourcePath": "/*", "HttpMethod": "*", "CachingEnabled": False}
    assert cached.keys() == LISTS
    by_parameter = {"If": ["CachesLists", True, False]}
    for setting in cached.values():
        assert setting["CachingEnabled"] == setting["CacheDataEncrypted"] == by_parameter
        assert setting["CacheTtlInSeconds"] == {"Ref": "ListCacheSeconds"}
    assert template()["Resources"]["Api"]["Properties"]["CacheClusterEnabled"] == by_parameter


def test_there_is_no_cache_by_default() -> None:
    assert template()["Parameters"]["ListCacheSeconds"]["Default"] == 0
    assert template()["Conditions"]["CachesLists"] == {"Not": [{"Equals": [{"Ref": "ListCacheSeconds"}, 0]}]}


def test_whatever_changes_a_list_tells_it_apart_in_the_cache() -> None:
    for call, integration in integrations().items():
        told_apart = {f"method.request.querystring.{name}" for name in ("limit", "next")}
        told_apart |= {f"method.request.path.{name}" for name in re.findall(r"\{(\w+)\}", call)}
        # Else a client without an ETag would be answered by the 304 of one that has it.
        told_apart |= {"method.request.header.If-None-Match"}
        assert set(integration.get("cacheKeyParameters", [])) == (told_apart if call in LISTS else set())

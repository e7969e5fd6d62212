"""Lists everything in the test cloud whose name, description or data begins as the operator's do, one a line.

It asks with the OpenStack SDK, not with the client under test.
"""

import re

import openstack

OURS = re.compile(r"\bto-[0-9a-f]{12}\b")
LISTS = [
    ("demo", "orchestration", "/stacks"),
    ("demo", "compute", "/servers"),
    ("demo", "network", "/v2.0/floatingips"),
    ("demo", "network", "/v2.0/ports"),
    ("demo", "network", "/v2.0/networks"),
    ("demo", "network", "/v2.0/routers"),
    ("demo", "network", "/v2.0/security-groups"),
    ("demo", "dns", "/v2/zones"),
    # Neutron's own reverse zones are in nobody's project but Neutron's.
    ("admin", "dns", "/v2/recordsets?type=PTR&limit=1000"),
]
clouds = {name: openstack.connect(name) for name in ("demo", "admin")}
for cloud, service, path in LISTS:
    endpoint = {"service_type": service, "interface": "public"}
    everywhere = {"X-Auth-All-Projects": "true"} if cloud == "admin" else {}
    answer = clouds[cloud].session.get(path, endpoint_filter=endpoint, headers=everywhere)
    for items in answer.json().values():
        for item in items if isinstance(items, list) else []:
            if OURS.search(str(item)):
                print(f"{path}: {item['id']} {item.get('stack_name') or item.get('name')}")

"""Plays the chain of services once, as user demo: does the test cloud work?

    OS_CLIENT_CONFIG_FILE=... check.py NAMESERVERS ZONE_SUFFIX

A Heat stack makes a zone and two servers with floating IPs that carry names;
ports with names go into the published networks; every name server must then
answer A, AAAA and PTR over UDP and TCP, and nothing once all is deleted. It
prints how long each thing took, for it is also the testbed's benchmark.
"""
import sys
import time

import dns.message
import dns.query
import dns.rcode
import dns.reversename
import openstack

NAMESERVERS, SUFFIX = sys.argv[1:]
SERVERS = [(ip, int(port)) for ip, port in
           (pair.split(':') for pair in NAMESERVERS.split(','))]
RUN = f'check{int(time.time())}'
ZONE = f'{RUN}.{SUFFIX}'

TEMPLATE = {
    'heat_template_version': '2021-04-16',
    'parameters': {'zone_name': {'type': 'string'}},
    'resources': {
        'zone': {'type': 'OS::Designate::Zone', 'properties': {
            'name': {'get_param': 'zone_name'}, 'email': 'hostmaster@example.test', 'ttl': 300}},
    },
    'outputs': {'addresses': {'value': {}}},
}
for n in ('web1', 'web2'):
    TEMPLATE['resources'] |= {
        f'{n}-port': {'type': 'OS::Neutron::Port', 'properties': {'network': 'private'}},
        f'{n}-server': {'type': 'OS::Nova::Server', 'properties': {
            'name': n, 'image': 'tiny', 'flavor': 'm1.nano',
            'networks': [{'port': {'get_resource': f'{n}-port'}}]}},
        f'{n}-address': {'type': 'OS::Neutron::FloatingIP', 'depends_on': 'zone', 'properties': {
            'floating_network': 'public', 'port_id': {'get_resource': f'{n}-port'},
            'dns_name': n, 'dns_domain': {'get_param': 'zone_name'}}},
    }
    TEMPLATE['outputs']['addresses']['value'][n] = {
        'get_attr': [f'{n}-address', 'floating_ip_address']}


def ask(server, transport, name, kind):
    ip, port = server
    return transport(dns.message.make_query(name, kind), ip, port=port, timeout=3)


def everywhere(test, name, kind):
    """Does the answer of each server over each transport pass the test?"""
    return all(test(ask(server, transport, name, kind))
               for server in SERVERS for transport in (dns.query.udp, dns.query.tcp))


def says(value):
    return lambda m: value in [r.to_text() for s in m.answer for r in s]


def absent(m):
    return not m.answer and m.rcode() in (dns.rcode.NXDOMAIN, dns.rcode.NOERROR, dns.rcode.REFUSED)


def until(what, condition, seconds=90):
    start = time.time()
    while True:
        value = condition()
        if value:
            print(f'{time.time() - start:6.1f} s  {what}', flush=True)
            return value
        if time.time() - start > seconds:
            sys.exit(f'FAILED: {what}: not within {seconds} s')
        time.sleep(0.1)


def truth(name, address):
    kind = 'AAAA' if ':' in address else 'A'
    reverse = dns.reversename.from_address(address)
    until(f'{kind} {name} {address}', lambda: everywhere(says(address), name, kind))
    until(f'PTR {name}', lambda: everywhere(says(name), reverse, 'PTR'))
    return [(name, kind), (reverse, 'PTR')]


def stack_status(conn, name, stack):
    answer = conn.orchestration.get(f'/stacks/{name}/{stack.id}')
    if answer.status_code == 404:
        return 'DELETE_COMPLETE'
    status = answer.json()['stack']['stack_status']
    if status.endswith('FAILED'):
        sys.exit(f'FAILED: {answer.json()["stack"]["stack_status_reason"]}')
    return status


def published(conn, network):
    port = conn.network.create_port(
        network_id=conn.network.find_network(network).id, name=RUN,
        dns_name=network, dns_domain=ZONE)
    said = []
    for fixed in port.fixed_ips:
        said += truth(f'{network}.{ZONE}', fixed['ip_address'])
    return port, said


def main():
    conn = openstack.connect(cloud='demo')
    # A user gives the version as a date; Heat wants the string.
    stack = conn.orchestration.create_stack(
        name=RUN, template=TEMPLATE, parameters={'zone_name': ZONE}, timeout_mins=5)
    until('SOA on every name server', lambda: everywhere(lambda m: m.answer, ZONE, 'SOA'))
    until('stack CREATE_COMPLETE',
          lambda: stack_status(conn, RUN, stack) == 'CREATE_COMPLETE')
    outputs = conn.orchestration.get(f'/stacks/{RUN}/{stack.id}').json()['stack']['outputs']
    said = []
    for name, address in outputs[0]['output_value'].items():
        said += truth(f'{name}.{ZONE}', address)
    zone = conn.dns.find_zone(ZONE)
    names = conn.dns.get(f'/zones/{zone.id}/nameservers').json()['nameservers']
    if len(names) != len(SERVERS):
        sys.exit(f'FAILED: the zone has the name servers {names}')
    states = [s.status for s in conn.compute.servers() if s.name in ('web1', 'web2')]
    print('         servers', *states)

    ports = []
    for network in ('published', 'published-dual'):
        port, more = published(conn, network)
        ports.append(port)
        said += more
    for port in ports:
        conn.network.delete_port(port)
    conn.orchestration.delete_stack(stack)
    until('stack gone', lambda: stack_status(conn, RUN, stack) == 'DELETE_COMPLETE')
    for name, kind in said:
        until(f'no {kind} {name}', lambda: everywhere(absent, name, kind))
    until('zone refused', lambda: everywhere(
        lambda m: m.rcode() == dns.rcode.REFUSED, ZONE, 'SOA'))
    print('the cloud works')


main()

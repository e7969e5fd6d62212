"""What the test cloud holds inside OpenStack itself; called by the scripts here.

    bootstrap.py identity         users, roles, endpoints, clouds.yaml
    bootstrap.py rpc TOPIC        until a server listens on that RPC queue
    bootstrap.py wait SERVICE...  until each of these workers has reported in
    bootstrap.py contents         image, flavors, networks, routers
    bootstrap.py endpoint real|closed   Designate's address in the catalogue

Each step looks before it creates, so it can be run again. openstacksdk rather
than the command line client: one process is much quicker than dozens.
"""
import json
import os
import sys
import tempfile
import time

import openstack

IP = os.environ['IP']
KEYSTONE_URL = os.environ['KEYSTONE_URL']
PASSWORD = os.environ['TESTBED_PASSWORD']
REGION = os.environ['TESTBED_REGION']
CLOUDS_YAML = os.environ['CLOUDS_YAML']
APP_CREDENTIAL_SECRET = f'{PASSWORD}-application'


def base(service, path=''):
    return f'http://{IP}:{os.environ[service + "_PORT"]}{path}'


SERVICES = [  # user, type, URL
    ('glance', 'image', base('GLANCE')),
    ('placement', 'placement', base('PLACEMENT')),
    ('nova', 'compute', base('NOVA', '/v2.1')),
    ('neutron', 'network', base('NEUTRON')),
    ('designate', 'dns', base('DESIGNATE')),
    ('heat', 'orchestration', base('HEAT', '/v1/$(project_id)s')),
]
PEOPLE = [  # user, project, role
    ('demo', 'demo', 'member'),
    ('demo2', 'demo2', 'member'),
    ('reader', 'demo', 'reader'),
]


def password_entry(user, project):
    return {
        'region_name': REGION,
        'identity_api_version': 3,
        'auth_type': 'password',
        'auth': {
            'auth_url': KEYSTONE_URL,
            'username': user,
            'password': PASSWORD,
            'project_name': project,
            'user_domain_name': 'Default',
            'project_domain_name': 'Default',
        },
    }


def connect(entry):
    return openstack.connect(load_yaml_config=False, load_envvars=False, **entry)


def application_credential(unrestricted):
    """Made by its owner, as Keystone demands; made anew if it is there."""
    name = 'tempest-unrestricted' if unrestricted else 'tempest'
    conn = connect(password_entry('demo', 'demo'))
    user = conn.current_user_id
    old = conn.identity.find_application_credential(user, name)
    if old:
        conn.identity.delete_application_credential(user, old)
    made = conn.identity.create_application_credential(
        user, name, secret=APP_CREDENTIAL_SECRET, unrestricted=unrestricted)
    return {
        'region_name': REGION,
        'identity_api_version': 3,
        'auth_type': 'v3applicationcredential',
        'auth': {
            'auth_url': KEYSTONE_URL,
            'application_credential_id': made.id,
            'application_credential_secret': APP_CREDENTIAL_SECRET,
        },
    }


def write_clouds_yaml():
    clouds = {'admin': password_entry('admin', 'admin')}
    for user, project, _ in PEOPLE:
        clouds[user] = password_entry(user, project)
    clouds['demo-appcred'] = application_credential(unrestricted=False)
    clouds['demo-appcred-unrestricted'] = application_credential(unrestricted=True)
    with open(CLOUDS_YAML, 'w') as f:  # JSON is YAML
        json.dump({'clouds': clouds}, f, indent=2)
        f.write('\n')


def identity(conn):
    k = conn.identity
    default = k.find_domain('Default').id
    roles = {r.name: r for r in k.roles()}
    for name in ('service', 'member', 'heat_stack_user'):
        if name not in roles:
            roles[name] = k.create_role(name=name)

    def project(name):
        return (k.find_project(name, domain_id=default)
                or k.create_project(name=name, domain_id=default))

    def user(name, domain=default):
        return (k.find_user(name, domain_id=domain)
                or k.create_user(name=name, password=PASSWORD, domain_id=domain))

    have = {s.type: s for s in k.services()}
    for name, kind, url in SERVICES:
        account = user(name)
        for role in ('admin', 'service'):
            k.assign_project_role_to_user(project('service'), account, roles[role])
        service = have.get(kind) or k.create_service(name=name, type=kind)
        if not list(k.endpoints(service_id=service.id)):
            for interface in ('public', 'internal', 'admin'):
                k.create_endpoint(service_id=service.id, interface=interface,
                                  url=url, region_id=REGION)
    for name, home, role in PEOPLE:
        k.assign_project_role_to_user(project(home), user(name), roles[role])
    # Heat keeps the users that stacks make in a domain of their own.
    heat = k.find_domain('heat') or k.create_domain(name='heat')
    k.assign_domain_role_to_user(heat, user('heat_domain_admin', heat.id), roles['admin'])
    write_clouds_yaml()


def rpc(topic, seconds=120):
    """Wait until the topic's queue has a consumer.

    A call sent before that is lost, and its sender hangs for a minute.
    """
    import kombu
    url = f'amqp://testbed:{PASSWORD}@{IP}:{os.environ["RABBIT_PORT"]}//'
    end = time.time() + seconds
    last = 'nobody listens'
    while time.time() < end:
        try:
            with kombu.Connection(url, connect_timeout=5) as c:
                if c.default_channel.queue_declare(topic, passive=True).consumer_count:
                    return
        except Exception as e:  # NotFound until the server declares it
            last = e
        time.sleep(0.3)
    sys.exit(f'no server for {topic}: {last}')


def reported(conn):
    """The workers that their APIs know to be up."""
    up = {s.binary for s in conn.compute.services() if s.state == 'up'}
    # Not by way of the catalogue, where Designate's address may be broken.
    dns = conn.session.get(base('DESIGNATE', '/v2/service_statuses')).json()
    up |= {'designate-' + s['service_name']
           for s in dns['service_statuses'] if s['status'] == 'UP'}
    engines = conn.orchestration.get('/services').json()['services']
    if any(e['status'] == 'up' for e in engines):
        up.add('heat-engine')
    return up


def wait(conn, *expected, seconds=180):
    end = time.time() + seconds
    trouble = None
    while True:
        missing = list(expected)
        try:
            up = reported(conn)
            missing = [name for name in expected if name not in up]
        except Exception as e:  # an API may still be starting
            trouble = e
        if not missing:
            return
        if time.time() > end:
            if trouble:
                print(f'{type(trouble).__name__}: {trouble}', file=sys.stderr)
            sys.exit('still missing: ' + ' '.join(missing))
        time.sleep(0.5)


def image_and_flavors(conn):
    if not conn.image.find_image('tiny'):
        with tempfile.NamedTemporaryFile() as f:
            f.write(b'not a bootable disk\n' * 1024)
            f.flush()
            conn.create_image('tiny', filename=f.name, disk_format='raw',
                              container_format='bare', visibility='public',
                              wait=True, use_import=False, validate_checksum=False)
    for name, ram in (('m1.nano', 64), ('m1.micro', 128)):
        if not conn.compute.find_flavor(name):
            conn.compute.create_flavor(name=name, ram=ram, vcpus=1, disk=1)


def networks(conn):
    n = conn.network

    def network(name, **attrs):
        return n.find_network(name) or n.create_network(name=name, **attrs)

    def subnet(name, parent, cidr, **attrs):
        return n.find_subnet(name) or n.create_subnet(
            name=name, network_id=parent.id, ip_version=6 if ':' in cidr else 4,
            cidr=cidr, is_dhcp_enabled=False, **attrs)

    public = network('public', is_router_external=True,
                     provider_network_type='flat', provider_physical_network='public')
    subnet('public-v4', public, '172.24.4.0/23', gateway_ip='172.24.4.1')
    # "Use case 3c" of Neutron's manual: a provider network whose segment is
    # outside the tenants' range, so that fixed addresses are published, here
    # in the dns_domain that each port names. Shared: it is not the tenants'.
    for name, segment, cidrs in (
            ('published', 1001, {'v4': '203.0.113.0/24'}),
            ('published-dual', 1002, {'v4': '198.51.100.0/24', 'v6': '2001:db8:51::/64'})):
        shared = network(name, is_shared=True, provider_network_type='vlan',
                         provider_physical_network='physnet1',
                         provider_segmentation_id=segment)
        for suffix, cidr in cidrs.items():
            subnet(f'{name}-{suffix}', shared, cidr)
    for owner, private, cidr in (('demo', 'private', '10.20.0.0/22'),
                                 ('demo2', 'private2', '10.30.0.0/22')):
        project = conn.identity.find_project(owner).id
        mine = network(private, project_id=project)
        inside = subnet(f'{private}-v4', mine, cidr, project_id=project)
        router = f'router-{owner}'
        if not n.find_router(router):
            made = n.create_router(name=router, project_id=project,
                                   external_gateway_info={'network_id': public.id})
            n.add_interface_to_router(made, subnet_id=inside.id)


def contents(conn):
    image_and_flavors(conn)
    networks(conn)


def endpoint(conn, state):
    url = base('DESIGNATE') if state == 'real' else base('CLOSED')
    service = conn.identity.find_service('designate')
    for entry in conn.identity.endpoints(service_id=service.id):
        conn.identity.update_endpoint(entry, url=url)


if __name__ == '__main__':
    step, args = sys.argv[1], sys.argv[2:]
    if step == 'rpc':
        rpc(*args)
    else:
        run = {'identity': identity, 'wait': wait, 'contents': contents, 'endpoint': endpoint}
        run[step](connect(password_entry('admin', 'admin')), *args)

"""site_address.py DOMAIN: prints the address at which this host itself reaches its nginx's TLS site of the domain."""

import sys

import nginxconf

print(nginxconf.address_of(nginxconf.load(*nginxconf.on_disk()), sys.argv[1]))

"""By which part of an IP address clients are told apart."""

import ipaddress

# One customer of a provider has at least that many addresses.
IPV6_PREFIX = 64


def network_of(address: str) -> str:
    """The address that a client is counted by: of IPv6 their network, "2001:db8:1:2::". Raises ValueError."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        network = ipaddress.IPv6Network((int(ip), IPV6_PREFIX), strict=False)
        return str(ip.ipv4_mapped or network.network_address)
    return str(ip)

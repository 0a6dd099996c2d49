"""Which addresses belong to the world, and which lead into this machine or its network.

Standard library only: the proxy of each run uses it.
"""

import ipaddress
import socket
from contextlib import suppress

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_address(host: str) -> bool:
    """Whether a resolver would take it for an address: also 0x7f000001, 2130706433 and 127.1."""
    with suppress(OSError):
        socket.inet_aton(host)
        return True
    with suppress(ValueError):
        ipaddress.ip_address(host)
        return True
    return False


def is_public(text: str) -> bool:
    """As a resolver gives it. An IPv4 address in the clothes of IPv6 is judged as what it is."""
    address = ipaddress.ip_address(text)
    carried = _carried(address)
    if carried:
        return all(map(_is_public, carried))
    return _is_public(address)


def _is_public(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address.is_site_local:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _carried(address: _Address) -> tuple[ipaddress.IPv4Address, ...]:
    """Where it leads in the end: a gateway takes these out of it."""
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    if address in _NAT64:
        return (ipaddress.IPv4Address(address.packed[-4:]),)
    carried = address.ipv4_mapped or address.sixtofour
    return (carried,) if carried else address.teredo or ()

"""The egress guard: the hub fetches from the public Internet and from nowhere else.

A source's address, a redirect, a next link: any of them may point into the network the hub
lives in. Addresses are vetted where names are resolved, and the connection is made to the
very addresses that were vetted, so that a name which changes its mind gains nothing
(rule R13).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IAddress, IHostnameResolver, IResolutionReceiver
from zope.interface import implementer, provider

from chm_hub.addresses import urlsplit
from chm_hub.errors import FetchError
from chm_hub.settings import Network

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Request

PORTS = frozenset({80, 443, 8080, 8443})
"""Ports that may be asked on public addresses; an allowed network may be asked on any."""

_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "169.254.0.0/16",  # link-local, with the clouds' metadata services
        "fe80::/10",
        "fd00:ec2::/32",
        "100.100.100.200/32",
        "192.0.0.192/32",
        "168.63.129.16/32",
    )
)
"""Refused even if an allowed network holds them."""
_RESERVED = tuple(ipaddress.ip_network(text) for text in ("192.0.0.0/24", "fec0::/10", "3fff::/20"))
"""Not public either, though Python's table does not say so: protocol assignments, the former
site-local addresses, and those of documentation."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def refusal(text: str, port: int, allow: Sequence[Network]) -> str | None:
    """Why an address must not be connected to; ``None`` if it may."""
    address: Address = ipaddress.ip_address(text.partition("%")[0])
    for form in _forms(address):
        if any(form in network for network in _NEVER):
            return f"{text} is link-local or a metadata service"
        if any(form in network for network in allow):
            continue
        if not form.is_global or form.is_multicast or form.is_reserved or form.is_unspecified:
            return f"{text} is not a public address"
        if any(form in network for network in _RESERVED):
            return f"{text} is not a public address"
        if port not in PORTS:
            return f"port {port} is not one of {', '.join(map(str, sorted(PORTS)))}"
    return None


def _forms(address: Address) -> list[Address]:
    """The address and the IPv4 address it stands for, if it is one of the wrapping kinds."""
    forms: list[Address] = [address]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            forms = [address.ipv4_mapped]
        elif address.sixtofour:
            forms.append(address.sixtofour)
        elif address.teredo:
            forms.append(address.teredo[1])
        elif address in _NAT64:
            # By itself it is nowhere, and where a network has no IPv4 every host is one.
            forms = [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    return forms


class EgressRefusedError(FetchError):
    """An address the hub must not connect to."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(
            f"{host}: refused: {why}. If this source is meant to be inside your network, add the "
            "network to CHM_HUB_EGRESS_ALLOW.",
            reason="egress",
        )


class EgressGuard:
    """Refuses schemes, credentials and odd hosts before anything is resolved, on the first
    request as on each redirect."""

    @classmethod
    def from_crawler(cls, _crawler: Crawler) -> EgressGuard:
        """Made by Scrapy."""
        return cls()

    def process_request(self, request: Request) -> None:
        """Let a request pass, or raise :class:`EgressRefusedError`."""
        parts = urlsplit(request.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise EgressRefusedError(request.url, "only http and https addresses are fetched")
        if parts.username or parts.password:
            raise EgressRefusedError(parts.hostname, "the address carries a user name")


@implementer(IHostnameResolver)
class GuardedResolver:
    """Twisted's own resolver, with every address it finds vetted: one that must not be
    connected to spoils them all."""

    refused: dict[str, str] = {}
    """Why a host was refused, for the message; the last word on each."""

    # zope's interfaces mean nothing to a type checker: what is Twisted's is Any here.

    def __init__(self, reactor: Any, allow: Sequence[Network]) -> None:
        self._reactor = reactor
        self._resolver: Any = reactor.nameResolver
        self._allow = allow

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: Any) -> GuardedResolver:
        """Made by Scrapy."""
        return cls(reactor, crawler.settings["CHM_HUB_EGRESS_ALLOW"])

    def install_on_reactor(self) -> None:
        """Called by Scrapy once the reactor is there."""
        self._reactor.installNameResolver(self)

    def resolveHostName(  # noqa: N802  (Twisted's interface)
        self,
        resolutionReceiver: Any,  # noqa: N803
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Sequence[type[IAddress]] | None = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> Any:
        """Resolve a name; hands on nothing if any of its addresses is refused."""
        allow, refused = self._allow, self.refused
        found: list[Any] = []

        @provider(IResolutionReceiver)
        class Vetting:
            @staticmethod
            def resolutionBegan(resolution: Any) -> None:  # noqa: N802
                resolutionReceiver.resolutionBegan(resolution)

            @staticmethod
            def addressResolved(address: Any) -> None:  # noqa: N802
                found.append(address)

            @staticmethod
            def resolutionComplete() -> None:  # noqa: N802
                reasons = [refusal(a.host, portNumber, allow) for a in found]
                reason = next((r for r in reasons if r), None)
                if reason is None:
                    refused.pop(hostName, None)
                    for address in found:
                        resolutionReceiver.addressResolved(address)
                else:
                    refused[hostName] = reason
                resolutionReceiver.resolutionComplete()

        return self._resolver.resolveHostName(
            Vetting, hostName, portNumber, addressTypes, transportSemantics
        )

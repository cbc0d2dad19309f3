"""Cookies as Scrapy keeps them, with a list of public suffixes that asks nobody.

Scrapy tells by that list which domains no cookie may be for, and fetches it from the Internet when
the first server sets a cookie with a domain: past the egress guard. The list that comes with
tldextract is as good.
"""

from __future__ import annotations

from scrapy.downloadermiddlewares import cookies
from tldextract import TLDExtract


class Cookies(cookies.CookiesMiddleware):
    """Scrapy's middleware; one jar for each client."""


cookies._split_domain = TLDExtract(
    cache_dir=None, suffix_list_urls=(), include_psl_private_domains=True
)
